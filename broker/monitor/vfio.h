/* SPDX-License-Identifier: ISC */
#ifndef VFIOBROKER_VFIO_H
#define VFIOBROKER_VFIO_H

#include <stdbool.h>

/*
 * Opening VFIO's nodes.  Each is compared with what sysfs says of it before
 * it is given to anyone.  The fds are the caller's, close-on-exec; the
 * monitor keeps none after a hand-over, since one dup of a group pins it.
 */

/* /dev/vfio/N. -EBUSY: somebody has it open.  -EADDRINUSE: not viable, that is a
 * member of the group is still bound to a host driver.  -ENODEV: no device of
 * the group is on a vfio driver. */
int vfio_open_group(int group);

/* /dev/vfio/vfio. -ENODEV: the kernel has no VFIO loaded. */
int vfio_open_container(void);

/*
 * Whether nobody has the group open: a group opens once.  0: proven.
 * -EBUSY: held.  Other -errno: not known, so not proven.
 */
int vfio_group_unheld(int group);

/* Whether the kernel can do it at all: VFIO's class and one IOMMU group. */
bool vfio_available(void);

#endif
