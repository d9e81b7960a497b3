/* SPDX-License-Identifier: ISC */
#ifndef VFIOBROKER_ACQUIRE_H
#define VFIOBROKER_ACQUIRE_H

#include "broker/common/status.h"

struct device;
struct session;

/* A request for devices that is being served, perhaps over a while. */
struct acquisition;

/*
 * Serves MON_ACQUIRE; the session is answered when the devices are ready, or
 * refused.
 */
void acquisition_start(struct session *, const void *record);

/* The session is gone: forgets the request, and what it had claimed settles. */
void acquisition_drop(struct acquisition *);

/* Some device changed: look again, soon, at all that wait. */
void acquisition_poke(void);

/* A device that it wanted could not be claimed. */
void acquisition_failed(
    struct acquisition *, const struct device *, const char *why, enum status);

/* Makes the timer; 0 or -ENOMEM. */
int acquisition_init(void);

#endif
