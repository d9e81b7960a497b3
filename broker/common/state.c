/* SPDX-License-Identifier: ISC */
/* The table behind state.h.  Pure. */

#include "state.h"

static const char *const names[STATE_COUNT] = {
	[STATE_HOST] = "host",
	[STATE_CLAIMING] = "claiming",
	[STATE_READY] = "ready",
	[STATE_LEASED] = "leased",
	[STATE_DRAINING] = "draining",
	[STATE_RESETTING] = "resetting",
	[STATE_RESTORING] = "restoring",
	[STATE_QUARANTINED] = "quarantined",
	[STATE_WEDGED] = "wedged",
	[STATE_GONE] = "gone",
};

const char *
state_name(enum state s)
{
	return names[s];
}
