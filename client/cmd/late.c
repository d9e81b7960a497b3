/* SPDX-License-Identifier: ISC */
/*
 * Nodes that a supervised program opens again or later: a group after a
 * hot-unplug, the group of a device plugged at run time, a second container.
 * Runs in a child of the supervisor; connects anew each time, so a broker that
 * was restarted meanwhile makes no difference.  Whether a device may join the
 * lease is the broker's decision alone.
 */

#include "late.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "address.h"
#include "options.h"
#include "say.h"

/* Asked as if it were a group, the container of a lease. */
#define LATE_CONTAINER (-1)

/* What the program sees as the reason its open failed. */
static int
late_errno(int r)
{
	static const int errnos[] = {
		[VFIOBROKER_NOT_FOUND] = ENODEV,
		[VFIOBROKER_DENIED] = EACCES,
		[VFIOBROKER_IDENTITY] = EACCES,
		[VFIOBROKER_HOST_IN_USE] = EBUSY,
		[VFIOBROKER_GROUP] = EACCES,
		[VFIOBROKER_BUSY] = EBUSY,
		[VFIOBROKER_LIMIT] = EBUSY,
		[VFIOBROKER_UNAVAILABLE] = ENODEV,
		[VFIOBROKER_INVALID] = EINVAL,
		[VFIOBROKER_OS] = EIO,
		[VFIOBROKER_INTERNAL] = EIO,
	};

	if (r < 0)
		return ENOTCONN;
	return (size_t)r < sizeof(errnos) / sizeof(errnos[0]) ? errnos[r] : EIO;
}

/* One line on stderr, and -errno for the program. */
static int
late_refused(const struct vfiobroker *broker, const char *what, int r)
{
	const char *why =
	    broker != NULL ? vfiobroker_error(broker) : strerror(-r);

	say("%s: %.*s", what, (int)strcspn(why, "\n"), why);
	return -late_errno(r);
}

static bool
is_bridge(const struct vfiobroker_bdf *bdf)
{
	char path[96], class[16] = "", name[BDF_STRLEN];
	FILE *f;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/class",
	    address_format(bdf, name));
	f = fopen(path, "re");
	if (f == NULL)
		return false;
	if (fgets(class, sizeof(class), f) == NULL)
		class[0] = '\0';
	fclose(f);
	return strncmp(class, "0x0604", 6) == 0;
}

/* The endpoints of a group, by the kernel's own list. */
static int
group_devices(int group, struct device_list *list)
{
	struct vfiobroker_bdf bdf = { 0 };
	struct dirent *entry;
	char path[64];
	DIR *dir;

	snprintf(
	    path, sizeof(path), "/sys/kernel/iommu_groups/%d/devices", group);
	dir = opendir(path);
	if (dir == NULL)
		return -errno;
	while ((entry = readdir(dir)) != NULL)
		if (address_of_name(entry->d_name, &bdf) == 0 &&
		    !is_bridge(&bdf))
			device_list_add(list, &bdf);
	closedir(dir);
	return list->n > 0 ? 0 : -ENODEV;
}

/* Adds n devices to the lease and takes the group's descriptor out. */
static int
acquire_into(struct vfiobroker *broker, uint64_t lease,
    const struct vfiobroker_bdf *devices, size_t n, int group, int *fd)
{
	const struct vfiobroker_request request = {
		.devices = devices, .ndevices = n, .lease = lease, .pidfd = -1
	};
	struct vfiobroker_grant *grant = NULL;
	int r = vfiobroker_acquire(broker, &request, &grant);

	if (r != 0)
		return r;
	for (size_t i = 0; i < grant->ngroups; i++) {
		if (grant->groups[i].group != group)
			continue;
		*fd = grant->groups[i].fd;
		grant->groups[i].fd = -1;
	}
	vfiobroker_grant_free(grant);
	return *fd != -1 ? 0 : VFIOBROKER_INTERNAL;
}

/*
 * A group that the lease has not got.  All of it is asked for, since the open
 * does not say which function is meant; where the policy gives only one of
 * them, that one.
 */
static int
acquire_group(struct vfiobroker *broker, uint64_t lease, int group, int *fd)
{
	struct device_list list = { .n = 0 };
	int r;

	if (group_devices(group, &list) != 0)
		return VFIOBROKER_NOT_FOUND;
	r = acquire_into(broker, lease, list.v, list.n, group, fd);
	if (list.n == 1)
		return r;
	for (size_t i = 0; i < list.n; i++) {
		if (r != VFIOBROKER_DENIED && r != VFIOBROKER_HOST_IN_USE)
			break;
		r = acquire_into(broker, lease, &list.v[i], 1, group, fd);
	}
	return r;
}

static int
late_group(struct vfiobroker *broker, uint64_t lease, int group, int *fd)
{
	char what[64];
	int r = vfiobroker_open_group(broker, lease, group, fd);

	if (r == VFIOBROKER_NOT_FOUND)
		r = acquire_group(broker, lease, group, fd);
	if (r == 0)
		return 0;
	snprintf(what, sizeof(what), "cannot open group %d", group);
	return late_refused(broker, what, r);
}

/*
 * On most systems everybody may open the container; where not, the broker is
 * asked, and a broker that does not give a second one leaves the program with
 * its own rights.
 */
static int
late_container(struct vfiobroker *broker, uint64_t lease, int *fd)
{
	if (vfiobroker_open_group(broker, lease, LATE_CONTAINER, fd) != 0)
		*fd = -1;
	return 0;
}

int
late_open(uint64_t lease, const struct node *node, int *fd)
{
	struct vfiobroker *broker = NULL;
	int r;

	*fd = -1;
	if (node->kind == NODE_CONTAINER &&
	    access("/dev/vfio/vfio", R_OK | W_OK) == 0)
		return 0;
	r = vfiobroker_open(&broker, NULL);
	if (r != 0)
		r = late_refused(broker, "cannot ask the broker", r);
	else if (node->kind == NODE_CONTAINER)
		r = late_container(broker, lease, fd);
	else
		r = late_group(broker, lease, node->group, fd);
	vfiobroker_close(broker);
	return r;
}
