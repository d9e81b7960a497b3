/* SPDX-License-Identifier: ISC */
#ifndef VFIOBROKER_INVENTORY_H
#define VFIOBROKER_INVENTORY_H

#include "device.h"

/*
 * All PCI functions of the machine, read once and kept right by uevents.
 * No request rescans anything.
 */
extern struct devices inventory;

/* The first reading. 0 or -errno; a machine without PCI is an empty one. */
int inventory_scan(void);

/* NULL when there is none. */
struct device *inventory_find(const struct bdf *);

/* Whether they are two devices in one IOMMU group. */
bool inventory_mates(const struct device *, const struct device *);

/* Reads a new or changed function; NULL when it is not (or no more) there. */
struct device *inventory_refresh(const struct bdf *);

/* Reads again just the driver link: no uevent may have come yet.  0 or
 * -errno; then the old name stays. */
int inventory_refresh_driver(struct device *);

/* Forgets a function that is gone and that nothing refers to. */
void inventory_forget(struct device *);

/* For policy_decide(): the group of any device. */
extern const struct policy_world inventory_world;

#endif
