/* SPDX-License-Identifier: ISC */
/*
 * One request and its answer.  Called by all that ask the broker.  Must never
 * leave an fd behind that came with a reply, nor a connection half-way through
 * an answer: what cannot be read to its end is closed.
 */

#include "lib.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "../../broker/common/fdpass.h"
#include "../../broker/common/status.h"
#include "../../proto/limits.h"

struct received {
	Vfiobroker__Reply *reply;
	int fds[FDPASS_MAX_FDS];
	size_t nfds;
};

static void
received_free(struct received *in)
{
	vfiobroker__reply__free_unpacked(in->reply, NULL);
	for (size_t i = 0; i < in->nfds; i++)
		/* Not taken: nobody can be told. */
		if (in->fds[i] >= 0)
			(void)close(in->fds[i]);
}

static int
fail_gone(struct vfiobroker *h)
{
	lib_hang_up(h);
	return lib_fail(h, -ECONNRESET,
	    "the broker at %s closed the connection\n"
	    "  see why: journalctl -u vfiobrokerd",
	    h->path);
}

static int
call_send(struct vfiobroker *h, const uint8_t *buf, size_t len, int pidfd)
{
	struct pollfd p = { h->fd, POLLOUT, 0 };
	int r;

	while (
	    (r = fdpass_send(h->fd, buf, len, &pidfd, pidfd >= 0)) == -EAGAIN)
		if (poll(&p, 1, -1) < 0 && errno != EINTR)
			return lib_fail(
			    h, -errno, "cannot wait: %s", strerror(errno));
	if (r == -EPIPE || r == -ECONNRESET)
		return fail_gone(h);
	if (r != 0)
		return lib_fail(h, r, "cannot ask the broker at %s: %s",
		    h->path, strerror(-r));
	return 0;
}

/* r is what fdpass_recv() returned instead of a packet. */
static int
fail_recv(struct vfiobroker *h, int r)
{
	if (r == 0 || r == -ECONNRESET)
		return fail_gone(h);
	if (r == -EMSGSIZE)
		return lib_fail_protocol(h, "a message that is too long");
	if (r == -EPROTO)
		return lib_fail_protocol(
		    h, "more file descriptors than can be opened here");
	lib_hang_up(h);
	return lib_fail(
	    h, r, "cannot hear the broker at %s: %s", h->path, strerror(-r));
}

/* On 0 the caller must received_free(). */
static int
call_recv(struct vfiobroker *h, struct received *in)
{
	uint8_t buf[PROTO_MESSAGE_MAX];
	ssize_t n;

	in->nfds = FDPASS_MAX_FDS;
	n = fdpass_recv(h->fd, buf, sizeof(buf), in->fds, &in->nfds, 0);
	if (n <= 0)
		return fail_recv(h, (int)n);
	in->reply = vfiobroker__reply__unpack(NULL, (size_t)n, buf);
	if (in->reply != NULL)
		return 0;
	received_free(in);
	return lib_fail_protocol(h, "what is no reply");
}

/* r is why a reply could not be used. */
static int
fail_reply(struct vfiobroker *h, int r)
{
	if (r == -EPROTO)
		return lib_fail_protocol(h, "a reply that makes no sense");
	/* The rest of the answer would be taken for that of the next call. */
	lib_hang_up(h);
	return lib_fail(h, r, "%s", strerror(-r));
}

static int
take_event(
    struct vfiobroker *h, const struct received *in, struct vfiobroker_event *e)
{
	if (in->reply->body_case != VFIOBROKER__REPLY__BODY_EVENT ||
	    in->nfds != 0 || in->reply->id != 0)
		return fail_reply(h, -EPROTO);
	if (lib_event(e, in->reply->event) != 0)
		return fail_reply(h, -EPROTO);
	return 0;
}

static int
take_reply(
    struct vfiobroker *h, struct received *in, const struct lib_items *items)
{
	const Vfiobroker__Reply *reply = in->reply;
	int r;

	if (reply->id != h->id || (int)reply->status < 0 ||
	    (int)reply->status >= STATUS_COUNT)
		return -EPROTO;
	r = lib_texts_add(h, reply);
	if (r != 0)
		return r;
	if (reply->body_case == VFIOBROKER__REPLY__BODY__NOT_SET)
		return in->nfds == 0 ? 0 : -EPROTO;
	if (items == NULL)
		return -EPROTO;
	return items->add(items->arg, reply, in->fds, in->nfds);
}

static int
call_finish(struct vfiobroker *h, Vfiobroker__Status status)
{
	lib_texts_finish(h);
	if (status == VFIOBROKER__STATUS__OK)
		return 0;
	return lib_fail_refused(h, (enum vfiobroker_status)status);
}

/* Receives one reply of the answer; *done when it was the last. */
static int
call_step(struct vfiobroker *h, const struct lib_items *items, bool *done)
{
	struct received in;
	struct vfiobroker_event e;
	int r = call_recv(h, &in);

	if (r != 0)
		return r;
	if (in.reply->body_case == VFIOBROKER__REPLY__BODY_EVENT) {
		r = take_event(h, &in, &e);
		if (r == 0)
			lib_event_queue(h, &e);
	} else {
		r = take_reply(h, &in, items);
		if (r != 0)
			r = fail_reply(h, r);
		*done = r == 0 && !in.reply->more;
	}
	if (*done)
		r = call_finish(h, in.reply->status);
	received_free(&in);
	return r;
}

int
lib_call(struct vfiobroker *h, Vfiobroker__Request *req, int pidfd,
    const struct lib_items *items)
{
	uint8_t buf[PROTO_MESSAGE_MAX];
	bool done = false;
	int r;

	lib_error_clear(h);
	lib_texts_clear(h);
	if (h->fd < 0)
		return lib_fail(
		    h, -ENOTCONN, "not connected to the broker at %s", h->path);
	h->id = h->id == UINT32_MAX ? 1 : h->id + 1;
	req->id = h->id;
	if (vfiobroker__request__get_packed_size(req) > sizeof(buf))
		return lib_fail(h, -EMSGSIZE,
		    "the request is longer than the broker takes");
	r = call_send(h, buf, vfiobroker__request__pack(req, buf), pidfd);
	while (r == 0 && !done)
		r = call_step(h, items, &done);
	if (!done)
		lib_texts_clear(h);
	return r;
}

int
lib_recv_event(struct vfiobroker *h, struct vfiobroker_event *e)
{
	struct received in;
	int r;

	lib_error_clear(h);
	if (h->fd < 0)
		return lib_fail(
		    h, -ENOTCONN, "not connected to the broker at %s", h->path);
	r = call_recv(h, &in);
	if (r != 0)
		return r;
	r = take_event(h, &in, e);
	received_free(&in);
	return r;
}
