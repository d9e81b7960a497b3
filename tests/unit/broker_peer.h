/* SPDX-License-Identifier: ISC */
#ifndef VFIOBROKER_TEST_BROKER_PEER_H
#define VFIOBROKER_TEST_BROKER_PEER_H

/*
 * A broker for the library to talk to: a child that plays one connection by a
 * script.  What the script finds wrong shows as the child's exit status.
 */

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <check.h>

#include "vfiobroker.pb-c.h"

#include "../../broker/common/fdpass.h"
#include "../../client/vfiobroker.h"
#include "../../proto/limits.h"

static char broker_dir[] = "/tmp/lib-test.XXXXXX";
static struct sockaddr_un broker_addr = { .sun_family = AF_UNIX };
static pid_t broker;
static struct vfiobroker *h; /* closed by broker_teardown() */
static unsigned before; /* descriptors that were open when it was */

/* ---- in the child ----------------------------------------------------- */

#define MUST(x)                                                          \
	do {                                                             \
		if (!(x)) {                                              \
			fprintf(stderr, "%s:%d: broker: %s\n", __FILE__, \
			    __LINE__, #x);                               \
			_exit(1);                                        \
		}                                                        \
	} while (0)

/* NULL at the end of the connection. */
static inline Vfiobroker__Request *
broker_recv(int fd, int *fds, size_t *nfds)
{
	uint8_t buf[PROTO_MESSAGE_MAX];
	ssize_t n = fdpass_recv(fd, buf, sizeof(buf), fds, nfds, 0);
	Vfiobroker__Request *req;

	if (n == 0 || n == -ECONNRESET)
		return NULL;
	MUST(n > 0);
	req = vfiobroker__request__unpack(NULL, (size_t)n, buf);
	MUST(req != NULL);
	return req;
}

static inline void
broker_send(int fd, const Vfiobroker__Reply *reply, const int *fds, size_t nfds)
{
	uint8_t buf[2 * PROTO_MESSAGE_MAX];
	int r;

	MUST(vfiobroker__reply__get_packed_size(reply) <= sizeof(buf));
	r = fdpass_send(
	    fd, buf, vfiobroker__reply__pack(reply, buf), fds, nfds);
	MUST(r == 0 || r == -EPIPE); /* a client may have heard enough */
}

static inline void
broker_end(int fd, uint32_t id, int status)
{
	Vfiobroker__Reply reply;

	vfiobroker__reply__init(&reply);
	reply.id = id;
	reply.status = (Vfiobroker__Status)status;
	broker_send(fd, &reply, NULL, 0);
}

static inline void
broker_text(int fd, uint32_t id, int kind, const char *s, bool more)
{
	Vfiobroker__Reply reply;
	Vfiobroker__Text text, *list[1] = { &text };
	char copy[4096];

	vfiobroker__reply__init(&reply);
	vfiobroker__text__init(&text);
	snprintf(copy, sizeof(copy), "%s", s);
	text.kind = (Vfiobroker__Text__Kind)kind;
	text.text = copy;
	text.more = more;
	reply.id = id;
	reply.more = true;
	reply.n_texts = 1;
	reply.texts = list;
	broker_send(fd, &reply, NULL, 0);
}

static inline void
broker_welcome(int fd)
{
	Vfiobroker__Request *req = broker_recv(fd, NULL, NULL);
	Vfiobroker__Reply reply;
	Vfiobroker__Welcome w;
	char name[] = "a broker 1.0";

	MUST(req != NULL);
	MUST(req->op_case == VFIOBROKER__REQUEST__OP_HELLO);
	MUST(req->hello->version == PROTO_VERSION);
	MUST(req->id != 0);
	vfiobroker__reply__init(&reply);
	vfiobroker__welcome__init(&w);
	w.version = PROTO_VERSION;
	w.broker = name;
	w.uid = 1000;
	w.pid = 4711;
	w.admin = w.vfio = w.backend_group = true;
	reply.id = req->id;
	reply.body_case = VFIOBROKER__REPLY__BODY_WELCOME;
	reply.welcome = &w;
	broker_send(fd, &reply, NULL, 0);
	vfiobroker__request__free_unpacked(req, NULL);
}

/* Receives a request of an op and returns its id. */
static inline uint32_t
broker_expect(int fd, int op)
{
	Vfiobroker__Request *req = broker_recv(fd, NULL, NULL);
	uint32_t id;

	MUST(req != NULL);
	MUST((int)req->op_case == op);
	id = req->id;
	vfiobroker__request__free_unpacked(req, NULL);
	return id;
}

/* ---- in the test ------------------------------------------------------ */

static inline void
broker_setup(void)
{
	ck_assert_ptr_nonnull(mkdtemp(broker_dir));
	snprintf(broker_addr.sun_path, sizeof(broker_addr.sun_path), "%s/sock",
	    broker_dir);
}

/* Listens, and forks a child that plays the script for one connection. */
static inline void
broker_start(void (*script)(int fd))
{
	int fd, listenfd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	ck_assert_int_ge(listenfd, 0);
	ck_assert_int_eq(bind(listenfd, (const struct sockaddr *)&broker_addr,
			     sizeof(broker_addr)),
	    0);
	ck_assert_int_eq(listen(listenfd, 4), 0);
	broker = fork();
	ck_assert_int_ge(broker, 0);
	if (broker == 0) {
		alarm(20);
		fd = accept4(listenfd, NULL, NULL, SOCK_CLOEXEC);
		MUST(fd >= 0);
		close(listenfd);
		script(fd);
		_exit(0);
	}
	close(listenfd);
}

static inline unsigned
fd_count(void)
{
	DIR *d = opendir("/proc/self/fd");
	unsigned n = 0;

	ck_assert_ptr_nonnull(d);
	while (readdir(d) != NULL)
		n++;
	closedir(d);
	return n;
}

/* A handle that is connected to the script. */
static inline void
open_to(void (*script)(int))
{
	broker_start(script);
	ck_assert_int_eq(vfiobroker_open(&h, broker_addr.sun_path), 0);
	before = fd_count();
}

/* The script ran to its end and found nothing wrong. */
static inline void
broker_finish(void)
{
	int status;

	ck_assert_int_eq(waitpid(broker, &status, 0), broker);
	broker = 0;
	ck_assert_int_eq(status, 0);
}

static inline void
broker_teardown(void)
{
	vfiobroker_close(h);
	h = NULL;
	if (broker > 0) {
		kill(broker, SIGKILL);
		waitpid(broker, NULL, 0);
	}
	unlink(broker_addr.sun_path);
	rmdir(broker_dir);
}

#endif
