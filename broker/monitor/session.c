/* SPDX-License-Identifier: ISC */
/*
 * Session processes as the monitor sees them: started, fed, heard, ended.
 *
 * Every record from a session is checked for its exact size and canonical
 * form before anyone looks at it.  A session that breaks the form is broken
 * or taken over; it is killed, and its client sees the end of its connection.
 */

#include "session.h"

#include "acquire.h"
#include "broker/common/fdpass.h"
#include "broker/common/log.h"
#include "config.h"
#include "explain.h"
#include "loop.h"
#include "opening.h"
#include "pidfd.h"
#include "policyload.h"
#include "quota.h"
#include "request.h"
#include "revoke.h"
#include "spawn.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

/* More answers than a client ever gets at once; events are dropped first. */
#define QUEUE_MAX 8192
#define QUEUE_EVENTS_MAX 256

struct queued {
	STAILQ_ENTRY(queued) entry;
	size_t len;
	size_t nfds;
	int fds[MON_MAX_FDS];
	char record[]; /* len bytes */
};

struct sessions sessions = TAILQ_HEAD_INITIALIZER(sessions);

const char *
session_who(const struct session *s)
{
	static char who[80];

	snprintf(who, sizeof(who), "uid %u, pid %d (%s)", s->peer.who.uid,
	    s->peer.pid, s->peer.comm);
	return who;
}

static void
queue_drop(struct session *s)
{
	struct queued *q;

	while ((q = STAILQ_FIRST(&s->queue)) != NULL) {
		STAILQ_REMOVE_HEAD(&s->queue, entry);
		fdpass_close(q->fds, q->nfds);
		free(q);
	}
	s->nqueued = 0;
}

void
session_close(struct session *s)
{
	TAILQ_REMOVE(&sessions, s, entry);
	if (s->acquisition != NULL)
		acquisition_drop(s->acquisition);
	explain_forget(s);
	revoke_forget(s);
	opening_forget(s);
	queue_drop(s);
	free(s->lines);
	loop_free(&s->readable);
	loop_free(&s->writable);
	loop_free(&s->later);
	if (s->account != NULL)
		quota_disconnect(s->account);
	pidfd_discard(&s->pidfd);
	fdpass_close(&s->clientfd, 1);
	fdpass_close(&s->fd, 1);
	peer_clear(&s->peer);
	free(s);
}

/* Its fault, not its client's alone: nothing it says is believed any more. */
static void
session_kill(struct session *s, const char *why)
{
	log_warn("%s: session killed: %s", session_who(s), why);
	/* Never -1, which would be everybody. */
	if (s->pid > 0 && kill(s->pid, SIGKILL) == -1 && errno != ESRCH)
		log_warn("kill %d: %s", s->pid, strerror(errno));
	session_close(s);
}

/* The next request, but not before the last answer is out, nor over the
 * rate. */
static void
session_read_on(struct session *s)
{
	if (!s->busy && s->nqueued == 0 &&
	    !event_pending(s->later, EV_TIMEOUT, NULL))
		event_add(s->readable, NULL);
}

static void lines_send(struct session *);

static void
session_writable(void *arg)
{
	struct session *s = arg;
	struct queued *q;
	int r;

	while ((q = STAILQ_FIRST(&s->queue)) != NULL) {
		r = fdpass_send(s->fd, q->record, q->len, q->fds, q->nfds);
		if (r == -EAGAIN || r == -ENOBUFS)
			return;
		/* Any other failure shows as the end of its socket. */
		STAILQ_REMOVE_HEAD(&s->queue, entry);
		s->nqueued--;
		fdpass_close(q->fds, q->nfds);
		free(q);
	}
	loop_free(&s->writable);
	if (s->lines != NULL)
		lines_send(s);
	session_read_on(s);
}

static void
queue_add(
    struct session *s, const void *record, size_t len, int *fds, size_t nfds)
{
	struct queued *q =
	    s->nqueued < QUEUE_MAX ? calloc(1, sizeof(*q) + len) : NULL;

