/* SPDX-License-Identifier: ISC */
#ifndef VFIOBROKER_POLICY_MACHINE_H
#define VFIOBROKER_POLICY_MACHINE_H

/*
 * A machine as the client sees it, for advice only: lint.h and generate.h.
 * The monitor links none of this.
 */

#include "policy.h"

struct policy_machine {
	const struct policy_device *devices;
	size_t ndevices;

	/* Whether a reason against taking device i holds now; may be NULL. */
	bool (*needs)(void *arg, size_t i, enum reason);

	/* What a person calls device i; may be NULL or return NULL. */
	const char *(*label)(void *arg, size_t i);
	void *arg;
};

/* Never given out, and ignored where groups are judged, as the kernel does. */
static inline bool
device_is_bridge(const struct policy_device *d)
{
	return (d->class >> 16 & 0xff) == 0x06;
}

#endif
