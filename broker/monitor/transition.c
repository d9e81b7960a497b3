/* SPDX-License-Identifier: ISC */
/* The table behind transition.h. Pure. */

#include "transition.h"

#include <stddef.h>

struct edge {
	enum state from;
	enum device_event event;
	enum state to;
};

static const struct edge edges[] = {
	/* the way out */
	{ STATE_HOST, LIFE_CLAIM, STATE_CLAIMING },
	{ STATE_CLAIMING, LIFE_CLAIMED, STATE_READY },
	{ STATE_CLAIMING, LIFE_FAILED, STATE_RESTORING },
	{ STATE_CLAIMING, LIFE_DEADLINE, STATE_WEDGED },
	{ STATE_READY, LIFE_LEASE, STATE_LEASED },

	/* others move it too */
	{ STATE_HOST, LIFE_FOUND, STATE_READY },
	{ STATE_READY, LIFE_LOST, STATE_HOST },

	/* the way home */
	{ STATE_LEASED, LIFE_CLOSED, STATE_DRAINING },
	{ STATE_DRAINING, LIFE_UNHELD, STATE_RESETTING },
	{ STATE_DRAINING, LIFE_DEADLINE, STATE_WEDGED },
	{ STATE_RESETTING, LIFE_RESET, STATE_READY },
	{ STATE_RESETTING, LIFE_FAILED, STATE_QUARANTINED },
	{ STATE_RESETTING, LIFE_DEADLINE, STATE_WEDGED },
	{ STATE_READY, LIFE_GO_HOME, STATE_RESTORING },
	{ STATE_RESTORING, LIFE_HOME, STATE_HOST },
	{ STATE_RESTORING, LIFE_HELD, STATE_DRAINING },
	{ STATE_RESTORING, LIFE_FAILED, STATE_QUARANTINED },
	{ STATE_RESTORING, LIFE_DEADLINE, STATE_WEDGED },

	/* trouble: whatever happened, proof of being unheld comes first */
	{ STATE_WEDGED, LIFE_UNWEDGED, STATE_DRAINING },
	{ STATE_QUARANTINED, LIFE_RECOVER, STATE_DRAINING },

	/* at start every device is the host's until its record says more */
	{ STATE_HOST, LIFE_RESUME, STATE_DRAINING },
	{ STATE_HOST, LIFE_KEPT, STATE_LEASED },
	{ STATE_HOST, LIFE_QUARANTINE, STATE_QUARANTINED },
	{ STATE_HOST, LIFE_DEADLINE, STATE_WEDGED },
};

static const char *const names[LIFE_COUNT] = {
	[LIFE_CLAIM] = "claim",
	[LIFE_FOUND] = "found",
	[LIFE_LOST] = "lost",
	[LIFE_CLAIMED] = "claimed",
	[LIFE_FAILED] = "failed",
	[LIFE_LEASE] = "lease",
	[LIFE_CLOSED] = "closed",
	[LIFE_UNHELD] = "unheld",
	[LIFE_RESET] = "reset",
	[LIFE_GO_HOME] = "go-home",
	[LIFE_HOME] = "home",
	[LIFE_HELD] = "held",
	[LIFE_DEADLINE] = "deadline",
	[LIFE_UNWEDGED] = "unwedged",
	[LIFE_QUARANTINE] = "quarantine",
	[LIFE_RECOVER] = "recover",
	[LIFE_RESUME] = "resume",
	[LIFE_KEPT] = "kept",
	[LIFE_REMOVED] = "removed",
};

int
transition_next(enum state from, enum device_event event)
{
	/* Cards can be pulled at any time. */
	if (event == LIFE_REMOVED && from < STATE_GONE)
		return STATE_GONE;
	for (size_t i = 0; i < sizeof(edges) / sizeof(edges[0]); i++) {
		if (edges[i].from == from && edges[i].event == event)
			return (int)edges[i].to;
	}
	return -1;
}

const char *
device_event_name(enum device_event event)
{
	return names[event];
}
