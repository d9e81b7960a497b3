/* SPDX-License-Identifier: ISC */
#ifndef VFIOBROKER_CDEV_H
#define VFIOBROKER_CDEV_H

#include "broker/common/monmsg.h"

struct session;

/* Serves MON_OPEN_DEVICE: a cdev of the peer's own lease once more. */
void cdev_open(struct session *, const struct mon_open_device *);

/* Serves MON_OPEN_IOMMUFD: a VMM closes its own with its last device. */
void cdev_open_iommufd(struct session *, const struct mon_open_iommufd *);

#endif
