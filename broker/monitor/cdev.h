/* SPDX-License-Identifier: ISC */
#ifndef VFIOBROKER_CDEV_H
#define VFIOBROKER_CDEV_H

struct session;

/* Serves MON_OPEN_DEVICE: a cdev of the peer's own lease once more. */
void cdev_open(struct session *, const void *record);

/* Serves MON_OPEN_IOMMUFD: a VMM closes its own with its last device. */
void cdev_open_iommufd(struct session *, const void *record);

#endif
