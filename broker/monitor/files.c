/* SPDX-License-Identifier: ISC */
/*
 * See files.h.  Called for /sys, /proc and the run directory.  Must never take a
 * part of a file for the whole.
 */

#include "files.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

ssize_t
file_read(int fd, char *buf, size_t len)
{
	ssize_t n;

	buf[0] = '\0';
	if (fd == -1)
		return -errno;
	n = read(fd, buf, len);
	if (n == -1)
		n = -errno;
	else if ((size_t)n == len)
		n = -EFBIG;
	close(fd);
	buf[n < 0 ? 0 : n] = '\0';
	return n;
}

int
file_line(int dirfd, const char *name, char *buf, size_t len)
{
	int fd = openat(dirfd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	ssize_t n = file_read(fd, buf, len);

	buf[strcspn(buf, "\n")] = '\0';
	return n < 0 ? (int)n : 0;
}

int
file_write(int fd, const char *text, size_t len)
{
	ssize_t n;
	int r = 0;

	if (fd == -1)
		return -errno;
	n = write(fd, text, len);
	if (n != (ssize_t)len)
		r = n == -1 ? -errno : -ENOSPC;
	close(fd);
	return r;
}

DIR *
dir_at(int dirfd, const char *name)
{
	int fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd == -1 ? NULL : fdopendir(fd);

	if (dir == NULL && fd != -1)
		close(fd);
	return dir;
}
