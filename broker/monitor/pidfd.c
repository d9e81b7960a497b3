/* SPDX-License-Identifier: ISC */
/* See pidfd.h. */

#include "pidfd.h"

#include "broker/common/log.h"
#include "files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

bool
pidfd_is(int fd)
{
	char path[32], target[64];
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	n = readlink(path, target, sizeof(target) - 1);
	if (n <= 0)
		return false;
	target[n] = '\0';
	/* An anonymous inode until 6.8, pidfs since. */
	return strcmp(target, "anon_inode:[pidfd]") == 0 ||
	       strncmp(target, "pidfd:[", 7) == 0;
}

pid_t
pidfd_pid(int fd)
{
	char path[48], text[1024], *pid;
	long n;

	if (!pidfd_is(fd))
		return -EBADF;
	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	(void)file_read(
	    open(path, O_RDONLY | O_CLOEXEC), text, sizeof(text)); /* or "" */
	pid = strstr(text, "\nPid:");
	if (pid == NULL)
		return -EBADF;
	n = strtol(pid + 5, NULL, 10);
	return n > 0 ? (pid_t)n : -ESRCH; /* -1: it is gone */
}

int
process_owner(pid_t pid, uid_t *uid)
{
	char path[32];
	struct stat st;

	snprintf(path, sizeof(path), "/proc/%d", pid);
	if (stat(path, &st) == -1)
		return -ESRCH;
	*uid = st.st_uid;
	return 0;
}

void
pidfd_discard(int *fd)
{
	if (*fd != -1) {
		if (pidfd_is(*fd))
			close(*fd);
		else
			log_warn(
			    "fd %d from a session is no pidfd: left open", *fd);
	}
	*fd = -1;
}
