/* SPDX-License-Identifier: ISC */
/*
 * The supervisor's loop.  Runs in the supervisor until the program is gone.
 *
 * What a path says chooses among the descriptors of one lease and can do no
 * more, so a program that changes the path under our eyes gains nothing.
 * Everything else is answered with "go on", and opens what the program may
 * open anyway.  A node that is not in hand is fetched by a child, because the
 * broker may take seconds and the program's other threads must not wait.
 */

#include "notify.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include "answer.h"
#include "fdlist.h"
#include "say.h"
#include "tracee.h"

#ifndef SECCOMP_IOCTL_NOTIF_SET_FLAGS
#define SECCOMP_IOCTL_NOTIF_SET_FLAGS SECCOMP_IOW(4, __u64)
#define SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP (1UL << 0)
#endif

/* No spelling of a node that programs use is longer. */
#define NOTIFY_PATH_MAX 256
#define NOTIFY_LATE_MAX 8

/* A child that fetches a node for the open that waits under this id. */
struct late_child {
	pid_t pid; /* 0: free */
	int pidfd;
	uint64_t id;
};

struct server {
	struct supervision *s;
	int listenerfd;
	int programfd; /* pidfd; -1 when it has ended */
	int giftfd[2]; /* from the children to us */
	bool told_unreadable;
	struct late_child late[NOTIFY_LATE_MAX];
};

/* One open(2), as far as it matters. */
struct request {
	uint64_t id;
	pid_t pid;
	int dirfd;
	uint64_t path;
	uint64_t flags;
};

/* ---- what is asked ---------------------------------------------------- */

static int
request_decode(const struct seccomp_notif *n, struct request *r)
{
	const __u64 *a = n->data.args;

	*r = (struct request){ .id = n->id,
		.pid = (pid_t)n->pid,
		.dirfd = (int)a[0],
		.path = a[1],
		.flags = a[2] };
#ifdef __NR_open
	if (n->data.nr == __NR_open) {
		r->dirfd = AT_FDCWD;
		r->path = a[0];
		r->flags = a[1];
	}
#endif
	if (n->data.nr == __NR_openat2)
		return tracee_read(r->pid,
		    a[2] + offsetof(struct open_how, flags), &r->flags,
		    sizeof(r->flags));
	return 0;
}

/* A program that cannot be read opens everything by itself. */
static void
tell_unreadable(struct server *v, pid_t pid)
{
	if (v->told_unreadable)
		return;
	v->told_unreadable = true;
	say("cannot read the memory of process %d: its VFIO nodes can not be "
	    "handed over\n"
	    "  with kernel.yama.ptrace_scope=1 only the first process can be "
	    "served, not what it forks (-daemonize)",
	    (int)pid);
}

static struct node
request_node(struct server *v, const struct request *r)
{
	static const struct node none = { .kind = NODE_NONE, .number = -1 };
	char path[NOTIFY_PATH_MAX], whole[2 * NOTIFY_PATH_MAX];
	char dir[NOTIFY_PATH_MAX];
	int e = tracee_read_string(r->pid, r->path, path, sizeof(path));

	if (e == -EPERM)
		tell_unreadable(v, r->pid);
	if (e != 0)
		return none;
	if (path[0] == '/')
		return node_of_path(v->s->dir, path);
	if (!node_is_possible(path) ||
	    tracee_directory(r->pid, r->dirfd, dir, sizeof(dir)) != 0)
		return none;
	snprintf(whole, sizeof(whole), "%s/%s", dir, path);
	return node_of_path(v->s->dir, whole);
}

/* ---- nodes that are fetched ------------------------------------------- */

static void __attribute__((noreturn))
late_main(struct server *v, const struct request *r, const struct node *node)
{
	struct late_nodes got = { .fd = -1, .containerfd = -1 };
	int e;

	/* The descriptors that others wait for are not this child's. */
	supervise_drop(v->s);
	e = v->s->late(v->s->lease, node, &got);
	/* Before the answer, so that it is there when the program goes on. */
	if (got.containerfd != -1)
		fdlist_send(v->giftfd[1], got.containerfd);
	if (e != 0)
		answer_error(v->listenerfd, r->id, -e);
	else if (got.fd == -1)
		answer_continue(v->listenerfd, r->id);
	else
		answer_open(
		    v->listenerfd, r->id, got.fd, !!(r->flags & O_CLOEXEC));
	_exit(0);
}

/* A container that came with a late group, for whoever opens one next. */
static void
late_gift(struct server *v)
{
	struct supervised_node *n = NULL;
	int fd = -1;

	if (fdlist_receive(v->giftfd[0], &fd) != 0)
		return;
	for (size_t i = 0; i < v->s->nnodes && n == NULL; i++)
		if (v->s->nodes[i].node.kind == NODE_CONTAINER)
			n = &v->s->nodes[i];
	if (n != NULL && n->fd == -1)
		n->fd = fd;
	else
		close(fd);
}

static void
late_start(struct server *v, const struct request *r, const struct node *node)
{
	struct late_child *child = NULL;
	pid_t pid;

	for (size_t i = 0; i < NOTIFY_LATE_MAX; i++)
		if (v->late[i].pid == 0)
			child = &v->late[i];
	pid = child == NULL ? -1 : fork();
	if (pid == -1) {
		answer_error(v->listenerfd, r->id, EBUSY);
		return;
	}
	if (pid == 0)
		late_main(v, r, node);
	*child = (struct late_child){
		.pid = pid, .pidfd = pidfd_open(pid, 0), .id = r->id
	};
}