	if (q == NULL ||
	    (s->writable == NULL &&
		loop_event(&s->writable, s->fd, EV_WRITE | EV_PERSIST,
		    session_writable, s) != 0)) {
		free(q);
		fdpass_close(fds, nfds);
		log_warn("%s: an answer is lost", session_who(s));
		shutdown(s->fd, SHUT_RDWR); /* it will be closed as ended */
		return;
	}
	q->len = len;
	q->nfds = nfds;
	memcpy(q->record, record, len);
	for (size_t i = 0; i < nfds; i++)
		q->fds[i] = fds[i];
	STAILQ_INSERT_TAIL(&s->queue, q, entry);
	s->nqueued++;
}

void
session_send(
    struct session *s, uint32_t type, void *record, int *fds, size_t nfds)
{
	struct mon_header *h = record;
	size_t len = monmsg_size(type);
	int r = -EAGAIN;

	h->type = type;
	h->seq = s->seq;
	if (s->nqueued == 0)
		r = fdpass_send(s->fd, record, len, fds, nfds);
	if (r == -EAGAIN || r == -ENOBUFS)
		queue_add(s, record, len, fds, nfds);
	else
		fdpass_close(fds, nfds); /* sent, or the session is gone */
}

/* The session takes printable ASCII alone, as do logs and terminals. */
static void
copy_printable(char *to, const char *from, size_t n)
{
	for (size_t i = 0; i < n; i++)
		to[i] = from[i] >= ' ' && from[i] <= '~' ? from[i] : '?';
}

/* A record of it; returns how much of the text that was. */
static size_t
text_send(struct session *s, enum mon_text_kind kind, const char *text)
{
	struct mon_text t = { .kind = kind };
	size_t n = strcspn(text, "\n");

	t.more = n >= MON_TEXT_MAX;
	if (t.more)
		n = MON_TEXT_MAX - 1;
	copy_printable(t.text, text, n);
	session_send(s, MON_TEXT, &t, NULL, 0);
	return n;
}

void
session_text(struct session *s, enum mon_text_kind kind, const char *text)
{
	do {
		text += text_send(s, kind, text);
		if (*text == '\n') {
			kind = MON_TEXT_FIX;
			text++;
		}
	} while (*text != '\0');
}

static void
session_vsay(
    struct session *s, enum mon_text_kind kind, const char *fmt, va_list ap)
{
	char text[2048];

	vsnprintf(text, sizeof(text), fmt, ap);
	session_text(s, kind, text);
}

void
session_say(struct session *s, enum mon_text_kind kind, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	session_vsay(s, kind, fmt, ap);
	va_end(ap);
}

void
session_refuse(struct session *s, enum status status, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	session_vsay(s, MON_TEXT_WHY, fmt, ap);
	va_end(ap);
	session_end(s, status);
}

void
session_end(struct session *s, enum status status)
{
	struct mon_end end = { .status = status };

	session_send(s, MON_END, &end, NULL, 0);
	pidfd_discard(&s->pidfd);
	s->busy = false;
	session_read_on(s);
}

/* A record at a time, lest a long policy fills the queue. */
static void
lines_send(struct session *s)
{
	while (s->nqueued == 0 && *s->next_line != '\0') {
		s->next_line += text_send(s, MON_TEXT_POLICY, s->next_line);
		if (*s->next_line == '\n')
			s->next_line++;
	}
	if (*s->next_line != '\0')
		return;
	free(s->lines);
	s->lines = NULL;
	session_end(s, STATUS_OK);
}

void
session_lines(struct session *s, char *lines)
{
	s->lines = lines;
	s->next_line = lines;
	lines_send(s);
}

void
session_event(struct session *s, struct mon_event *e)
{
	uint32_t seq = s->seq;

	/* The numbers show a watcher what it missed. */
	if (s->nqueued > QUEUE_EVENTS_MAX)
		return;
	s->seq = 0;
	session_send(s, MON_EVENT, e, NULL, 0);
	s->seq = seq;
}

static void session_admit(struct session *);

static void
session_later(void *arg)
{
	struct session *s = arg;

	/* Both ask for their turn again, and are charged then. */
	if (s->fd == -1)
		session_admit(s);
	else
		session_read_on(s);
}

/* Whether nothing more comes: the end is no request, and costs nothing. */
static bool
session_at_end(const struct session *s)
{
	struct pollfd p = { .fd = s->fd };
	int unread = 0;

	return poll(&p, 1, 0) == 1 && (p.revents & POLLHUP) != 0 &&
	       ioctl(s->fd, FIONREAD, &unread) == 0 && unread == 0;
}

