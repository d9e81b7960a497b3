/* SPDX-License-Identifier: ISC */
/*
 * The session's loop: a request of the client goes to the monitor as a record,
 * the monitor's records come back as replies.  Run by main.c inside the box of
 * isolate.c.  Must never have more than one request with the monitor, nor more
 * than one packet for the client: while either waits, the sender's own socket
 * holds what comes next.
 *
 * Functions return 0 to go on and -errno to end; -EPIPE is the quiet end.
 */

#include "serve.h"

#include <sys/socket.h>

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "../../proto/limits.h"
#include "../common/fdpass.h"
#include "../common/log.h"
#include "../common/monmsg.h"
#include "budget.h"
#include "decode.h"
#include "encode.h"
#include "pidcheck.h"
#include "texts.h"

struct session {
	int monfd;
	int clientfd;
	struct mon_welcome welcome;
	int silence_ms; /* how long the client may take to say something */
	bool asked; /* it has said something */
	bool busy; /* a request is with the monitor */
	uint32_t seq; /* of that request, for the monitor */
	uint32_t id; /* of that request, for the client */
	struct texts texts; /* of its answer, not yet sent */
	/* A reply on its way to the client; outlen 0: none. */
	size_t outlen;
	size_t noutfds;
	int outfds[MON_MAX_FDS];
	uint8_t out[PROTO_MESSAGE_MAX];
	uint8_t in[PROTO_MESSAGE_MAX];
};

union answer {
	struct mon_header h;
	struct mon_welcome welcome;
	struct mon_device device;
	struct mon_lease lease;
	struct mon_grant grant;
	struct mon_text text;
	struct mon_event event;
	struct mon_end end;
	uint8_t bytes[MON_MAX_SIZE];
};

static int
client_blame(const struct session *s, const char *what)
{
	log_warn("closed the connection of uid %u, pid %u: it sent %s",
	    s->welcome.uid, s->welcome.pid, what);
	return -EPROTO;
}

static int
monitor_blame(const struct session *s, const char *what)
{
	log_warn("left uid %u, pid %u: the monitor %s", s->welcome.uid,
	    s->welcome.pid, what);
	return -EBADMSG;
}

/* Sends the reply that waits, or leaves it waiting for the client to read. */
static int
client_flush(struct session *s)
{
	int r =
	    fdpass_send(s->clientfd, s->out, s->outlen, s->outfds, s->noutfds);

	if (r == -EAGAIN)
		return 0;
	fdpass_close(s->outfds, s->noutfds);
	s->noutfds = 0;
	s->outlen = 0;
	if (r == -EPIPE || r == -ECONNRESET)
		return -EPIPE;
	if (r != 0)
		log_warn("cannot reply to uid %u, pid %u: %s", s->welcome.uid,
		    s->welcome.pid, strerror(-r));
	return r;
}

/* Sends s->out with the fds, which it takes. */
static int
client_send(struct session *s, size_t len, const int *fds, size_t nfds)
{
	if (len == 0) {
		log_warn("a reply did not fit its message");
		return -ENOBUFS;
	}
	if (nfds > 0)
		memcpy(s->outfds, fds, nfds * sizeof(fds[0]));
	s->noutfds = nfds;
	s->outlen = len;
	return client_flush(s);
}

static int
answer_item(struct session *s, const union answer *a, int *fds, size_t nfds)
{
	uint32_t id = a->h.type == MON_EVENT ? 0 : s->id;

	return client_send(s, encode_item(id, a, s->out), fds, nfds);
}

/* Keeps room for one more, so that every record makes at most one reply. */
static int
answer_text(struct session *s, const union answer *a, int *fds, size_t nfds)
{
	size_t len;

	(void)fds; /* checked: there are none */
	(void)nfds;
	if (!texts_add(&s->texts, &a->text))
		return monitor_blame(s, "sent a text that has no room");
	if (texts_room(&s->texts))
		return 0;
	len = encode_texts(s->id, &s->texts, s->out);
	texts_clear(&s->texts);
	return client_send(s, len, NULL, 0);
}

static int
answer_end(struct session *s, const union answer *a, int *fds, size_t nfds)
{
	size_t len =
	    encode_end(s->id, (enum status)a->end.status, &s->texts, s->out);

	(void)fds; /* checked: there are none */
	(void)nfds;
	texts_clear(&s->texts);
	s->busy = false;
	return client_send(s, len, NULL, 0);
}

/* Takes the fds. */
static int (*const answers[MON_TYPE_COUNT])(
    struct session *, const union answer *, int *, size_t) = {
	[MON_DEVICE] = answer_item,
	[MON_LEASE] = answer_item,
	[MON_GRANT] = answer_item,
	[MON_EVENT] = answer_item,
	[MON_TEXT] = answer_text,
	[MON_END] = answer_end,
};

static bool
answer_expected(const struct session *s, const union answer *a, size_t nfds)
{
	size_t want = a->h.type == MON_GRANT ? a->grant.nfds : 0;

	if (answers[a->h.type] == NULL || nfds != want)
		return false;
	return a->h.type == MON_EVENT || (s->busy && a->h.seq == s->seq);
}

