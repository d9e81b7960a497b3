/* SPDX-License-Identifier: ISC */
/*
 * Devices' lives: the actions behind the table of transition.c.
 *
 * The order after a lease is always the same, and so it is after every kind of
 * trouble: prove that nobody holds the device, reset it, and only then give it
 * to the next owner or the host.
 */

#include "life.h"

#include "acquire.h"
#include "broker/common/log.h"
#include "broker/common/status.h"
#include "check.h"
#include "drain.h"
#include "inventory.h"
#include "lease.h"
#include "loop.h"
#include "policyload.h"
#include "watch.h"
#include "worker.h"

#include <bsd/string.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define RETRY_MS 250
#define ARRIVAL_MS 1000

/* One that was taken off vfio-pci behind our back goes home next. */
bool
life_in_transit(const struct device *d)
{
	return d->state == STATE_CLAIMING || d->state == STATE_DRAINING ||
	       d->state == STATE_RESETTING || d->state == STATE_RESTORING ||
	       (d->state == STATE_READY && d->record.taken &&
		   d->wanted == NULL && !device_on_vfio(d));
}

/* ---- records ---------------------------------------------------------- */

/* While a worker runs the record is its own to write. */
int
life_keep_record(struct device *d)
{
	int r = record_write(&d->record);

	d->has_record = true;
	if (r != 0)
		log_warn("%s: cannot write its record: %s", device_name(d),
		    strerror(-r));
	return r;
}

static int
record_as(struct device *d, const char *step)
{
	strlcpy(d->record.step, step, sizeof(d->record.step));
	d->record.why[0] = '\0';
	if (d->state == STATE_QUARANTINED)
		memcpy(d->record.why, d->why, sizeof(d->record.why));
	return life_keep_record(d);
}

static void
record_forget(struct device *d)
{
	int r = record_remove(&d->record.bdf);

	if (r != 0)
		log_warn("%s: cannot remove its record: %s", device_name(d),
		    strerror(-r));
	d->record = (struct record){ .bdf = d->facts.bdf };
	d->has_record = d->unreadable = false;
}

/* ---- entering states -------------------------------------------------- */

/* Nobody tries again by himself: not the policy, and not who asked. */
static void
claim_has_failed(struct device *d, const char *why, enum status status)
{
	d->claim_failed = true;
	if (d->wanted != NULL)
		acquisition_failed(d->wanted, d, why, status);
}

/* A claim can be told to have failed; what goes home has to get there. */
static void
start_worker(struct device *d, enum plan plan)
{
	int r = worker_start(d, plan);

	if (r == 0)
		return;
	if (plan != PLAN_CLAIM) {
		log_warn("%s: %s: no worker: %s", device_name(d),
		    plan_name(plan), strerror(-r));
		life_look_later(d, RETRY_MS);
		return;
	}
	claim_has_failed(d, strerror(-r), STATUS_OS);
	life_event(d, LIFE_FAILED, strerror(-r));
}

/* Claim lines for others of its group had to wait for this one's rest, and their
 * way home for the proof that nobody has it. */
static void
settle_group(const struct device *of)
{
	struct device *d;

	TAILQ_FOREACH(d, &inventory, entry) {
		if (inventory_mates(d, of) &&
		    (d->state == STATE_READY ||
			(d->claimed && d->state == STATE_HOST)))
			life_look_later(d, 0);
	}
}

static void
enter_host(struct device *d)
{
	if (d->has_record)
		record_forget(d);
	life_settle(d);
	settle_group(d);
}

static void
enter_claiming(struct device *d)
{
	d->has_record = true;
	start_worker(d, PLAN_CLAIM);
}

static void
enter_ready(struct device *d)
{
	d->record.lease = 0; /* from here on nobody has had it */
	if (d->record.taken)
		record_as(d, "ready");
	else if (d->has_record)
		record_forget(d);
	life_settle(d);
	settle_group(d);
}

