/* SPDX-License-Identifier: ISC */
/*
 * Connecting and saying hello.  Must never leave a caller without a sentence
 * for why there is no broker.
 */

#include "lib.h"

#include <sys/socket.h>
#include <sys/un.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../../proto/limits.h"

#define START_IT "\n  start it: systemctl start vfiobrokerd.socket"

static int
fail_connect(struct vfiobroker *h, int error)
{
	bool absent = error == ENOENT || error == ECONNREFUSED;

	return lib_fail(h, -error, "cannot connect to %s: %s%s", h->path,
	    strerror(error), absent ? START_IT : "");
}

static int
open_connect(struct vfiobroker *h)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	size_t len = strlen(h->path);
	int r;

	if (len >= sizeof(sun.sun_path))
		return fail_connect(h, ENAMETOOLONG);
	memcpy(sun.sun_path, h->path, len);
	h->fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (h->fd < 0)
		return fail_connect(h, errno);
	/* Interrupted, a unix socket is as it was before. */
	do
		r = connect(h->fd, (const struct sockaddr *)&sun, sizeof(sun));
	while (r != 0 && errno == EINTR);
	if (r == 0)
		return 0;
	r = fail_connect(h, errno);
	lib_hang_up(h);
	return r;
}

static int
add_welcome(void *arg, const Vfiobroker__Reply *reply, int *fds, size_t nfds)
{
	struct vfiobroker *h = arg;
	const Vfiobroker__Welcome *w = reply->welcome;

	(void)fds; /* none */
	if (reply->body_case != VFIOBROKER__REPLY__BODY_WELCOME || nfds != 0 ||
	    h->broker != NULL || w->version != PROTO_VERSION)
		return -EPROTO;
	h->broker = strdup(w->broker);
	if (h->broker == NULL)
		return -ENOMEM;
	h->welcome = (struct vfiobroker_welcome){
		.version = w->version,
		.broker = h->broker,
		.uid = w->uid,
		.pid = (pid_t)w->pid,
		.admin = w->admin,
		.vfio = w->vfio,
		.backend_group = w->backend_group,
		.backend_iommufd = w->backend_iommufd,
	};
	return 0;
}

static int
open_hello(struct vfiobroker *h)
{
	const struct lib_items items = { add_welcome, h };
	Vfiobroker__Request req;
	Vfiobroker__Hello hello;
	int r;

	vfiobroker__request__init(&req);
	vfiobroker__hello__init(&hello);
	hello.version = PROTO_VERSION;
	req.op_case = VFIOBROKER__REQUEST__OP_HELLO;
	req.hello = &hello;
	r = lib_call(h, &req, -1, &items);
	if (r == 0 && h->broker == NULL)
		return lib_fail_protocol(h, "no welcome");
	return r;
}

void
lib_hang_up(struct vfiobroker *h)
{
	/* Nothing is buffered here that closing could lose. */
	if (h->fd >= 0)
		(void)close(h->fd);
	h->fd = -1;
}

int
vfiobroker_open(struct vfiobroker **out, const char *path)
{
	struct vfiobroker *h = calloc(1, sizeof(*h));
	int r;

	*out = h;
	if (h == NULL)
		return -ENOMEM;
	h->fd = -1;
	if (path == NULL)
		path = secure_getenv("VFIOBROKER_SOCKET");
	if (path == NULL || *path == '\0')
		path = VFIOBROKER_SOCKET;
	h->path = strdup(path);
	if (h->path == NULL) {
		h->nomem = true;
		return -ENOMEM;
	}
	r = open_connect(h);
	return r != 0 ? r : open_hello(h);
}

void
vfiobroker_close(struct vfiobroker *h)
{
	if (h == NULL)
		return;
	lib_hang_up(h);
	lib_error_clear(h);
	lib_texts_clear(h);
	free(h->events);
	free(h->broker);
	free(h->path);
	free(h);
}

int
vfiobroker_fd(const struct vfiobroker *h)
{
	return h->fd;
}

const struct vfiobroker_welcome *
vfiobroker_welcome(const struct vfiobroker *h)
{
	return &h->welcome;
}
