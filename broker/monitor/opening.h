/* SPDX-License-Identifier: ISC */
#ifndef VFIOBROKER_OPENING_H
#define VFIOBROKER_OPENING_H

#include "broker/common/monmsg.h"

struct lease;
struct session;

/*
 * Serves MON_OPEN_GROUP: a group's node and a container once more, for the
 * owner of a lease that has a device in it.  The request is answered when the
 * node is open, or by the workers' deadline.
 */
void opening_start(struct session *, const struct mon_open_group *);

/* Serves MON_OPEN_DEVICE: a cdev of the peer's own lease once more. */
void opening_cdev(struct session *, const struct lease *, const struct bdf *);

/* Serves MON_OPEN_IOMMUFD: a VMM closes its own with its last device. */
void opening_iommufd(struct session *, const struct lease *);

/* The session that waited is gone. */
void opening_forget(const struct session *);

#endif
