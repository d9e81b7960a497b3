/* SPDX-License-Identifier: ISC */
#ifndef VFIOBROKER_TESTS_SUPERVISED_H
#define VFIOBROKER_TESTS_SUPERVISED_H

/*
 * The supervisor for real, without VFIO: memfds stand for the nodes.  Each
 * test forks a "program" that goes under a supervisor and does system calls;
 * it exits with 0, or with the number of the line that went wrong.
 */

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "client/cmd/supervise.h"

/* In a program: ends it with the line's number (exit statuses are bytes). */
#define EXPECT(e)                                                      \
	do {                                                           \
		if (!(e)) {                                            \
			dprintf(2, "%s:%d: %s (errno %d)\n", __FILE__, \
			    __LINE__, #e, errno);                      \
			return 1;                                      \
		}                                                      \
	} while (0)

/* ---- the nodes -------------------------------------------------------- */

static inline int
late(uint64_t lease, const struct node *node, struct late_nodes *out)
{
	if (lease != 42)
		return -EPERM;
	if (node->kind != NODE_GROUP)
		return 0;
	switch (node->number) {
	case 11:
		out->fd = memfd_create("late", MFD_CLOEXEC);
		return 0;
	case 12:
		return -EACCES;
	case 13:
		/* Not abort(): a core file is of no use. */
		raise(SIGKILL);
		return 0;
	case 15:
		sleep(1);
		out->fd = memfd_create("slow", MFD_CLOEXEC);
		return 0;
	case 16:
		out->fd = memfd_create("sixteen", MFD_CLOEXEC);
		out->containerfd = memfd_create("gift", MFD_CLOEXEC);
		return 0;
	default:
		return 0;
	}
}

/* The end of a pipe whose other end is group 10's node. */
static int pipefd = -1;

static inline int
make_pipe(void)
{
	int p[2];

	if (pipe2(p, O_CLOEXEC) != 0)
		return -1;
	pipefd = p[0];
	return p[1];
}

static inline int
go_under(void)
{
	struct supervision s = { .dir = "/dev",
		.lease = 42,
		.nnodes = 6,
		.nodes = { { { NODE_CONTAINER, -1 },
			       memfd_create("container", MFD_CLOEXEC) },
		    { { NODE_GROUP, 7 }, memfd_create("seven", MFD_CLOEXEC) },
		    { { NODE_GROUP, 9 }, memfd_create("nine", MFD_CLOEXEC) },
		    { { NODE_GROUP, 10 }, make_pipe() },
		    { { NODE_IOMMUFD, -1 },
			memfd_create("iommufd", MFD_CLOEXEC) },
		    { { NODE_CDEV, 7 }, memfd_create("cdev", MFD_CLOEXEC) } },
		.late = late };

	return supervise_start(&s);
}

/* Whether fd is the memfd of this name. */
static inline int
is_memfd(int fd, const char *name)
{
	char path[64], link[128] = "", want[128];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	snprintf(want, sizeof(want), "/memfd:%s (deleted)", name);
	if (readlink(path, link, sizeof(link) - 1) < 0)
		return 0;
	return strcmp(link, want) == 0;
}

/* ---- programs and their supervisors ----------------------------------- */

struct run {
	pid_t pid;
	int errfd; /* ends when program and supervisor have both ended */
	char errors[4096];
};

static inline void
start(struct run *r, int (*program)(void))
{
	int p[2];

	ck_assert_int_eq(pipe2(p, O_CLOEXEC), 0);
	r->pid = fork();
	if (r->pid == 0) {
		setpgid(0, 0);
		/* Check's own handlers are not a program's. */
		signal(SIGINT, SIG_DFL);
		signal(SIGTERM, SIG_DFL);
		signal(SIGHUP, SIG_DFL); /* ignored below nohup */
		dup2(p[1], STDERR_FILENO);
		close(p[0]);
		close(p[1]);
		if (go_under() != EX_OK)
			_exit(99);
		_exit(program());
	}
	ck_assert_int_gt(r->pid, 0);
	close(p[1]);
	r->errfd = p[0];
}

/* Waits for program and supervisor; returns the program's wait status. */
static inline int
finish(struct run *r)
{
	struct pollfd p = { .fd = r->errfd, .events = POLLIN };
	size_t len = 0;
	ssize_t n = 1;
	int status;

	ck_assert_int_eq(waitpid(r->pid, &status, 0), r->pid);
	while (n > 0) {
		/* The supervisor goes with the program. */
		ck_assert_int_eq(poll(&p, 1, 3000), 1);
		n = read(
		    r->errfd, r->errors + len, sizeof(r->errors) - 1 - len);
		if (n > 0)
			len += (size_t)n;
	}
	r->errors[len] = '\0';
	close(r->errfd);
	return status;
}

static inline double
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* The program of tests that are about something else. */
static inline int
plain_opens(void)
{
	int fd = open("/dev/vfio/7", O_RDWR);

	EXPECT(is_memfd(fd, "seven"));
	EXPECT(fcntl(fd, F_GETFD) == 0);
	fd = open("/dev/vfio/9", O_RDWR | O_CLOEXEC);
	EXPECT(is_memfd(fd, "nine"));
	EXPECT(fcntl(fd, F_GETFD) == FD_CLOEXEC);
	fd = open("/dev/vfio/vfio", O_RDWR | O_NONBLOCK);
	EXPECT(is_memfd(fd, "container"));
	return 0;
}

#define COUNT(a) ((int)(sizeof(a) / sizeof((a)[0])))

#endif
