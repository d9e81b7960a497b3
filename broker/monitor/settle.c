/* SPDX-License-Identifier: ISC */
/*
 * The broker may have died anywhere.  Whatever was half done is not finished
 * but undone, by the one way that also ends a lease: drain, reset, restore;
 * each of its steps may be repeated.  So there is no list of cases here that
 * could lack one.
 */

#include "settle.h"

#include "broker/common/log.h"
#include "inventory.h"
#include "lease.h"
#include "life.h"
#include "policyload.h"
#include "rundir.h"
#include "vfio.h"

#include <string.h>

static void
settle_record(struct device *d)
{
	const struct record *r = &d->record;
	struct lease *l = r->lease == 0 ? NULL : lease_find(r->lease);

	/* Before its state changes: it may be found free at once. */
	if (strcmp(r->step, "quarantined") != 0) /* proven free by then */
		lease_held(r->lease, d);
	if (rundir_worker_of(&d->facts.bdf) != 0) {
		life_event(d, LIFE_DEADLINE,
		    "a worker of the broker before this one is stuck with it");
	} else if (l != NULL && strcmp(r->step, "leased") == 0) {
		lease_add(l, d);
		life_event(d, LIFE_KEPT, "its lease lives");
	} else if (strcmp(r->step, "quarantined") == 0) {
		life_event(d, LIFE_QUARANTINE,
		    r->why[0] != '\0' ? r->why : "since before a restart");
	} else {
		life_event(d, LIFE_RESUME, r->step);
	}
}

static void
found_record(void *arg, const char *name)
{
	struct device *d;
	struct bdf bdf;
	int r;

	(void)arg;
	if (!record_named(name, &bdf)) {
		log_warn("%s/%s is no record: ignored",
		    rundir_path(RUNDIR_DEVICES), name);
		return;
	}
	d = inventory_find(&bdf);
	if (d == NULL) {
		log_info("%s left the machine meanwhile", name);
		(void)record_remove(&bdf); /* told there */
		return;
	}
	/* Before it is settled: what the policy claims rests where it is. */
	d->claimed =
	    policy_claims(policy_current(), &inventory_world, &d->facts);
	if (d->has_record)
		return; /* a rewritten directory can name it twice */
	r = record_read(&bdf, &d->record);
	d->has_record = true;
	if (r == 0) {
		settle_record(d);
		return;
	}
	/* Nobody knows what to put back: leave it and say so. */
	log_warn("%s: its record: %s", device_name(d), strerror(-r));
	d->record = (struct record){ .bdf = bdf,
		.lease = RECORD_SOMEBODY,
		.cdev = vfio_has_iommufd(),
		.rebind = vfio_has_iommufd() };
	d->unreadable = true;
	life_event(d, LIFE_QUARANTINE, "its record can not be read");
}

/* A lease that lives while none of its devices is left serves nobody, but its
 * holder still sees it until it closes it. */
int
settle_records(void)
{
	int r = rundir_each(RUNDIR_DEVICES, found_record, NULL);

	lease_settled();
	return r;
}

void
settle_all(void)
{
	struct device *d, *next;

	TAILQ_FOREACH(d, &inventory, entry) {
		d->claimed = policy_claims(
		    policy_current(), &inventory_world, &d->facts);
		d->claim_failed = false;
	}
	TAILQ_FOREACH_SAFE(d, &inventory, entry, next)
		life_settle(d);
}