static int
monitor_read(struct session *s)
{
	union answer a;
	int fds[MON_MAX_FDS];
	size_t nfds = MON_MAX_FDS;
	ssize_t n =
	    fdpass_recv(s->monfd, &a, sizeof(a), fds, &nfds, MSG_DONTWAIT);

	if (n == -EAGAIN)
		return 0;
	if (n == 0 || n == -ECONNRESET)
		return -EPIPE;
	if (n < 0)
		return monitor_blame(s, strerror((int)-n));
	if (!monmsg_check_answer(&a, (size_t)n) ||
	    !answer_expected(s, &a, nfds)) {
		fdpass_close(fds, nfds);
		return monitor_blame(s, "sent what is not its turn");
	}
	return answers[a.h.type](s, &a, fds, nfds);
}

static int
monitor_ask(struct session *s, struct request *req, const int *fds, size_t nfds)
{
	int r;

	s->seq++;
	s->id = req->id;
	req->record.h.seq = s->seq;
	if (!monmsg_check_request(&req->record, req->len)) {
		log_warn(
		    "request %u makes no canonical record", req->record.h.type);
		return -ENOTRECOVERABLE;
	}
	r = fdpass_send(s->monfd, &req->record, req->len, fds, nfds);
	if (r == -EPIPE || r == -ECONNRESET)
		return -EPIPE;
	if (r != 0)
		return monitor_blame(s, "does not listen");
	s->busy = true;
	return 0;
}

/* The decoded request goes to the monitor or is answered here. */
static int
client_request(struct session *s, int decoded, struct request *req,
    const int *fds, size_t nfds)
{
	size_t len;

	if (decoded == -EINVAL) {
		texts_set(&s->texts, MON_TEXT_WHY, req->why);
		len = encode_end(req->id, STATUS_INVALID, &s->texts, s->out);
		texts_clear(&s->texts);
		return client_send(s, len, NULL, 0);
	}
	if (decoded != 0)
		return client_blame(s, req->why);
	if (nfds != (req->takes_fd ? 1 : 0))
		return client_blame(s, req->takes_fd
					   ? "no fd where one belongs"
					   : "an fd where none belongs");
	if (nfds == 1 && !pidcheck(fds[0]))
		return client_blame(s, "an fd that is no process's");
	if (req->len == 0)
		return client_send(
		    s, encode_welcome(req->id, &s->welcome, s->out), NULL, 0);
	return monitor_ask(s, req, fds, nfds);
}

static int
client_read(struct session *s, short revents)
{
	struct request req;
	int fd = -1, r;
	size_t nfds = 1;
	ssize_t n = fdpass_recv(
	    s->clientfd, s->in, sizeof(s->in), &fd, &nfds, MSG_DONTWAIT);

	if (n == -EAGAIN)
		return 0;
	/* It was readable and not hung up, so this is no end of file. */
	if (n == 0 && (revents & (POLLHUP | POLLRDHUP)) == 0)
		return client_blame(s, "a message of no bytes");
	if (n == 0 || n == -ECONNRESET)
		return -EPIPE;
	if (n == -EMSGSIZE)
		return client_blame(s, "a message longer than the limit");
	if (n == -EPROTO)
		return client_blame(s, "several fds at once");
	if (n < 0)
		return client_blame(s, strerror((int)-n));
	s->asked = true;
	r = decode_request(s->in, (size_t)n, budget_start(), &req);
	r = client_request(s, r, &req, &fd, nfds);
	fdpass_close(&fd, nfds);
	return r;
}

/* Waits for whoever's turn it is, and notices everybody's leaving. */
static int
session_step(struct session *s)
{
	bool waiting = s->outlen > 0;
	short turn = waiting ? POLLOUT : s->busy ? 0 : POLLIN;
	struct pollfd p[] = {
		{ s->monfd, waiting ? 0 : POLLIN, 0 },
		{ s->clientfd, (short)(turn | POLLRDHUP), 0 },
	};
	const short gone = POLLHUP | POLLRDHUP | POLLERR | POLLNVAL;
	int r;

	r = poll(p, 2, s->asked ? -1 : s->silence_ms);
	if (r < 0)
		return errno == EINTR ? 0 : -errno;
	if (r == 0)
		return client_blame(s, "nothing for too long");
	if (!waiting && p[0].revents != 0)
		return monitor_read(s);
	if (turn == POLLIN && p[1].revents != 0)
		return client_read(s, p[1].revents);
	if (((p[0].revents | p[1].revents) & gone) != 0)
		return -EPIPE;
	return waiting ? client_flush(s) : 0;
}

/* Waits for the welcome; a spare session may wait for long. */
static int
session_start(struct session *s)
{
	union answer a;
	size_t nfds = 1;
	ssize_t n =
	    fdpass_recv(s->monfd, &a, sizeof(a), &s->clientfd, &nfds, 0);

	if (n == 0 || n == -ECONNRESET)
		return -EPIPE;
	if (n < 0)
		return monitor_blame(s, strerror((int)-n));
	if (!monmsg_check_answer(&a, (size_t)n) || a.h.type != MON_WELCOME ||
	    nfds != 1)
		return monitor_blame(s, "did not start with a welcome");
	s->welcome = a.welcome;
	return 0;
}

int
serve(int monfd, int silence_ms)
{
	static struct session s;
	int r;

	s.monfd = monfd;
	s.silence_ms = silence_ms;
	s.clientfd = -1;
	r = session_start(&s);
	while (r == 0)
		r = session_step(&s);
	fdpass_close(s.outfds, s.noutfds);
	fdpass_close(&s.clientfd, 1);
	return r == -EPIPE ? 0 : r;
}
