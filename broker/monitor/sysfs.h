/* SPDX-License-Identifier: ISC */
#ifndef VFIOBROKER_SYSFS_H
#define VFIOBROKER_SYSFS_H

#include <sys/types.h>

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "broker/common/bdf.h"

/*
 * Reading and storing attributes of PCI functions.
 *
 * Reads may be made by the monitor: vendor, class, driver and their like do
 * not take the device's lock.  Stores may sleep for ever and are the
 * worker's alone.
 */

#define SYSFS_NAME_MAX 32

/* Writes a path of the kernel's behind the test root and returns it; "" where
 * there is no room. */
const char *sysfs_path(char path[PATH_MAX], const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* The directory of a function; an fd of the caller's, or -errno. */
int sysfs_open(const struct bdf *);

/* A number as sysfs prints it, 0x... or decimal. */
int sysfs_read_number(int dirfd, const char *attr, long *out);

/* The number of a node, "major:minor".  -ENODEV: the kernel has none. */
int sysfs_node(int dirfd, const char *attr, dev_t *out);

/* The last component of a link's target; "" and 0 when there is no link. */
int sysfs_link(int dirfd, const char *name, char *buf, size_t len);

/* The driver's name, "" for none; -ENODEV when the function is not there. */
int sysfs_driver(const struct bdf *, char buf[SYSFS_NAME_MAX]);

/*
 * The name of the cdev that a vfio driver has made of the function ("vfio3")
 * and its number.  Both are another's once the driver has left.  -ENODEV:
 * none, or the kernel makes no cdevs (vfio-dev/vfio3 has been there since 6.1;
 * its attribute dev, only with CONFIG_VFIO_DEVICE_CDEV, since 6.6).
 */
int sysfs_cdev(const struct bdf *, char name[SYSFS_NAME_MAX], dev_t *);

/* One write(2) of value.  Workers only: it may not return. */
int sysfs_store(int dirfd, const char *attr, const char *value);

/* The same for /sys/bus/pci/PATH. */
int sysfs_store_bus(const char *path, const char *value);

/* Whether a driver's name is that of vfio-pci or a variant of it. */
bool driver_is_vfio(const char *driver);

/* Whether a driver of that name is loaded. */
bool sysfs_driver_loaded(const char *name);

#endif