static void
look_timer(void *arg)
{
	struct device *d = arg;

	if (d->state == STATE_HOST || d->state == STATE_READY) {
		life_settle(d);
		acquisition_poke(); /* it has arrived, driver or not */
	} else if (d->state == STATE_RESETTING || d->state == STATE_RESTORING) {
		/* No worker could be had before. */
		if (d->worker == NULL)
			start_worker(d, d->state == STATE_RESETTING
					    ? PLAN_RESET
					    : PLAN_RESTORE);
	} else {
		drain_look(d);
	}
}

void
life_look_later(struct device *d, unsigned ms)
{
	if (d->timer == NULL &&
	    loop_event(&d->timer, -1, 0, look_timer, d) != 0)
		log_fatal("%s: no memory for a timer", device_name(d));
	loop_timer(d->timer, ms);
}

void
life_arrived(struct device *d)
{
	life_look_later(d, ARRIVAL_MS);
}

bool
life_arriving(const struct device *d)
{
	return d->state == STATE_HOST && d->driver[0] == '\0' &&
	       d->timer != NULL && event_pending(d->timer, EV_TIMEOUT, NULL);
}

static void
enter_draining(struct device *d)
{
	d->record.why[0] = '\0';
	drain_look(d); /* or when its worker is done */
}

static void
enter_resetting(struct device *d)
{
	lease_unheld(d);
	/* Never under a host driver: it owns the device by now, and the
	 * reset could hang in it. */
	if (d->driver[0] != '\0' && !device_on_vfio(d))
		life_event(d, LIFE_RESET, "a host driver has it");
	else if (d->record.lease == 0)
		life_event(d, LIFE_RESET, "nobody has had it");
	else
		start_worker(d, PLAN_RESET);
}

/* Without a note of what was there, nothing was changed either: a claim that
 * failed at its first step must not unbind what it has not seen. */
static void
enter_restoring(struct device *d)
{
	if (!d->record.taken)
		life_event(d, LIFE_HOME, "nothing had been changed");
	else
		start_worker(d, PLAN_RESTORE);
}

static void
enter_quarantined(struct device *d)
{
	log_warn("%s is in quarantine: %s", device_name(d), d->why);
	/* One that cannot be read is left for a person to read. */
	if (!d->unreadable)
		record_as(d, "quarantined");
	settle_group(d);
}

static void
enter_gone(struct device *d)
{
	worker_abandon(d);
	if (d->lease != NULL)
		lease_drop(d->lease, d);
	lease_unheld(d);
	if (d->has_record)
		record_forget(d);
	settle_group(d);
}

static void
enter_wedged(struct device *d)
{
	log_warn("%s is wedged: %s", device_name(d), d->why);
	if (d->worker == NULL)
		drain_look_again(d);
}

static void (*const enter[STATE_COUNT])(struct device *) = {
	[STATE_HOST] = enter_host,
	[STATE_CLAIMING] = enter_claiming,
	[STATE_READY] = enter_ready,
	[STATE_DRAINING] = enter_draining,
	[STATE_RESETTING] = enter_resetting,
	[STATE_RESTORING] = enter_restoring,
	[STATE_QUARANTINED] = enter_quarantined,
	[STATE_WEDGED] = enter_wedged,
	[STATE_GONE] = enter_gone,
};

/* A claim line for its PF had to wait for this. */
static void
settle_pf(const struct device *vf)
{
	struct device *pf =
	    vf->facts.is_vf ? inventory_find(&vf->facts.pf) : NULL;

	if (pf != NULL && pf->claimed && pf->state == STATE_HOST)
		life_look_later(pf, 0);
}

