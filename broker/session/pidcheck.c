/* SPDX-License-Identifier: ISC */
/* See pidcheck.h.  Called by serve.c for each fd of a client. */

#include "pidcheck.h"

#include <sys/syscall.h>

#include <errno.h>
#include <stddef.h>
#include <unistd.h>

/*
 * Signal 0 is sent to nobody, but says EBADF for what names no process.  It
 * takes a directory of /proc too (since 5.1), which read(2) tells: EISDIR.
 */
bool
pidcheck(int fd)
{
	char byte;

	if (syscall(SYS_pidfd_send_signal, fd, 0, NULL, 0) == -1 &&
	    errno == EBADF)
		return false;
	return read(fd, &byte, 1) == -1 && errno == EINVAL;
}
