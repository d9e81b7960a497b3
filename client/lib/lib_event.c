/* SPDX-License-Identifier: ISC */
/*
 * Events: reading them, and keeping those that arrive between the replies of
 * a call until somebody asks.  Must never grow without bound: when the ring is
 * full the oldest event goes, and the numbers show the gap.
 */

#include "lib.h"

#include <errno.h>
#include <stdlib.h>

int
lib_event(struct vfiobroker_event *to, const Vfiobroker__Event *from)
{
	*to = (struct vfiobroker_event){
		.number = from->number,
		.time_us = from->time_us,
		.duration_us = from->duration_us,
		.lease = from->lease,
		.has_owner = from->has_owner,
		.owner = from->owner,
	};
	if (lib_bdf(&to->device, from->device) != 0 ||
	    lib_string(to->kind, sizeof(to->kind), from->kind) != 0 ||
	    lib_string(to->from, sizeof(to->from), from->from) != 0 ||
	    lib_string(to->to, sizeof(to->to), from->to) != 0 ||
	    lib_string(to->text, sizeof(to->text), from->text) != 0)
		return -EPROTO;
	return 0;
}

void
lib_event_queue(struct vfiobroker *h, const struct vfiobroker_event *e)
{
	if (h->events == NULL)
		h->events = calloc(LIB_EVENTS_MAX, sizeof(*h->events));
	if (h->events == NULL)
		return; /* a gap in the numbers, as when it is full */
	if (h->nevents == LIB_EVENTS_MAX) {
		h->first_event = (h->first_event + 1) % LIB_EVENTS_MAX;
		h->nevents--;
	}
	h->events[(h->first_event + h->nevents) % LIB_EVENTS_MAX] = *e;
	h->nevents++;
}

int
vfiobroker_watch(struct vfiobroker *h)
{
	Vfiobroker__Request req;
	Vfiobroker__Watch watch;

	vfiobroker__request__init(&req);
	vfiobroker__watch__init(&watch);
	req.op_case = VFIOBROKER__REQUEST__OP_WATCH;
	req.watch = &watch;
	return lib_call(h, &req, -1, NULL);
}

size_t
vfiobroker_events_queued(const struct vfiobroker *h)
{
	return h->nevents;
}

int
vfiobroker_next_event(struct vfiobroker *h, struct vfiobroker_event *out)
{
	if (h->nevents == 0)
		return lib_recv_event(h, out);
	*out = h->events[h->first_event];
	h->first_event = (h->first_event + 1) % LIB_EVENTS_MAX;
	h->nevents--;
	return 0;
}
