/* SPDX-License-Identifier: ISC */
/*
 * Sending and receiving packets with descriptors.  Called by the monitor, the
 * session and the library for every packet.  Must never lose an fd: each one
 * that the kernel installs here is handed to the caller or closed.
 */

#include "fdpass.h"

#include <sys/socket.h>
#include <sys/uio.h>

#include <errno.h>
#include <string.h>
#include <unistd.h>

union control {
	struct cmsghdr align;
	char buf[CMSG_SPACE(sizeof(int) * FDPASS_MAX_FDS)];
};

static void
control_set(struct msghdr *m, union control *c, const int *fds, size_t nfds)
{
	struct cmsghdr *cm = &c->align;

	memset(c, 0, sizeof(*c));
	m->msg_control = c->buf;
	m->msg_controllen = CMSG_SPACE(sizeof(int) * nfds);
	cm->cmsg_level = SOL_SOCKET;
	cm->cmsg_type = SCM_RIGHTS;
	cm->cmsg_len = CMSG_LEN(sizeof(int) * nfds);
	memcpy(CMSG_DATA(cm), fds, sizeof(int) * nfds);
}

int
fdpass_send(
    int sockfd, const void *buf, size_t len, const int *fds, size_t nfds)
{
	/* iov_base is not const; sendmsg only reads it. */
	struct iovec iov = { .iov_len = len };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1 };
	union control c;
	ssize_t n;

	if (len == 0 || nfds > FDPASS_MAX_FDS)
		return -EINVAL;
	memcpy(&iov.iov_base, &buf, sizeof(buf));
	if (nfds > 0)
		control_set(&m, &c, fds, nfds);
	do
		n = sendmsg(sockfd, &m, MSG_NOSIGNAL | MSG_DONTWAIT);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	return (size_t)n == len ? 0 : -EMSGSIZE;
}

void
fdpass_close(int *fds, size_t nfds)
{
	for (size_t i = 0; i < nfds; i++) {
		/* The copy that counts has been sent, or nobody gets one. */
		if (fds[i] >= 0)
			(void)close(fds[i]);
		fds[i] = -1;
	}
}

/* Moves every fd in the control data to fds, which has room for all. */
static size_t
control_get(struct msghdr *m, int *fds)
{
	size_t got = 0;

	for (struct cmsghdr *cm = CMSG_FIRSTHDR(m); cm != NULL;
	     cm = CMSG_NXTHDR(m, cm)) {
		size_t n;

		if (cm->cmsg_level != SOL_SOCKET || cm->cmsg_type != SCM_RIGHTS)
			continue;
		n = (cm->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		memcpy(fds + got, CMSG_DATA(cm), n * sizeof(int));
		got += n;
	}
	return got;
}

ssize_t
fdpass_recv(
    int sockfd, void *buf, size_t len, int *fds, size_t *nfds, int flags)
{
	size_t room = nfds != NULL ? *nfds : 0, got = 0;
	struct iovec iov = { .iov_base = buf, .iov_len = len };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1 };
	union control c;
	ssize_t n;

	if (room > FDPASS_MAX_FDS)
		return -EINVAL;
	for (size_t i = 0; i < room; i++)
		fds[i] = -1;
	if (nfds != NULL)
		*nfds = 0;
	memset(&c, 0, sizeof(c));
	do {
		/*
		 * CMSG_LEN, not CMSG_SPACE: the padding of CMSG_SPACE would
		 * let the kernel install one fd more than asked for.  So at
		 * most room fds come, and any other is dropped by the kernel
		 * and shows as MSG_CTRUNC.
		 */
		m.msg_control = room > 0 ? c.buf : NULL;
		m.msg_controllen = room > 0 ? CMSG_LEN(sizeof(int) * room) : 0;
		n = recvmsg(sockfd, &m, flags | MSG_CMSG_CLOEXEC);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	if (room > 0)
		got = control_get(&m, fds);
	if (n > 0 && (m.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) == 0) {
		if (nfds != NULL)
			*nfds = got;
		return n;
	}
	fdpass_close(fds, got);
	if ((m.msg_flags & MSG_CTRUNC) != 0)
		return -EPROTO;
	return (m.msg_flags & MSG_TRUNC) != 0 ? -EMSGSIZE : 0;
}
