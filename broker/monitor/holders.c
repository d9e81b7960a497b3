/* SPDX-License-Identifier: ISC */
/*
 * Names the processes that keep a device from coming home, for the log and for
 * `status`.  Runs in a worker, since /proc can be large.  That nobody is found
 * proves nothing; but who is found with a cdev is not waited for in the kernel.
 * Device fds are anonymous inodes that do not say which device they are of: they
 * count only when nobody has the group's node.
 */

#include "holders.h"

#include "config.h"
#include "files.h"
#include "pidfd.h"
#include "sysfs.h"
#include "vfio.h"

#include <bsd/string.h>

#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#define NODE_MAX 256

void
process_name(int pid, char *buf, size_t len)
{
	char path[64], comm[80];
	int r;

	snprintf(path, sizeof(path), "/proc/%d/comm", pid);
	r = file_line(AT_FDCWD, path, comm, sizeof(comm));
	strlcpy(buf, r == 0 ? comm : "?", len);
	/* A process chooses its name: no control bytes into logs. */
	for (char *c = buf; *c != '\0'; c++) {
		if (!isascii((unsigned char)*c) || !isprint((unsigned char)*c))
			*c = '?';
	}
}

/* A node by its path, and by its number: where the broker has a /dev of its own,
 * as below systemd's unit, the path of an older process is another one. */
struct node {
	char path[NODE_MAX];
	dev_t number; /* 0: it has none */
};

static const char *
last_component(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash == NULL ? path : slash + 1;
}

/* What the kernel knows already: no file system is asked, which could hang. */
static bool
is_number(int dirfd, const char *name, dev_t number)
{
	struct statx st;

	return statx(dirfd, name, AT_STATX_DONT_SYNC, STATX_TYPE, &st) == 0 &&
	       S_ISCHR(st.stx_mode) &&
	       makedev(st.stx_rdev_major, st.stx_rdev_minor) == number;
}

static bool
is_open_at(int dirfd, const char *name, const struct node *node)
{
	char target[NODE_MAX];
	ssize_t n = readlinkat(dirfd, name, target, sizeof(target) - 1);

	if (n <= 0)
		return false;
	target[n] = '\0';
	if (strcmp(target, node->path) == 0)
		return true;
	return node->number != 0 &&
	       strcmp(last_component(target), last_component(node->path)) ==
		   0 &&
	       is_number(dirfd, name, node->number);
}

static bool
has_open(int procfd, int pid, const struct node *node)
{
	struct dirent *e;
	bool found = false;
	char path[32];
	DIR *dir;

	snprintf(path, sizeof(path), "%d/fd", pid);
	dir = dir_at(procfd, path);
	if (dir == NULL)
		return false;
	while (!found && (e = readdir(dir)) != NULL)
		found = e->d_name[0] != '.' &&
			is_open_at(dirfd(dir), e->d_name, node);
	closedir(dir);
	return found;
}

static void
add_holder(int pid, char *buf, size_t len)
{
	char one[96], comm[32];
	uid_t uid;

	if (process_owner(pid, &uid) != 0)
		return;
	process_name(pid, comm, sizeof(comm));
	snprintf(one, sizeof(one), "%spid %d (%s), uid %u",
	    buf[0] == '\0' ? "" : "; ", pid, comm, uid);
	/* Truncation is fine: the first holders are named. */
	(void)strlcat(buf, one, len);
}

static void
holders_of(const struct node *node, char *buf, size_t len)
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
			add_holder(pid, buf, len);
	}
	closedir(proc);
}

void
holders_of_group(int group, char *buf, size_t len)
{
	const struct node device = { .path = "anon_inode:[vfio-device]" };
	struct node node = { .number = vfio_group_number(group) };

	snprintf(node.path, sizeof(node.path), "%s/dev/vfio/%d", config.sysroot,
	    group);
	holders_of(&node, buf, len);
	if (buf[0] == '\0')
		holders_of(&device, buf, len);
}

void
holders_of_cdev(const struct bdf *bdf, char *buf, size_t len)
{
	char name[SYSFS_NAME_MAX];
	struct node node;

	buf[0] = '\0';
	if (sysfs_cdev(bdf, name, &node.number) != 0)
		return;
	snprintf(node.path, sizeof(node.path), "%s" VFIO_CDEV_DIR "/%s",
	    config.sysroot, name);
	holders_of(&node, buf, len);
}
