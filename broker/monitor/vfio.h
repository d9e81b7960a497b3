/* SPDX-License-Identifier: ISC */
#ifndef VFIOBROKER_VFIO_H
#define VFIOBROKER_VFIO_H

#include <sys/types.h>

#include <stdbool.h>

#include "broker/common/bdf.h"

/*
 * Opening VFIO's nodes.  Each is compared with what sysfs says of it before
 * it is given to anyone.  The fds are the caller's, close-on-exec; the
 * monitor keeps none after a hand-over, since one dup of a group pins it, and
 * one of a cdev keeps its driver from leaving.
 */

/* /dev/vfio/N. -EBUSY: somebody has it open.  -EADDRINUSE: not viable, that is a
 * member of the group is still bound to a host driver.  -ENODEV: no device of
 * the group is on a vfio driver. */
int vfio_open_group(int group);

/* Opens it for a moment.  0, also where there is no node, as in a kernel without
 * groups; or what vfio_open_group() says. */
int vfio_try_group(int group);

/* /dev/vfio/vfio. -ENODEV: the kernel has no VFIO loaded. */
int vfio_open_container(void);

#define VFIO_CDEV_DIR "/dev/vfio/devices"

/*
 * /dev/vfio/devices/vfioX (Linux 6.6).  Opens as often as one likes and waits
 * for nobody; what counts is the bind to an iommufd, which is the holder's.
 * -ENODEV: not on a vfio driver, or the kernel has no cdevs.
 */
int vfio_open_cdev(const struct bdf *);

/*
 * /dev/iommu, set to charge what is pinned to each process rather than to all
 * of a user's (IOMMU_OPTION_RLIMIT_MODE; only root can, and only as long as it
 * is empty).  -ENODEV: the kernel has no iommufd.
 */
int vfio_open_iommufd(void);

/*
 * Whether nobody has the group open: a group opens once, and not while a cdev
 * of it is bound to an iommufd.  0: proven.  -EBUSY: held.  Other -errno: not
 * known, so not proven.
 */
int vfio_group_unheld(int group);

/* The number of /dev/vfio/N, by which it is known under any name; 0: none. */
dev_t vfio_group_number(int group);

/* Whether the kernel can do it at all: VFIO's class and one IOMMU group. */
bool vfio_available(void);

/* Whether the kernel has iommufd. */
bool vfio_has_iommufd(void);

#endif
