/* SPDX-License-Identifier: ISC */
/*
 * The only file that opens /dev/vfio and /dev/iommu.  Opening the container,
 * an iommufd or a cdev does not sleep, nor does a group whose devices nobody
 * has open; any other is for a child to open (see opening.c for what a grant
 * risks), and what resets is for the VMM.
 *
 * No Landlock rule set that handles IOCTL_DEV may ever be put on the process
 * that runs this: the right is stored in the open file, and the VMM's ioctls
 * would fail with EACCES (6.10 and later).
 */

#include "vfio.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <linux/vfio.h>

#include "sysfs.h"

/*
 * struct iommu_option of linux/iommufd.h (6.2, the kernel's own ABI), which
 * older systems' headers lack: Debian 12 has those of 6.1.
 */
#define IOMMUFD_OPTION _IO(';', 0x87)
#define IOMMUFD_OPTION_RLIMIT_MODE 0
#define IOMMUFD_OPTION_SET 0

struct iommufd_option {
	uint32_t size;
	uint32_t option_id;
	uint16_t op;
	uint16_t reserved;
	uint32_t object_id;
	uint64_t val64;
};

/* The open file, if nothing is wrong with it. */
static int
good_or_closed(int fd, int r)
{
	if (r == 0)
		return fd;
	close(fd);
	return r;
}

static int
node_open_as(const char *node, dev_t want)
{
	char path[PATH_MAX];
	struct stat st;
	int fd, r = 0;

	fd = open(sysfs_path(path, "%s", node),
	    O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY);
	if (fd == -1)
		return -errno; /* known to the kernel: ENOENT proves nothing */
	if (fstat(fd, &st) == -1)
		r = -errno;
	else if (!S_ISCHR(st.st_mode) || st.st_rdev != want)
		r = -EBADF;
	return good_or_closed(fd, r);
}

static int
node_open(const char *node, const char *sysfs)
{
	char path[PATH_MAX];
	dev_t want = 0;
	int r = sysfs_node(AT_FDCWD, sysfs_path(path, "%s", sysfs), &want);

	return r != 0 ? r : node_open_as(node, want);
}

static int
group_open(int group)
{
	char node[32], sysfs[48];

	snprintf(node, sizeof(node), "/dev/vfio/%d", group);
	snprintf(sysfs, sizeof(sysfs), "/sys/class/vfio/%d/dev", group);
	return node_open(node, sysfs);
}

int
vfio_open_group(int group)
{
	struct vfio_group_status status = { .argsz = sizeof(status) };
	int fd = group_open(group), r = 0;

	if (fd < 0)
		return fd;
	if (ioctl(fd, VFIO_GROUP_GET_STATUS, &status) == -1)
		r = -errno;
	else if (!(status.flags & VFIO_GROUP_FLAGS_VIABLE))
		r = -EADDRINUSE;
	return good_or_closed(fd, r);
}

int
vfio_try_group(int group)
{
	int fd = vfio_open_group(group);

	if (fd < 0)
		return fd == -ENODEV ? 0 : fd;
	close(fd);
	return 0;
}

int
vfio_open_container(void)
{
	return node_open("/dev/vfio/vfio", "/sys/class/misc/vfio/dev");
}

int
vfio_group_unheld(int group)
{
	int fd = group < 0 ? -EINVAL : group_open(group);

	if (fd == -ENODEV)
		return 0; /* no node, so nothing to hold */
	if (fd < 0)
		return fd;
	close(fd);
	return 0;
}

/*
 * Numbers are given anew at once, so sysfs is asked again when the node is
 * open: an open cdev keeps the device on its driver, and so the number its own.
 */
int
vfio_open_cdev(const struct bdf *bdf)
{
	char name[SYSFS_NAME_MAX], again[SYSFS_NAME_MAX], node[64];
	dev_t number;
	int fd, r = sysfs_cdev(bdf, name, &number);

	if (r != 0)
		return r;
	snprintf(node, sizeof(node), VFIO_CDEV_DIR "/%s", name);
	fd = node_open_as(node, number);
	if (fd < 0)
		return fd;
	r = sysfs_cdev(bdf, again, &number);
	if (r == 0 && strcmp(name, again) == 0)
		return fd;
	close(fd);
	return -ENODEV;
}

int
vfio_open_iommufd(void)
{
	struct iommufd_option option = { .size = sizeof(option),
		.option_id = IOMMUFD_OPTION_RLIMIT_MODE,
		.op = IOMMUFD_OPTION_SET,
		.val64 = 1 };
	int fd = node_open("/dev/iommu", "/sys/class/misc/iommu/dev"), r = 0;

	if (fd < 0)
		return fd;
	if (ioctl(fd, IOMMUFD_OPTION, &option) == -1)
		r = -errno;
	return good_or_closed(fd, r);
}

dev_t
vfio_group_number(int group)
{
	char path[PATH_MAX];
	dev_t number = 0;

	(void)sysfs_node(AT_FDCWD,
	    sysfs_path(path, "/sys/class/vfio/%d/dev", group), &number);
	return number;
}

/* As a module it is loaded with vfio; its node is there before, for that. */
bool
vfio_has_iommufd(void)
{
	char path[PATH_MAX];

	return access(sysfs_path(path, "/sys/class/misc/iommu"), F_OK) == 0 ||
	       access(sysfs_path(path, "/dev/iommu"), F_OK) == 0;
}

bool
vfio_available(void)
{
	char path[PATH_MAX];
	DIR *dir = opendir(sysfs_path(path, "/sys/kernel/iommu_groups"));
	bool some = false;
	struct dirent *e;

	if (dir == NULL)
		return false;
	while (!some && (e = readdir(dir)) != NULL)
		some = e->d_name[0] != '.';
	closedir(dir);
	return some;
}
