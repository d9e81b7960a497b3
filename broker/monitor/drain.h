/* SPDX-License-Identifier: ISC */
#ifndef VFIOBROKER_DRAIN_H
#define VFIOBROKER_DRAIN_H

#include "device.h"
#include "worker.h"

/*
 * Looking at devices that somebody may still have: those that drain, and those
 * that a worker is stuck with.  Called by life.c.
 */

/* Looks now, by a worker; or when the present one is done. */
void drain_look(struct device *);

/* Some time later, ever more slowly. */
void drain_look_again(struct device *);

/* What a look at a draining device came to. */
void drain_looked(struct device *, const struct worker_result *);

/* Not by a lease, but through its group or as root: it needs a reset. */
void drain_had_by_somebody(struct device *);

#endif
