/* SPDX-License-Identifier: ISC */
/*
 * Files below /run/vfiobroker.  Nobody but root can enter its directories, so
 * names in them can be trusted to be ours or a root's mistake; contents are
 * still parsed strictly.
 *
 * The lock file is never closed: POSIX locks go with the first close of any fd
 * of the file.  They are used for just that reason: the kernel tells the pid
 * of the holder, and they end with the process however it ends.
 */

#include "rundir.h"

#include "fault.h"
#include "files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define TMP_PREFIX ".new-"

static const struct {
	const char *name;
	mode_t mode;
} dirs[RUNDIR_COUNT] = {
	[RUNDIR_DEVICES] = { "devices", 0700 },
	[RUNDIR_LEASES] = { "leases", 0700 },
	[RUNDIR_EMPTY] = { "empty", 0755 },
};

static int dirfds[RUNDIR_COUNT] = { -1, -1, -1 };
static char paths[RUNDIR_COUNT][PATH_MAX];
static int lockfd = -1;

static int
dir_open(int basefd, const char *base, enum rundir d)
{
	int n =
	    snprintf(paths[d], sizeof(paths[d]), "%s/%s", base, dirs[d].name);

	if (n < 0 || (size_t)n >= sizeof(paths[d]))
		return -ENAMETOOLONG;
	if (mkdirat(basefd, dirs[d].name, dirs[d].mode) == -1 &&
	    errno != EEXIST)
		return -errno;
	dirfds[d] = openat(basefd, dirs[d].name,
	    O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (dirfds[d] == -1)
		return -errno;
	if (fchown(dirfds[d], 0, 0) == -1 && geteuid() == 0)
		return -errno;
	return fchmod(dirfds[d], dirs[d].mode) == -1 ? -errno : 0;
}

static int
lock_byte(off_t start, int cmd, struct flock *fl)
{
	*fl = (struct flock){ .l_type = F_WRLCK,
		.l_whence = SEEK_SET,
		.l_start = start,
		.l_len = 1 };
	return fcntl(lockfd, cmd, fl) == -1 ? -errno : 0;
}

static int
lock_open(int basefd)
{
	struct flock fl;

	lockfd = openat(basefd, "lock", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (lockfd == -1)
		return -errno;
	return lock_byte(0, F_SETLK, &fl) != 0 ? -EBUSY : 0;
}

int
rundir_open(const char *path)
{
	int basefd, r = 0;

	if (mkdir(path, 0755) == -1 && errno != EEXIST)
		return -errno;
	basefd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (basefd == -1)
		return -errno;
	for (enum rundir d = 0; r == 0 && d < RUNDIR_COUNT; d++)
		r = dir_open(basefd, path, d);
	if (r == 0)
		r = lock_open(basefd);
	close(basefd);
	return r;
}

const char *
rundir_path(enum rundir d)
{
	return paths[d];
}

int
rundir_dirfd(enum rundir d)
{
	return dirfds[d];
}

int
rundir_replace(enum rundir d, const char *name, const char *text, size_t len)
{
	char tmp[NAME_MAX];
	int fd, r;

	snprintf(tmp, sizeof(tmp), TMP_PREFIX "%s", name);
	fd = openat(
	    dirfds[d], tmp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	r = file_write(fd, text, len);
	FAULT("replace:written");
	if (r == 0 && renameat(dirfds[d], tmp, dirfds[d], name) == -1)
		r = -errno;
	if (r != 0)
		unlinkat(dirfds[d], tmp, 0);
	return r;
}

ssize_t
rundir_read(enum rundir d, const char *name, char *buf, size_t len)
{
	/* Not to wait for ever at a fifo. */
	int fd = openat(
	    dirfds[d], name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);

	return file_read(fd, buf, len);
}

int
rundir_remove(enum rundir d, const char *name)
{
	return unlinkat(dirfds[d], name, 0) == -1 ? -errno : 0;
}

int
rundir_each(enum rundir d, void (*each)(void *, const char *), void *arg)
{
	DIR *dir = dir_at(dirfds[d], ".");
	struct dirent *e;

	if (dir == NULL)
		return -errno;
	while ((e = readdir(dir)) != NULL) {
		if (strncmp(e->d_name, TMP_PREFIX, strlen(TMP_PREFIX)) == 0)
			unlinkat(dirfds[d], e->d_name, 0);
		else if (e->d_name[0] != '.')
			each(arg, e->d_name);
	}
	closedir(dir);
	return 0;
}

size_t
rundir_fds(int fds[RUNDIR_FDS_MAX])
{
	size_t n = 0;

	for (enum rundir d = 0; d < RUNDIR_COUNT; d++)
		fds[n++] = dirfds[d];
	fds[n++] = lockfd;
	return n;
}

/* Byte 0 is the broker's own. */
static off_t
device_byte(const struct bdf *b)
{
	return 1 + (off_t)bdf_number(b);
}

int
rundir_mark_worker(const struct bdf *bdf)
{
	struct flock fl;

	return lock_byte(device_byte(bdf), F_SETLK, &fl);
}

pid_t
rundir_worker_of(const struct bdf *bdf)
{
	struct flock fl;

	if (lock_byte(device_byte(bdf), F_GETLK, &fl) != 0 ||
	    fl.l_type == F_UNLCK)
		return 0;
	return fl.l_pid;
}
