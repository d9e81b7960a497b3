/* SPDX-License-Identifier: ISC */
#ifndef VFIOBROKER_TRANSITION_H
#define VFIOBROKER_TRANSITION_H

#include "broker/common/state.h"

/*
 * A device's life as a table, and nothing else: which event takes which state
 * where.  What is done on entering a state stands in life.c.  (Not EV_*: that
 * is libevent's, which has an EV_CLOSED of its own.)
 */
enum device_event {
	LIFE_CLAIM, /* wanted: move it to vfio-pci */
	LIFE_FOUND, /* it is on vfio-pci, and not by us */
	LIFE_LOST, /* it is on vfio-pci no more, and not by us */
	LIFE_CLAIMED, /* the worker has verified vfio-pci */
	LIFE_FAILED, /* the worker could not do it */
	LIFE_LEASE, /* handed over */
	LIFE_CLOSED, /* the last copy of the lease is closed, or revoked */
	LIFE_UNHELD, /* proven: nobody holds it */
	LIFE_RESET, /* reset, or nothing to reset */
	LIFE_GO_HOME, /* nobody wants it on vfio-pci any more */
	LIFE_HOME, /* the worker has verified the host's driver */
	LIFE_HELD, /* it was not free after all */
	LIFE_DEADLINE, /* the worker is stuck in the kernel */
	LIFE_UNWEDGED, /* and came back */
	LIFE_QUARANTINE, /* found unfit at start, or its record is unreadable */
	LIFE_RECOVER, /* an administrator wants it tried again */
	LIFE_RESUME, /* at start: a record says it is not home */
	LIFE_KEPT, /* at start: its lease lives */
	LIFE_REMOVED, /* it left the machine */
	LIFE_COUNT,
};

/* The next state, or -1 where the event must not happen. */
int transition_next(enum state, enum device_event);

/* "closed" */
const char *device_event_name(enum device_event);

#endif
