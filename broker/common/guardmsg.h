/* SPDX-License-Identifier: ISC */
#ifndef VFIOBROKER_GUARDMSG_H
#define VFIOBROKER_GUARDMSG_H

/*
 * What vfiobroker-guard writes into the monitor's pipe, a record each time: for
 * each device that it was asked about, in that order, the reasons found, and
 * then one that ends them.  After the last of those its output ends.
 */

#include <stdbool.h>
#include <stdint.h>

#define GUARDMSG_DEVICES_MAX 32 /* it may be asked about */
#define GUARDMSG_WHAT_MAX 512

struct guardmsg {
	uint32_t device; /* its place in the question */
	uint32_t reason; /* REASON_COUNT: that was all of this device */
	int32_t error; /* then: 0, or -errno where that is not the whole */
	char what[GUARDMSG_WHAT_MAX]; /* printable ASCII, the rest is zero */
};

/* Whether that may come next, when all of the devices before is told. */
bool guardmsg_check(const struct guardmsg *, uint32_t device);

#endif
