/* SPDX-License-Identifier: ISC */
/*
 * Names the processes that keep a device from coming home, for the log and
 * for `status`.  Runs in a worker, since /proc can be large; what it finds is
 * for people and decides nothing.  Device fds are anonymous inodes that do
 * not say which device they are of: they count only when nobody has the
 * group's node.
 */

#include "holders.h"

#include "config.h"
#include "sysfs.h"
#include "vfio.h"

#include <bsd/string.h>

#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define NODE_MAX 256

void
process_name(int pid, char *buf, size_t len)
{
	char path[64];
	ssize_t n = -1;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/comm", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd != -1) {
		n = read(fd, buf, len - 1);
		close(fd);
	}
	if (n <= 0) {
		strlcpy(buf, "?", len);
		return;
	}
	buf[n] = '\0';
	buf[strcspn(buf, "\n")] = '\0';
	/* A process chooses its name: no control bytes into logs. */
	for (char *c = buf; *c != '\0'; c++) {
		if (!isascii((unsigned char)*c) || !isprint((unsigned char)*c))
			*c = '?';
	}
}

static int
has_open(int procfd, int pid, const char *node)
{
	char path[32], target[NODE_MAX];
	struct dirent *e;
	int fd, found = 0;
	DIR *dir;

	snprintf(path, sizeof(path), "%d/fd", pid);
	fd = openat(procfd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	dir = fd == -1 ? NULL : fdopendir(fd);
	if (dir == NULL) {
		if (fd != -1)
			close(fd);
		return 0;
	}
	while (!found && (e = readdir(dir)) != NULL) {
		ssize_t n =
		    readlinkat(fd, e->d_name, target, sizeof(target) - 1);

		if (n <= 0)
			continue;
		target[n] = '\0';
		found = strcmp(target, node) == 0;
	}
	closedir(dir);
	return found;
}

static void
add_holder(int procfd, int pid, char *buf, size_t len)
{
	char one[96], comm[32], dir[16];
	struct stat st;

	snprintf(dir, sizeof(dir), "%d", pid);
	if (fstatat(procfd, dir, &st, 0) == -1)
		return;
	process_name(pid, comm, sizeof(comm));
	snprintf(one, sizeof(one), "%spid %d (%s), uid %u",
	    buf[0] == '\0' ? "" : "; ", pid, comm, (unsigned)st.st_uid);
	/* Truncation is fine: the first holders are named. */
	(void)strlcat(buf, one, len);
}

static void
holders_of(const char *node, char *buf, size_t len)
{
	DIR *proc = opendir("/proc");
	struct dirent *e;
	int pid;

	buf[0] = '\0';
	if (proc == NULL)
		return;
	while ((e = readdir(proc)) != NULL) {
		pid = atoi(e->d_name);
		if (pid > 0 && has_open(dirfd(proc), pid, node))
			add_holder(dirfd(proc), pid, buf, len);
	}
	closedir(proc);
}

void
holders_of_group(int group, char *buf, size_t len)
{
	char node[NODE_MAX];

	snprintf(node, sizeof(node), "%s/dev/vfio/%d", config.sysroot, group);
	holders_of(node, buf, len);
	if (buf[0] == '\0')
		holders_of("anon_inode:[vfio-device]", buf, len);
}

void
holders_of_cdev(const struct bdf *bdf, char *buf, size_t len)
{
	char name[SYSFS_NAME_MAX], node[NODE_MAX];
	dev_t number;

	buf[0] = '\0';
	if (sysfs_cdev(bdf, name, &number) != 0)
		return;
	snprintf(
	    node, sizeof(node), "%s" VFIO_CDEV_DIR "/%s", config.sysroot, name);
	holders_of(node, buf, len);
}
