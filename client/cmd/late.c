/* SPDX-License-Identifier: ISC */
/*
 * Nodes that a supervised program opens again or later: a group or a cdev after
 * a hot-unplug, that of a device plugged at run time, a second container.
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
is_bridge(const char *sys, const struct vfiobroker_bdf *bdf)
{
	char path[256], class[16] = "", name[BDF_STRLEN];
	FILE *f;

	snprintf(path, sizeof(path), "%s/bus/pci/devices/%s/class", sys,
	    address_format(bdf, name));
	f = fopen(path, "re");
	if (f == NULL)
		return false;
	if (fgets(class, sizeof(class), f) == NULL)
		class[0] = '\0';
	fclose(f);
	return strncmp(class, "0x06", 4) == 0;
}

int
late_devices_at(const char *sys, int group, struct device_list *list)
{
	struct vfiobroker_bdf bdf = { 0 };
	struct dirent *entry;
	char path[256];
	DIR *dir;

	snprintf(path, sizeof(path), "%s/kernel/iommu_groups/%d/devices", sys,
	    group);
	dir = opendir(path);
	if (dir == NULL)
		return -errno;
	while ((entry = readdir(dir)) != NULL)
		if (address_of_name(entry->d_name, &bdf) == 0 &&
		    !is_bridge(sys, &bdf))
			device_list_add(list, &bdf);
	closedir(dir);
	return list->n > 0 ? 0 : -ENODEV;
}

/* Adds n devices to the lease and takes the descriptors out. */
static int
acquire_into(struct vfiobroker *broker, uint64_t lease,
    const struct vfiobroker_bdf *devices, size_t n, int group,
    struct late_nodes *out)
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
		out->fd = grant->groups[i].fd;
		grant->groups[i].fd = -1;
	}
	out->containerfd = grant->containerfd;
	grant->containerfd = -1;
	vfiobroker_grant_free(grant);
	return out->fd != -1 ? 0 : VFIOBROKER_INTERNAL;
}

/*
 * A group that the lease has not got, as r says.  All of it is asked for,
 * since the open does not say which function is meant; where the policy gives
 * only one of them, that one.
 */
static int
acquire_group(struct vfiobroker *broker, uint64_t lease, int group,
    struct late_nodes *out, int r)
{
	struct device_list list = { .n = 0 };

	if (late_devices_at("/sys", group, &list) != 0)
		return r; /* no such group on this machine */
	r = acquire_into(broker, lease, list.v, list.n, group, out);
	if (list.n == 1)
		return r;
	for (size_t i = 0; i < list.n; i++) {
		if (r != VFIOBROKER_DENIED && r != VFIOBROKER_HOST_IN_USE)
			break;
		r = acquire_into(broker, lease, &list.v[i], 1, group, out);
	}
	return r;
}

static int
late_group(struct vfiobroker *broker, uint64_t lease, int group,
    struct late_nodes *out)
{
	char what[64];
	int r = vfiobroker_open_group(
	    broker, lease, group, &out->fd, &out->containerfd);

	/* It is none of the lease's, or the lease is none of ours. */
	if (r == VFIOBROKER_DENIED || r == VFIOBROKER_NOT_FOUND)
		r = acquire_group(broker, lease, group, out, r);
	if (r == 0)
		return 0;
	snprintf(what, sizeof(what), "cannot open group %d", group);
	return late_refused(broker, what, r);
}

/* The function whose cdev is called vfio<number>. */
static int
cdev_device(int number, struct vfiobroker_bdf *out)
{
	char path[64], target[256];
	const char *name;
	ssize_t n;

	snprintf(
	    path, sizeof(path), "/sys/class/vfio-dev/vfio%d/device", number);
	n = readlink(path, target, sizeof(target) - 1);
	if (n < 0)
		return -errno;
	target[n] = '\0';
	name = strrchr(target, '/');
	return name == NULL ? -ENODEV : address_of_name(name + 1, out);
}

/* One that the lease has not got: it must be on vfio-pci, or had no name. */
static int
acquire_cdev(struct vfiobroker *broker, uint64_t lease,
    const struct vfiobroker_bdf *device, struct late_nodes *out)
{
	const struct vfiobroker_request request = { .devices = device,
		.ndevices = 1,
		.lease = lease,
		.iommufd = true,
		.pidfd = -1 };
	struct vfiobroker_grant *grant = NULL;
	int r = vfiobroker_acquire(broker, &request, &grant);

	if (r != 0)
		return r;
	if (grant->ncdevs == 1) {
		out->fd = grant->cdevs[0].fd;
		grant->cdevs[0].fd = -1;
	}
	vfiobroker_grant_free(grant);
	return out->fd != -1 ? 0 : VFIOBROKER_INTERNAL;
}

static int
late_cdev(struct vfiobroker *broker, uint64_t lease, int number,
    struct late_nodes *out)
{
	struct vfiobroker_bdf device = { 0 };
	char what[64];
	int r = cdev_device(number, &device);

	if (r != 0)
		return 0; /* of no PCI function: none of ours */
	r = vfiobroker_open_device(broker, lease, &device, &out->fd);
	if (r == VFIOBROKER_DENIED)
		r = acquire_cdev(broker, lease, &device, out);
	if (r == 0)
		return 0;
	snprintf(what, sizeof(what), "cannot open the cdev vfio%d", number);
	return late_refused(broker, what, r);
}

/*
 * A container more than the lease came with.  Everybody may open one on most
 * systems; where not, the program's own open fails, and here is why.
 */
static int
late_container(struct vfiobroker *broker, uint64_t lease, int number,
    struct late_nodes *out)
{
	(void)broker;
	(void)lease;
	(void)number;
	(void)out;
	if (access("/dev/vfio/vfio", R_OK | W_OK) != 0)
		say("cannot open /dev/vfio/vfio once more: %s\n"
		    "  a container gives access to no device: mode 0666, "
		    "udev's default, is safe",
		    strerror(errno));
	return 0;
}

/* QEMU closes its iommufd with the last device and opens it for the next. */
static int
late_iommufd(struct vfiobroker *broker, uint64_t lease, int number,
    struct late_nodes *out)
{
	int r = vfiobroker_open_iommufd(broker, lease, &out->fd);

	(void)number;
	/* A lease by groups: whoever may open it may. */
	if (r == VFIOBROKER_DENIED && access("/dev/iommu", R_OK | W_OK) == 0)
		return 0;
	return r == 0 ? 0 : late_refused(broker, "cannot open /dev/iommu", r);
}

static const struct {
	bool asks; /* the broker */
	int (*open)(
	    struct vfiobroker *, uint64_t, int number, struct late_nodes *);
} openers[] = {
	[NODE_CONTAINER] = { false, late_container },
	[NODE_GROUP] = { true, late_group },
	[NODE_IOMMUFD] = { true, late_iommufd },
	[NODE_CDEV] = { true, late_cdev },
};

int
late_open(uint64_t lease, const struct node *node, struct late_nodes *out)
{
	struct vfiobroker *broker = NULL;
	int r = 0;

	if (openers[node->kind].asks)
		r = vfiobroker_open(&broker, NULL);
	if (r != 0)
		r = late_refused(broker, "cannot ask the broker", r);
	else
		r = openers[node->kind].open(broker, lease, node->number, out);
	vfiobroker_close(broker);
	return r;
}
