/* SPDX-License-Identifier: ISC */
#ifndef VFIOBROKER_TRANSITION_H
#define VFIOBROKER_TRANSITION_H

#include "broker/common/state.h"

/*
 * A device's life as a table, and nothing else: which event takes which state
 * where.  What is done on entering a state stands in life.c.
 */
enum device_event {
	EV_CLAIM, /* wanted: move it to vfio-pci */
	EV_FOUND, /* it is on vfio-pci, and not by us */
	EV_LOST, /* it is on vfio-pci no more, and not by us */
	EV_CLAIMED, /* the worker has verified vfio-pci */
	EV_FAILED, /* the worker could not do it */
	EV_LEASE, /* handed over */
	EV_CLOSED, /* the last copy of the lease is closed, or revoked */
	EV_UNHELD, /* proven: nobody holds it */
	EV_RESET, /* reset, or nothing to reset */
	EV_GO_HOME, /* nobody wants it on vfio-pci any more */
	EV_HOME, /* the worker has verified the host's driver */
	EV_DEADLINE, /* the worker is stuck in the kernel */
	EV_UNWEDGED, /* and came back */
	EV_QUARANTINE, /* found unfit at start, or its record is unreadable */
	EV_RECOVER, /* an administrator wants it tried again */
	EV_RESUME, /* at start: a record says it is not home */
	EV_KEPT, /* at start: its lease lives */
	EV_REMOVED, /* it left the machine */
	EV_COUNT,
};

/* The next state, or -1 where the event must not happen. */
int transition_next(enum state, enum device_event);

/* "last-close" */
const char *device_event_name(enum device_event);

#endif
