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
	{ STATE_HOST, EV_CLAIM, STATE_CLAIMING },
	{ STATE_CLAIMING, EV_CLAIMED, STATE_READY },
	{ STATE_CLAIMING, EV_FAILED, STATE_RESTORING },
	{ STATE_CLAIMING, EV_DEADLINE, STATE_WEDGED },
	{ STATE_READY, EV_LEASE, STATE_LEASED },

	/* others move it too */
	{ STATE_HOST, EV_FOUND, STATE_READY },
	{ STATE_READY, EV_LOST, STATE_HOST },

	/* the way home */
	{ STATE_LEASED, EV_CLOSED, STATE_DRAINING },
	{ STATE_DRAINING, EV_UNHELD, STATE_RESETTING },
	{ STATE_DRAINING, EV_DEADLINE, STATE_WEDGED },
	{ STATE_RESETTING, EV_RESET, STATE_READY },
	{ STATE_RESETTING, EV_FAILED, STATE_QUARANTINED },
	{ STATE_RESETTING, EV_DEADLINE, STATE_WEDGED },
	{ STATE_READY, EV_GO_HOME, STATE_RESTORING },
	{ STATE_RESTORING, EV_HOME, STATE_HOST },
	{ STATE_RESTORING, EV_FAILED, STATE_QUARANTINED },
	{ STATE_RESTORING, EV_DEADLINE, STATE_WEDGED },

	/* trouble: whatever happened, proof of being unheld comes first */
	{ STATE_WEDGED, EV_UNWEDGED, STATE_DRAINING },
	{ STATE_QUARANTINED, EV_RECOVER, STATE_DRAINING },

	/* at start every device is the host's until its record says more */
	{ STATE_HOST, EV_RESUME, STATE_DRAINING },
	{ STATE_HOST, EV_KEPT, STATE_LEASED },
	{ STATE_HOST, EV_QUARANTINE, STATE_QUARANTINED },
	{ STATE_HOST, EV_DEADLINE, STATE_WEDGED },

	/* cards can be pulled at any time */
	{ STATE_HOST, EV_REMOVED, STATE_GONE },
	{ STATE_CLAIMING, EV_REMOVED, STATE_GONE },
	{ STATE_READY, EV_REMOVED, STATE_GONE },
	{ STATE_LEASED, EV_REMOVED, STATE_GONE },
	{ STATE_DRAINING, EV_REMOVED, STATE_GONE },
	{ STATE_RESETTING, EV_REMOVED, STATE_GONE },
	{ STATE_RESTORING, EV_REMOVED, STATE_GONE },
	{ STATE_QUARANTINED, EV_REMOVED, STATE_GONE },
	{ STATE_WEDGED, EV_REMOVED, STATE_GONE },
};

static const char *const names[EV_COUNT] = {
	[EV_CLAIM] = "claim",
	[EV_FOUND] = "found",
	[EV_LOST] = "lost",
	[EV_CLAIMED] = "claimed",
	[EV_FAILED] = "failed",
	[EV_LEASE] = "lease",
	[EV_CLOSED] = "closed",
	[EV_UNHELD] = "unheld",
	[EV_RESET] = "reset",
	[EV_GO_HOME] = "go-home",
	[EV_HOME] = "home",
	[EV_DEADLINE] = "deadline",
	[EV_UNWEDGED] = "unwedged",
	[EV_QUARANTINE] = "quarantine",
	[EV_RECOVER] = "recover",
	[EV_RESUME] = "resume",
	[EV_KEPT] = "kept",
	[EV_REMOVED] = "removed",
};

int
transition_next(enum state from, enum device_event event)
{
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
