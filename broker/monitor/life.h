/* SPDX-License-Identifier: ISC */
#ifndef VFIOBROKER_LIFE_H
#define VFIOBROKER_LIFE_H

#include "device.h"
#include "transition.h"

/*
 * What happens to a device: every change of state goes through life_event().
 */

void life_init(void);

/*
 * Moves the device along the table of transition.c, logs it with how long the
 * old state lasted, tells the watchers, and does what entering the new state
 * asks for.  An event the table does not know there is our own fault: fatal.
 */
void life_event(struct device *, enum device_event, const char *why);

/*
 * Looks whether the device is where it belongs when nobody waits for it: a
 * free one that is neither claimed by the policy nor bound by somebody else
 * goes home; a claimed one goes out.
 */
void life_settle(struct device *);

/*
 * A new one.  The kernel tells of it before it probes drivers, and a claim in
 * between would note "no driver" and lose the race: so it settles when a
 * driver is bound, which is told too, or after a second without one.
 */
void life_arrived(struct device *);

/* Whether it is so new that its driver may still come. */
bool life_arriving(const struct device *);

/* Has the device looked at again: what for, its state says. */
void life_look_later(struct device *, unsigned ms);

/* Writes its record, while no worker runs.  0 or -errno, told in the log. */
int life_keep_record(struct device *);

/* The device is gone from the machine. */
void life_removed(struct device *);

/*
 * The device joins the lease.  0, or -errno where that could not be written
 * down: after a restart nobody would know that somebody has had it.
 */
int life_lend(struct device *, struct lease *, const char *why);

/* Undoes that at once, before anybody has had it. */
void life_take_back(struct device *);

/* Who had it claimed does not wait for it any more. */
void life_unwanted(struct device *);

/* A lease is revoked: the kernel asks the holder for this device back. */
void life_ask_back(struct device *);

/* Whether the device is on its way, so that waiting for it makes sense. */
bool life_in_transit(const struct device *);

#endif
