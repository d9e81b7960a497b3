/* SPDX-License-Identifier: ISC */
/*
 * The only file that turns an address into a path, from numbers that
 * bdf_valid() has passed; and the only one that stores into sysfs.  Called by
 * the inventory (reads) and by workers (stores).
 */

#include "sysfs.h"

#include "config.h"
#include "files.h"

#include <bsd/string.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <unistd.h>

const char *
sysfs_path(char path[PATH_MAX], const char *fmt, ...)
{
	size_t n = strlcpy(path, config.sysroot, PATH_MAX);
	va_list ap;

	va_start(ap, fmt);
	if (n < PATH_MAX)
		n += (size_t)vsnprintf(path + n, PATH_MAX - n, fmt, ap);
	va_end(ap);
	/* A path that is cut off could be another's, "" is nobody's. */
	if (n >= PATH_MAX)
		path[0] = '\0';
	return path;
}

int
sysfs_open(const struct bdf *bdf)
{
	char path[PATH_MAX], name[BDF_STRLEN];
	int fd = open(
	    sysfs_path(path, "/sys/bus/pci/devices/%s", bdf_format(bdf, name)),
	    O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd == -1 ? -errno : fd;
}

int
sysfs_read_number(int dirfd, const char *attr, long *out)
{
	char text[32], *end;
	int r = file_line(dirfd, attr, text, sizeof(text));

	if (r != 0)
		return r;
	errno = 0;
	*out = strtol(text, &end, 0);
	return errno != 0 || end == text || *end != '\0' ? -EINVAL : 0;
}

int
sysfs_link(int dirfd, const char *name, char *buf, size_t len)
{
	char target[PATH_MAX];
	ssize_t n = readlinkat(dirfd, name, target, sizeof(target) - 1);
	const char *base;

	buf[0] = '\0';
	if (n == -1)
		return errno == ENOENT ? 0 : -errno;
	target[n] = '\0';
	base = strrchr(target, '/');
	base = base == NULL ? target : base + 1;
	return strlcpy(buf, base, len) >= len ? -E2BIG : 0;
}

/* The one directory in it whose name begins with "vfio". */
static int
cdev_find(int dirfd, char name[SYSFS_NAME_MAX])
{
	DIR *dir = dir_at(dirfd, "vfio-dev");
	struct dirent *e;
	int r = -ENODEV;

	if (dir == NULL)
		return r;
	while (r != 0 && (e = readdir(dir)) != NULL) {
		if (strncmp(e->d_name, "vfio", 4) == 0 &&
		    strlcpy(name, e->d_name, SYSFS_NAME_MAX) < SYSFS_NAME_MAX)
			r = 0;
	}
	closedir(dir);
	return r;
}

int
sysfs_node(int dirfd, const char *attr, dev_t *out)
{
	char text[32], *colon, *end;
	unsigned long major, minor;
	int r = file_line(dirfd, attr, text, sizeof(text));

	if (r != 0)
		return r == -ENOENT ? -ENODEV : r;
	major = strtoul(text, &colon, 10);
	if (colon == text || *colon != ':')
		return -EBADMSG;
	minor = strtoul(colon + 1, &end, 10);
	if (end == colon + 1 || *end != '\0')
		return -EBADMSG;
	*out = makedev(major, minor);
	return 0;
}

int
sysfs_cdev(const struct bdf *bdf, char name[SYSFS_NAME_MAX], dev_t *number)
{
	int dirfd = sysfs_open(bdf), r;
	char attr[SYSFS_NAME_MAX + 16];

	if (dirfd < 0)
		return -ENODEV;
	r = cdev_find(dirfd, name);
	if (r == 0) {
		snprintf(attr, sizeof(attr), "vfio-dev/%s/dev", name);
		r = sysfs_node(dirfd, attr, number);
	}
	close(dirfd);
	return r;
}

int
sysfs_driver(const struct bdf *bdf, char buf[SYSFS_NAME_MAX])
{
	int dirfd = sysfs_open(bdf), r;

	buf[0] = '\0';
	if (dirfd < 0)
		return dirfd == -ENOENT ? -ENODEV : dirfd;
	r = sysfs_link(dirfd, "driver", buf, SYSFS_NAME_MAX);
	close(dirfd);
	return r;
}

int
sysfs_store(int dirfd, const char *attr, const char *value)
{
	int fd = openat(dirfd, attr, O_WRONLY | O_CLOEXEC);

	return file_write(fd, value, strlen(value));
}

int
sysfs_store_bus(const char *rest, const char *value)
{
	char path[PATH_MAX];

	return sysfs_store(
	    AT_FDCWD, sysfs_path(path, "/sys/bus/pci/%s", rest), value);
}

bool
driver_is_vfio(const char *driver)
{
	return strstr(driver, "vfio") != NULL;
}

bool
sysfs_driver_loaded(const char *name)
{
	char path[PATH_MAX];

	return access(sysfs_path(path, "/sys/bus/pci/drivers/%s", name),
		   F_OK) == 0;
}
