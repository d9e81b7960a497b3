/* SPDX-License-Identifier: ISC */
/*
 * Taking a lease back, in three degrees: an event to its holder, who may close
 * it; after the grace time the kernel's request interrupt, which a VMM turns
 * into an unplug; and then patience.  The report says which devices came back
 * and who still has the others.
 */

#include "revoke.h"

#include "broker/common/state.h"
#include "check.h"
#include "config.h"
#include "inventory.h"
#include "lease.h"
#include "life.h"
#include "loop.h"
#include "request.h"
#include "session.h"
#include "watch.h"

#include <stdio.h>
#include <stdlib.h>

#define LOOK_MS 50

struct revocation {
	TAILQ_ENTRY(revocation) entry;
	struct session *session; /* NULL: nobody waits for the report */
	uint64_t lease;
	uint64_t grace_end; /* clock_us() */
	uint64_t end;
	bool asked; /* by the kernel */
	struct event *timer;
	size_t n;
	struct bdf devices[CHECK_MEMBERS_MAX];
};

static TAILQ_HEAD(, revocation) revocations = TAILQ_HEAD_INITIALIZER(
    revocations);

static void
revocation_free(struct revocation *r)
{
	TAILQ_REMOVE(&revocations, r, entry);
	loop_free(&r->timer);
	free(r);
}

/* From this lease: what is leased anew has been here. */
static bool
is_back(const struct device *d)
{
	return d == NULL || d->state == STATE_LEASED ||
	       d->state == STATE_HOST || d->state == STATE_READY ||
	       d->state == STATE_RESTORING || d->state == STATE_RESETTING ||
	       d->state == STATE_CLAIMING;
}

static bool
all_back(const struct revocation *r)
{
	if (lease_find(r->lease) != NULL)
		return false;
	for (size_t i = 0; i < r->n; i++) {
		if (!is_back(inventory_find(&r->devices[i])))
			return false;
	}
	return true;
}

static void
revocation_report(struct revocation *r)
{
	struct session *s = r->session;
	bool back = all_back(r);

	if (s != NULL) {
		for (size_t i = 0; i < r->n; i++) {
			struct device *d = inventory_find(&r->devices[i]);
			char text[WHY_MAX + 64], name[BDF_STRLEN];

			snprintf(text, sizeof(text), "%s: %s%s%s",
			    bdf_format(&r->devices[i], name),
			    d == NULL ? "gone" : state_name(d->state),
			    is_back(d) ? "" : ": ", is_back(d) ? "" : d->why);
			session_text(s, MON_TEXT_WHY, text);
		}
	}
	revocation_free(r);
	if (s != NULL)
		session_end(s, back ? STATUS_OK : STATUS_BUSY);
}

static void
ask_kernel(struct revocation *r)
{
	struct lease *l = lease_find(r->lease);
	struct device *d;

	r->asked = true;
	if (l == NULL)
		return;
	while ((d = TAILQ_FIRST(&l->devices)) != NULL)
		life_ask_back(d);
	lease_end(l, "revoked");
}

static void
revocation_look(void *arg)
{
	struct revocation *r = arg;
	uint64_t now = clock_us();

	if (!r->asked && now >= r->grace_end)
		ask_kernel(r);
	if (now >= r->end || all_back(r))
		revocation_report(r);
	else
		loop_timer(r->timer, LOOK_MS);
}

static void
note_devices(struct revocation *r, const struct lease *l)
{
	const struct device *d;

	TAILQ_FOREACH(d, &l->devices, of_lease) {
		if (r->n < CHECK_MEMBERS_MAX)
			r->devices[r->n++] = d->facts.bdf;
	}
}

void
revoke_start(struct session *s, const void *record)
{
	const struct mon_revoke *m = record;
	struct lease *l = lease_find(m->lease);
	struct revocation *r;

	if (l == NULL || l->revoking) {
		session_refuse(s, l == NULL ? STATUS_NOT_FOUND : STATUS_BUSY,
		    l == NULL ? "there is no lease %llu (see: vfiobroker "
				"status)"
			      : "lease %llu is being revoked already: wait for "
				"that",
		    (unsigned long long)m->lease);
		return;
	}
	r = calloc(1, sizeof(*r));
	if (r == NULL ||
	    loop_event(&r->timer, -1, 0, revocation_look, r) != 0) {
		free(r);
		session_end(s, STATUS_INTERNAL);
		return;
	}
	r->session = s;
	r->lease = l->id;
	r->grace_end = clock_us() + (uint64_t)m->grace_ms * 1000;
	r->end = r->grace_end + (uint64_t)config.worker_timeout * 2000000;
	note_devices(r, l);
	TAILQ_INSERT_TAIL(&revocations, r, entry);
	l->revoking = true;
	watch_lease(l, "asked back by an administrator");
	loop_timer(r->timer, 0);
}

void
revoke_forget(const struct session *s)
{
	struct revocation *r;

	TAILQ_FOREACH(r, &revocations, entry) {
		if (r->session == s)
			r->session = NULL;
	}
}
