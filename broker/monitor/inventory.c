/* SPDX-License-Identifier: ISC */
/*
 * The list of PCI functions, by address.  Reads sysfs attributes that do not
 * take the device's lock; never stores.
 */

#include "inventory.h"

#include "broker/common/log.h"
#include "files.h"
#include "hostuse.h"
#include "loop.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CLASS_PCI_BRIDGE 0x0604U

struct devices inventory = TAILQ_HEAD_INITIALIZER(inventory);

/*
 * The same devices, to be found by address: a policy can name ten thousand in
 * one request.  The functions of a bus have a bucket each.
 */
#define BUCKETS 1024U
static LIST_HEAD(, device) buckets[BUCKETS];

const char *
device_name(const struct device *d)
{
	static char names[4][BDF_STRLEN];
	static unsigned next;

	next = (next + 1) % 4;
	return bdf_format(&d->facts.bdf, names[next]);
}

bool
device_on_vfio(const struct device *d)
{
	return driver_is_vfio(d->driver);
}

static size_t
bucket_of(const struct bdf *bdf)
{
	return (bdf->bus * 31U + bdf->dev * 8U + bdf->fn) % BUCKETS;
}

struct device *
inventory_find(const struct bdf *bdf)
{
	uint64_t number = bdf_number(bdf);
	struct device *d;

	LIST_FOREACH(d, &buckets[bucket_of(bdf)], found) {
		if (bdf_number(&d->facts.bdf) == number)
			return d;
	}
	return NULL;
}

bool
inventory_mates(const struct device *a, const struct device *b)
{
	return a != b && a->facts.group >= 0 &&
	       a->facts.group == b->facts.group;
}

static struct device *
device_add(const struct bdf *bdf)
{
	struct device *d = calloc(1, sizeof(*d)), *after;

	if (d == NULL)
		return NULL;
	d->facts.bdf = *bdf;
	d->record.bdf = *bdf;
	d->facts.group = -1;
	d->state = STATE_HOST;
	d->since_us = clock_us();
	LIST_INSERT_HEAD(&buckets[bucket_of(bdf)], d, found);
	TAILQ_FOREACH(after, &inventory, entry) {
		if (bdf_cmp(&after->facts.bdf, bdf) > 0) {
			TAILQ_INSERT_BEFORE(after, d, entry);
			return d;
		}
	}
	TAILQ_INSERT_TAIL(&inventory, d, entry);
	return d;
}

static long
number_or(int dirfd, const char *attr, long otherwise)
{
	long n;

	return sysfs_read_number(dirfd, attr, &n) == 0 ? n : otherwise;
}

/* A group with this name is VFIO's own, for want of an IOMMU: no group. */
static int
read_group(int dirfd)
{
	char link[SYSFS_NAME_MAX], name[SYSFS_NAME_MAX];

	if (sysfs_link(dirfd, "iommu_group", link, sizeof(link)) != 0 ||
	    link[0] == '\0')
		return -1;
	if (file_line(dirfd, "iommu_group/name", name, sizeof(name)) == 0 &&
	    strcmp(name, "vfio-noiommu") == 0)
		return -1;
	return atoi(link);
}

static void
read_facts(struct device *d, int dirfd)
{
	char link[SYSFS_NAME_MAX];

	d->facts.vendor = (uint16_t)number_or(dirfd, "vendor", 0xffff);
	d->facts.device = (uint16_t)number_or(dirfd, "device", 0xffff);
	d->facts.class = (uint32_t)number_or(dirfd, "class", 0);
	d->numa = (int)number_or(dirfd, "numa_node", -1);
	d->is_bridge = d->facts.class >> 8 == CLASS_PCI_BRIDGE;
	d->is_pf = number_or(dirfd, "sriov_totalvfs", 0) > 0;
	d->facts.group = read_group(dirfd);
	d->facts.is_vf = sysfs_link(dirfd, "physfn", link, sizeof(link)) == 0 &&
			 bdf_parse(link, &d->facts.pf) == 0;
}

struct device *
inventory_refresh(const struct bdf *bdf)
{
	int dirfd = sysfs_open(bdf), r;
	struct device *d;

	if (dirfd < 0)
		return NULL;
	d = inventory_find(bdf);
	if (d == NULL)
		d = device_add(bdf);
	if (d != NULL) {
		read_facts(d, dirfd);
		r = sysfs_link(dirfd, "driver", d->driver, sizeof(d->driver));
		if (r != 0)
			log_warn("%s: driver link: %s", device_name(d),
			    strerror(-r));
	}
	close(dirfd);
	return d;
}

int
inventory_refresh_driver(struct device *d)
{
	char driver[SYSFS_NAME_MAX];
	int r = sysfs_driver(&d->facts.bdf, driver);

	if (r == 0)
		memcpy(d->driver, driver, sizeof(d->driver));
	else if (r == -ENODEV) /* its removal comes as an event */
		d->driver[0] = '\0';
	else
		log_warn("%s: driver: %s", device_name(d), strerror(-r));
	return r;
}

void
inventory_forget(struct device *d)
{
	TAILQ_REMOVE(&inventory, d, entry);
	LIST_REMOVE(d, found);
	loop_free(&d->timer);
	hostuse_drop(&d->look);
	hostuse_forget(&d->facts.bdf);
	free(d);
}

int
inventory_scan(void)
{
	char path[PATH_MAX];
	DIR *dir = opendir(sysfs_path(path, "/sys/bus/pci/devices"));
	struct dirent *e;
	struct bdf bdf;

	if (dir == NULL)
		return errno == ENOENT ? 0 : -errno;
	while ((e = readdir(dir)) != NULL) {
		if (bdf_parse(e->d_name, &bdf) == 0)
			inventory_refresh(&bdf);
	}
	closedir(dir);
	return 0;
}

static int
group_of(void *arg, const struct bdf *bdf)
{
	const struct device *d = inventory_find(bdf);

	(void)arg; /* there is one inventory */
	return d == NULL ? -1 : d->facts.group;
}

const struct policy_world inventory_world = { .group_of = group_of };
