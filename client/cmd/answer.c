/* SPDX-License-Identifier: ISC */
/*
 * The ioctls that answer a notification.  Called by notify.c, also in the
 * children that fetch nodes.
 */

#include "answer.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <string.h>
#include <sys/ioctl.h>

static int
respond(int listenerfd, struct seccomp_notif_resp *resp)
{
	return ioctl(listenerfd, SECCOMP_IOCTL_NOTIF_SEND, resp) == 0 ? 0
								      : -errno;
}

int
answer_continue(int listenerfd, uint64_t id)
{
	struct seccomp_notif_resp resp = { .id = id,
		.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE };

	return respond(listenerfd, &resp);
}

int
answer_error(int listenerfd, uint64_t id, int err)
{
	struct seccomp_notif_resp resp = { .id = id, .error = -err };

	return respond(listenerfd, &resp);
}

static int
add_fd(int listenerfd, uint64_t id, int fd, int cloexec)
{
	struct seccomp_notif_addfd add = {
		.id = id,
		.flags = SECCOMP_ADDFD_FLAG_SEND,
		.srcfd = (uint32_t)fd,
		.newfd_flags = cloexec ? O_CLOEXEC : 0,
	};
	struct seccomp_notif_resp resp = { .id = id };
	int r = ioctl(listenerfd, SECCOMP_IOCTL_NOTIF_ADDFD, &add);

	if (r >= 0)
		return 0;
	if (errno != EINVAL)
		return -errno;
	/* Before Linux 5.14 adding and answering are two steps. */
	add.flags = 0;
	r = ioctl(listenerfd, SECCOMP_IOCTL_NOTIF_ADDFD, &add);
	if (r < 0)
		return -errno;
	resp.val = r;
	return respond(listenerfd, &resp);
}

int
answer_open(int listenerfd, uint64_t id, int fd, int cloexec)
{
	int r = add_fd(listenerfd, id, fd, cloexec);

	/* Such as EMFILE, which the program should see. */
	if (r != 0 && r != -ENOENT)
		answer_error(listenerfd, id, -r);
	return r;
}
