/* SPDX-License-Identifier: ISC */
/*
 * Events.  Everyone may see devices change state; whose lease it is, only its
 * owner and administrators.
 */

#include "watch.h"

#include "device.h"
#include "lease.h"
#include "loop.h"
#include "request.h"
#include "session.h"

#include <bsd/string.h>

#define NOBODY UINT32_MAX

static uint64_t number;

/* Whose it is, and why, which may name a user and a process. */
static void
watch_hide(struct mon_event *e)
{
	e->uid = NOBODY;
	e->lease = 0;
	if (e->kind == MON_EVENT_DEVICE)
		memset(e->text, 0, sizeof(e->text));
}

static void
watch_tell(struct mon_event *e, const char *text)
{
	struct session *s, *next;

	e->number = ++number;
	e->time_us = clock_wall_us();
	strlcpy(e->text, text, sizeof(e->text));
	TAILQ_FOREACH_SAFE(s, &sessions, entry, next) {
		struct mon_event shown = *e;

		if (!s->watching)
			continue;
		if (e->kind != MON_EVENT_POLICY && e->uid != s->peer.who.uid &&
		    !request_admin(s))
			watch_hide(&shown);
		session_event(s, &shown);
	}
}

void
watch_device(const struct device *d, enum state from, uint64_t spent_us)
{
	struct mon_event e = { .kind = MON_EVENT_DEVICE,
		.device = d->facts.bdf,
		.duration_us = spent_us,
		.from = from,
		.to = d->state,
		.lease = d->lease == NULL ? 0 : d->lease->id,
		.uid = d->lease == NULL ? NOBODY : d->lease->uid };

	watch_tell(&e, d->why);
}

void
watch_appeared(const struct device *d)
{
	struct mon_event e = { .kind = MON_EVENT_DEVICE,
		.device = d->facts.bdf,
		.from = STATE_GONE,
		.to = d->state,
		.uid = NOBODY };

	watch_tell(&e, "it appeared");
}

void
watch_lease(const struct lease *l, const char *what)
{
	struct mon_event e = {
		.kind = MON_EVENT_LEASE, .lease = l->id, .uid = l->uid
	};

	watch_tell(&e, what);
}

void
watch_policy(const char *what)
{
	struct mon_event e = { .kind = MON_EVENT_POLICY, .uid = NOBODY };

	watch_tell(&e, what);
}