void
life_event(struct device *d, enum device_event ev, const char *why)
{
	enum state from = d->state;
	int to = transition_next(from, ev);
	uint64_t now = clock_us(), spent = now - d->since_us;

	if (to < 0)
		log_fatal("%s: %s while %s", device_name(d),
		    device_event_name(ev), state_name(from));
	d->state = (enum state)to;
	d->since_us = now;
	d->looks = 0;
	strlcpy(d->why, why, sizeof(d->why));
	log_info("%s: %s -> %s (%s) after %llu.%03llu s", device_name(d),
	    state_name(from), state_name(d->state), why,
	    (unsigned long long)(spent / 1000000),
	    (unsigned long long)(spent / 1000 % 1000));
	watch_device(d, from, spent);
	if (enter[to] != NULL)
		enter[to](d);
	if (from == STATE_WEDGED)
		settle_pf(d);
	acquisition_poke();
}

void
life_unwanted(struct device *d)
{
	d->wanted = NULL;
	life_settle(d);
	settle_group(d);
}

/* The world may be another one since the look began: settled from scratch, with
 * what was found, once. */
static void
claim_seen(void *arg)
{
	struct device *d = arg;

	(void)inventory_refresh_driver(d); /* told there */
	life_settle(d);
	hostuse_drop(&d->look);
}

/* The policy would have it: if the host can do without it. */
static void
claim(struct device *d)
{
	if (!check_claimable(d, d->look))
		return;
	if (d->look != NULL && hostuse_done(d->look)) {
		life_event(d, LIFE_CLAIM, "claimed by the policy");
		return;
	}
	if (d->look == NULL)
		d->look = hostuse_look(
		    HOSTUSE_POLICY, &d->facts.bdf, 1, claim_seen, d);
	if (d->look == NULL)
		log_warn("%s is not claimed: no memory", device_name(d));
}

static bool
is_unproven(const struct device *d)
{
	return d->lease != NULL || d->state == STATE_DRAINING ||
	       d->state == STATE_WEDGED || d->record.rebind;
}

/*
 * Whether somebody may still have another member of its group.  He could put the
 * group to use at any moment, and the kernel would refuse the host's driver.
 */
static bool
group_unproven(const struct device *of)
{
	const struct device *d;

	TAILQ_FOREACH(d, &inventory, entry) {
		if (inventory_mates(d, of) && is_unproven(d))
			return true;
	}
	return false;
}

void
life_settle(struct device *d)
{
	if (d->wanted != NULL || d->lease != NULL || d->worker != NULL)
		return;
	if (d->state == STATE_READY && d->record.taken &&
	    (!d->claimed || !device_on_vfio(d)) && policyload_done() &&
	    !group_unproven(d))
		life_event(d, LIFE_GO_HOME, "nobody wants it");
	else if (d->state == STATE_HOST && d->claimed && !d->claim_failed &&
		 !device_on_vfio(d))
		claim(d);
	else if (d->state == STATE_HOST && device_on_vfio(d))
		life_event(d, LIFE_FOUND, "it is on a vfio driver already");
	else if (d->state == STATE_READY && !d->record.taken &&
		 !device_on_vfio(d))
		life_event(d, LIFE_LOST, "it left its vfio driver");
}

/* ---- workers ---------------------------------------------------------- */

static const struct {
	enum device_event done;
	const char *why;
} outcomes[PLAN_COUNT] = {
	[PLAN_CLAIM] = { LIFE_CLAIMED, "vfio-pci has it" },
	[PLAN_RESET] = { LIFE_RESET, "reset" },
	[PLAN_RESTORE] = { LIFE_HOME, "given back" },
};

static void
read_back(struct device *d)
{
	int e = record_read(&d->facts.bdf, &d->record);

	if (e != 0 && e != -ENOENT)
		log_fatal("%s: its record cannot be read back: %s",
		    device_name(d), strerror(-e));
}

static enum status
claim_status(const struct worker_result *res)
{
	/* The first step loads vfio-pci: a kernel without it lends nothing. */
	if (res->error == -ENODEV && strcmp(res->step, "module") == 0)
		return STATUS_UNAVAILABLE;
	return strcmp(res->step, WORKER_QUEUED) == 0 ? STATUS_BUSY : STATUS_OS;
}

