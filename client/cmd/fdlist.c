/* SPDX-License-Identifier: ISC */
/* The supervisor's housekeeping of descriptors.  Called by supervise.c. */

#include "fdlist.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

void
fdlist_add(struct fdlist *list, int fd)
{
	if (fd != -1)
		list->v[list->n++] = fd;
}

static int
compare_ints(const void *a, const void *b)
{
	int x = *(const int *)a, y = *(const int *)b;

	return (x > y) - (x < y);
}

int
fdlist_close_others(struct fdlist *list)
{
	unsigned next = 0;

	qsort(list->v, list->n, sizeof(list->v[0]), compare_ints);
	for (size_t i = 0; i < list->n; i++) {
		unsigned keep = (unsigned)list->v[i];

		if (keep > next && close_range(next, keep - 1, 0) != 0)
			return -errno;
		next = keep + 1;
	}
	return close_range(next, ~0U, 0) == 0 ? 0 : -errno;
}

union fd_control {
	struct cmsghdr align;
	char buf[CMSG_SPACE(sizeof(int))];
};

int
fdlist_send(int socketfd, int fd)
{
	char byte = 0;
	struct iovec iov = { .iov_base = &byte, .iov_len = 1 };
	union fd_control control;
	struct msghdr msg = { .msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.buf,
		.msg_controllen = sizeof(control.buf) };
	struct cmsghdr *c = &control.align;

	memset(&control, 0, sizeof(control));
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &fd, sizeof(fd));
	return sendmsg(socketfd, &msg, MSG_NOSIGNAL) == 1 ? 0 : -errno;
}

int
fdlist_receive(int socketfd, int *fd)
{
	char byte;
	struct iovec iov = { .iov_base = &byte, .iov_len = 1 };
	union fd_control control;
	struct msghdr msg = { .msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.buf,
		.msg_controllen = sizeof(control.buf) };
	struct cmsghdr *c = &control.align;
	ssize_t n;

	do
		n = recvmsg(socketfd, &msg, MSG_CMSG_CLOEXEC);
	while (n == -1 && errno == EINTR);
	if (n < 0)
		return -errno;
	if (n != 1 || msg.msg_controllen < CMSG_LEN(sizeof(int)) ||
	    c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
		return -EPROTO;
	memcpy(fd, CMSG_DATA(c), sizeof(*fd));
	return 0;
}