/* False: the rate is exceeded, and it goes on when it is not. */
static bool
session_may_ask(struct session *s)
{
	struct policy_limits limits;
	uint64_t wait;

	policy_limits_of(policy_current(), &s->peer.who, &limits);
	wait = quota_request(s->account, clock_us(), limits.requests);
	if (wait != 0)
		loop_timer(s->later, (unsigned)(wait / 1000 + 1));
	return wait == 0;
}

static void
session_readable(void *arg)
{
	uint64_t record[MON_MAX_SIZE / sizeof(uint64_t)];
	struct session *s = arg;
	const struct mon_header *h = (const void *)record;
	int fd = -1;
	size_t nfds = 1;
	uint64_t start;
	ssize_t n;

	if (session_at_end(s)) {
		session_close(s);
		return;
	}
	if (!session_may_ask(s)) {
		event_del(s->readable);
		return;
	}
	n = fdpass_recv(
	    s->fd, record, sizeof(record), &fd, &nfds, MSG_DONTWAIT);
	if (n == -EAGAIN)
		return;
	if (n == 0 || n == -ECONNRESET) {
		session_close(s);
		return;
	}
	if (n < 0 || !monmsg_check_request(record, (size_t)n) ||
	    nfds > monmsg_max_fds(h->type) || (nfds > 0 && !pidfd_is(fd))) {
		pidfd_discard(&fd);
		session_kill(
		    s, n < 0 ? strerror((int)-n) : "a record is not canonical");
		return;
	}
	s->busy = true;
	s->seq = h->seq;
	event_del(s->readable); /* one at a time; session_end() goes on */
	start = clock_us();
	request_dispatch(s, record, fd);
	quota_spend(s->account, clock_us() - start);
}

static void
session_welcome(struct session *s)
{
	struct mon_welcome w = { .uid = s->peer.who.uid,
		.pid = (uint32_t)s->peer.pid,
		.admin = request_admin(s),
		.features = request_features() };

	session_send(s, MON_WELCOME, &w, &s->clientfd, 1);
	s->clientfd = -1;
}

static void
session_begin(struct session *s)
{
	int r = spawn_session(&s->pid, &s->fd);

	if (r == 0)
		r = loop_event(&s->readable, s->fd, EV_READ | EV_PERSIST,
		    session_readable, s);
	if (r == 0) {
		session_welcome(s);
		return;
	}
	log_warn("%s: not served: %s", session_who(s), strerror(-r));
	session_close(s);
}

/* A connection costs a process: it counts as a request, and waits like one. */
static void
session_admit(struct session *s)
{
	if (session_may_ask(s))
		session_begin(s);
}

static void
session_not_served(const struct session *s, int r)
{
	static struct log_limit limit;
	char unsaid[LOG_UNSAID_MAX];

	if (log_limit(&limit, clock_us(), unsaid))
		log_warn("%s: not served: %s%s", session_who(s),
		    r == -EAGAIN ? "too many connections" : strerror(-r),
		    unsaid);
}

void
session_start(int clientfd, struct peer *peer)
{
	struct session *s = calloc(1, sizeof(*s));
	struct policy_limits limits;
	int r;

	if (s == NULL) {
		close(clientfd);
		peer_clear(peer);
		return;
	}
	s->peer = *peer;
	s->clientfd = clientfd;
	s->fd = s->pidfd = -1;
	STAILQ_INIT(&s->queue);
	TAILQ_INSERT_TAIL(&sessions, s, entry);
	policy_limits_of(policy_current(), &s->peer.who, &limits);
	/* The uids of another user namespace are for the taking. */
	r = quota_connect(&s->account,
	    peer->foreign ? UINT32_MAX : s->peer.who.uid, limits.connections,
	    clock_us());
	if (r == 0)
		r = loop_event(&s->later, -1, 0, session_later, s);
	if (r == 0) {
		session_admit(s);
		return;
	}
	session_not_served(s, r);
	session_close(s);
}

bool
session_reaped(pid_t pid)
{
	struct session *s;

	TAILQ_FOREACH(s, &sessions, entry) {
		if (s->pid != pid)
			continue;
		s->pid = -1;
		/* Its socket says the rest, and may hold a last request; but
		 * while it is busy nobody reads that. */
		if (s->busy || session_at_end(s))
			session_close(s);
		return true;
	}
	return spawn_reaped(pid);
}