static void
claim_done(struct device *d, const struct worker_result *res, const char *why)
{
	d->claim_failed = false;
	if (res->error != 0)
		claim_has_failed(d, why, claim_status(res));
}

static void
worker_failed(
    struct device *d, const struct worker_result *res, const char *why)
{
	if (res->plan != PLAN_CLAIM && strcmp(res->step, WORKER_QUEUED) == 0) {
		life_look_later(d, RETRY_MS);
	} else if (res->plan == PLAN_RESTORE && res->error == -EBUSY &&
		   strcmp(res->step, "prove") == 0) {
		drain_had_by_somebody(d);
		life_event(d, LIFE_HELD, "somebody has its group open");
	} else {
		life_event(d, LIFE_FAILED, why);
	}
}

/* A reset that came late is one all the same: the next would be as late. */
static void
wedged_done(struct device *d, const struct worker_result *res)
{
	if (res->plan == PLAN_RESET && res->error == 0)
		d->record.lease = 0;
	life_event(d, LIFE_UNWEDGED, "the kernel let go of it");
}

static void
worker_done(struct device *d, const struct worker_result *res)
{
	char why[WHY_MAX];

	(void)inventory_refresh_driver(d); /* told there */
	snprintf(why, sizeof(why), "%s: %s", res->step,
	    res->text[0] != '\0' ? res->text : strerror(-res->error));
	if (res->plan != PLAN_PROVE && res->plan != PLAN_NAME)
		read_back(d);
	if (res->plan == PLAN_CLAIM)
		claim_done(d, res, why);
	if (d->state == STATE_WEDGED)
		wedged_done(d, res);
	else if (d->state == STATE_DRAINING && res->plan == PLAN_UNBIND)
		drain_look(d);
	else if (d->state == STATE_DRAINING)
		drain_looked(d, res);
	else if (res->error == 0)
		life_event(
		    d, outcomes[res->plan].done, outcomes[res->plan].why);
	else
		worker_failed(d, res, why);
}

static void
worker_late(struct device *d, enum plan plan)
{
	char why[WHY_MAX];

	if (transition_next(d->state, LIFE_DEADLINE) < 0)
		return;
	/* The old reason says for whom. */
	snprintf(why, sizeof(why), "%s does not return from the kernel; ",
	    plan_name(plan));
	(void)strlcat(why, d->why, sizeof(why));
	life_event(d, LIFE_DEADLINE, why);
}

void
life_removed(struct device *d)
{
	/* Its lease lives on without it until the holder is done. */
	life_event(d, LIFE_REMOVED, "it left the machine");
	inventory_forget(d);
}

void
life_take_back(struct device *d)
{
	/* It is in no lease any more, and a restart must see that. */
	(void)record_as(d, "ready");
	lease_drop(d->lease, d);
	life_event(d, LIFE_CLOSED, "another could not be lent");
}

int
life_lend(struct device *d, struct lease *l, const char *why)
{
	int r;

	d->record.lease = l->id;
	r = record_as(d, "leased");
	if (r != 0) {
		d->record.lease = 0;
		return r;
	}
	d->wanted = NULL;
	lease_add(l, d);
	life_event(d, LIFE_LEASE, why);
	return 0;
}

void
life_ask_back(struct device *d)
{
	const struct lease *l = d->lease;
	char why[WHY_MAX];

	snprintf(why, sizeof(why), "revoked from uid %u, pid %d (%s)", l->uid,
	    l->pid, lease_command(l));
	lease_drop(d->lease, d);
	d->ask_back = device_on_vfio(d);
	life_event(d, LIFE_CLOSED, why);
}

static const struct worker_calls calls = { worker_done, worker_late };

void
life_init(void)
{
	worker_init(&calls);
}