/* A child that crashed has not answered; the program must not hang. */
static void
late_end(struct server *v, struct late_child *child)
{
	int status = 0;

	waitpid(child->pid, &status, 0);
	if (status != 0)
		answer_error(v->listenerfd, child->id, EIO);
	close(child->pidfd);
	child->pid = 0;
}

static void
late_kill_all(struct server *v)
{
	for (size_t i = 0; i < NOTIFY_LATE_MAX; i++)
		if (v->late[i].pid != 0)
			kill(v->late[i].pid, SIGKILL);
}

/* ---- answering -------------------------------------------------------- */

/* Where a node's descriptor is, if it is in hand. */
static int *
node_slot(struct supervision *s, const struct node *node)
{
	for (size_t i = 0; i < s->nnodes; i++)
		if (s->nodes[i].node.kind == node->kind &&
		    s->nodes[i].node.number == node->number &&
		    s->nodes[i].fd != -1)
			return &s->nodes[i].fd;
	return NULL;
}

static void
hand_over(struct server *v, const struct request *r, int *slot)
{
	if (answer_open(
		v->listenerfd, r->id, *slot, !!(r->flags & O_CLOEXEC)) == 0) {
		close(*slot);
		*slot = -1;
	}
}

static bool
still_valid(const struct server *v, uint64_t id)
{
	return ioctl(v->listenerfd, SECCOMP_IOCTL_NOTIF_ID_VALID, &id) == 0;
}

static void
serve_request(struct server *v, const struct seccomp_notif *n)
{
	struct node node = { .kind = NODE_NONE };
	struct request r;
	int *slot;

	if (request_decode(n, &r) == 0 && (r.flags & O_PATH) == 0)
		node = request_node(v, &r);
	if (node.kind == NODE_NONE) {
		answer_continue(v->listenerfd, n->id);
		return;
	}
	/* The pid was still the asker's when its memory was read. */
	if (!still_valid(v, r.id))
		return;
	slot = node_slot(v->s, &node);
	if (slot != NULL)
		hand_over(v, &r, slot);
	else
		late_start(v, &r, &node);
}

static int
receive_request(struct server *v, struct seccomp_notif *n, size_t size)
{
	memset(n, 0, size);
	if (ioctl(v->listenerfd, SECCOMP_IOCTL_NOTIF_RECV, n) == 0) {
		serve_request(v, n);
		return 0;
	}
	/* The asker was killed in the meantime. */
	return errno == ENOENT || errno == EINTR ? 0 : -errno;
}

/* ---- the loop --------------------------------------------------------- */

/*
 * The process that was started has ended, others live on under the filter: it
 * went into the background.  Whoever reads its stderr waits for our copy too.
 */
static void
program_ended(struct server *v)
{
	int nullfd = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (nullfd != -1) {
		dup2(nullfd, STDERR_FILENO);
		close(nullfd);
	}
	close(v->programfd);
	v->programfd = -1;
}

static void
late_poll(const struct server *v, struct pollfd *p)
{
	for (size_t i = 0; i < NOTIFY_LATE_MAX; i++) {
		p[i].fd = v->late[i].pid != 0 ? v->late[i].pidfd : -1;
		p[i].events = POLLIN;
	}
}

static int
serve_once(struct server *v, struct seccomp_notif *n, size_t size)
{
	struct pollfd p[3 + NOTIFY_LATE_MAX] = {
		{ .fd = v->listenerfd, .events = POLLIN },
		{ .fd = v->programfd, .events = POLLIN },
		{ .fd = v->giftfd[0], .events = POLLIN },
	};

	late_poll(v, p + 3);
	if (poll(p, sizeof(p) / sizeof(p[0]), -1) == -1)
		return errno == EINTR ? 0 : -errno;
	for (size_t i = 0; i < NOTIFY_LATE_MAX; i++)
		if (p[3 + i].revents != 0)
			late_end(v, &v->late[i]);
	if (p[2].revents != 0)
		late_gift(v);
	if (p[1].revents != 0)
		program_ended(v);
	if (p[0].revents & POLLIN)
		return receive_request(v, n, size);
	return p[0].revents != 0 ? 1 : 0; /* POLLHUP: no task is left */
}

/* The kernel's struct may be larger than the one we were built with. */
static size_t
notif_size(void)
{
	struct seccomp_notif_sizes sizes = { 0 };

	syscall(SYS_seccomp, SECCOMP_GET_NOTIF_SIZES, 0, &sizes);
	return sizes.seccomp_notif > sizeof(struct seccomp_notif)
		   ? sizes.seccomp_notif
		   : sizeof(struct seccomp_notif);
}

int
notify_serve(struct supervision *s, int listenerfd, int programfd)
{
	struct server v = {
		.s = s, .listenerfd = listenerfd, .programfd = programfd
	};
	size_t size = notif_size();
	struct seccomp_notif *n = malloc(size);
	int r = 0;

	if (n == NULL || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0,
			     v.giftfd) != 0) {
		free(n);
		return say_oserr(errno, "the supervisor cannot start");
	}
	/* Linux 6.6: hand the CPU over with the answer; else no harm. */
	ioctl(listenerfd, SECCOMP_IOCTL_NOTIF_SET_FLAGS,
	    SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP);
	while (r == 0)
		r = serve_once(&v, n, size);
	late_kill_all(&v);
	free(n);
	if (r < 0)
		return say_oserr(-r, "the supervisor cannot go on");
	return EX_OK;
}
