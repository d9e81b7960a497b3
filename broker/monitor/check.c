/* SPDX-License-Identifier: ISC */
/*
 * The questions that stand between a request and a device, in this order: is
 * it there, does the policy allow it, is it free, does its group come along,
 * can the host do without it.  The order matters for what a stranger learns:
 * who is not allowed hears nothing about holders, siblings and mounts.
 */

#include "check.h"

#include "broker/common/log.h"
#include "broker/common/state.h"
#include "config.h"
#include "guard.h"
#include "inventory.h"
#include "lease.h"
#include "life.h"
#include "policyload.h"
#include "vfio.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CLASS_BRIDGE 0x06

static void
refuse(struct check *c, enum status status)
{
	if (c->status == STATUS_OK)
		c->status = status;
}

/* Whether the device would have to be taken from the host. */
static bool
needs_claim(const struct device *d)
{
	return !device_on_vfio(d);
}

/* ---- usage ------------------------------------------------------------ */

static void
count_leases(const struct leases *list, uid_t uid, const struct lease *except,
    struct policy_usage *out)
{
	const struct lease *l;

	TAILQ_FOREACH(l, list, entry) {
		if (l->uid != uid || l == except)
			continue;
		out->leases++;
		out->memlock += l->memlock;
	}
}

/* Whose lease has it, or had it and may not have let go of it. */
static const struct lease *
holder_of(const struct device *d, bool ended)
{
	return d->lease != NULL || !ended ? d->lease : d->held_by;
}

int
usage_of(
    uid_t uid, const struct lease *except, bool ended, struct policy_usage *out)
{
	struct policy_device *devices;
	const struct device *d;
	const struct lease *l;
	size_t n = 0;

	*out = (struct policy_usage){ .ndevices = 0 };
	TAILQ_FOREACH(d, &inventory, entry)
		n++;
	devices = calloc(n + 1, sizeof(*devices));
	if (devices == NULL)
		return -ENOMEM;
	out->devices = devices;
	count_leases(&leases, uid, except, out);
	if (ended)
		count_leases(&ended_leases, uid, except, out);
	TAILQ_FOREACH(d, &inventory, entry) {
		l = holder_of(d, ended);
		if (l != NULL && l->uid == uid && l != except)
			devices[out->ndevices++] = d->facts;
	}
	return 0;
}

void
usage_clear(struct policy_usage *u)
{
	free((void *)(uintptr_t)u->devices);
	u->devices = NULL;
}

/* ---- is it there ------------------------------------------------------ */

static void
check_home(struct check *c)
{
	if (!c->foreign)
		return;
	refuse(c, STATUS_DENIED);
	texts_add(&c->texts, MON_TEXT_WHY,
	    "you are in another user namespace than the broker, where uids "
	    "and groups say nothing");
	texts_add(&c->texts, MON_TEXT_FIX,
	    "run the command outside the container, and pass on the fds");
}

static void
check_present(struct check *c)
{
	char name[BDF_STRLEN];

	for (size_t i = 0; i < c->nbdfs; i++) {
		struct device *d = inventory_find(&c->bdfs[i]);

		if (d == NULL) {
			refuse(c, STATUS_NOT_FOUND);
			texts_add(&c->texts, MON_TEXT_WHY,
			    "there is no PCI device %s on this host",
			    bdf_format(&c->bdfs[i], name));
			texts_add(
			    &c->texts, MON_TEXT_FIX, "see: vfiobroker list");
			continue;
		}
		(void)inventory_refresh_driver(d); /* told there */
		c->members[c->nmembers++] =
		    (struct check_member){ .device = d, .asked = true };
	}
}

/* ---- does the policy allow it ----------------------------------------- */

static const enum status verdicts[] = {
	[POLICY_ALLOW] = STATUS_OK,
	[POLICY_NO_RULE] = STATUS_DENIED,
	[POLICY_DENIED] = STATUS_DENIED,
	[POLICY_SHORT] = STATUS_DENIED,
	[POLICY_IDENTITY] = STATUS_IDENTITY,
	[POLICY_LIMIT] = STATUS_LIMIT,
};

/* The evaluator ends its sentence with the line to add, if one would help. */
void
check_say_decision(struct texts *texts, uid_t uid, const struct device *d,
    const struct policy_decision *dec)
{
	const char *add = strstr(dec->why, "; add: ");
	int len = add == NULL ? (int)strlen(dec->why) : (int)(add - dec->why);

	if (dec->rule == NULL)
		texts_add(texts, MON_TEXT_WHY,
		    "the policy does not let uid %u use %s: %.*s", uid,
		    device_name(d), len, dec->why);
	else
		texts_add(texts, MON_TEXT_WHY,
		    "the policy does not let uid %u use %s: %.*s (%s:%u: %s)",
		    uid, device_name(d), len, dec->why,
		    policy_rule_file(dec->rule), policy_rule_line(dec->rule),
		    policy_rule_text(dec->rule));
	if (add != NULL)
		texts_add(texts, MON_TEXT_FIX,
		    "an administrator can add to %s: %s", config.policy,
		    add + strlen("; add: "));
	else if (dec->rule != NULL)
		texts_add(texts, MON_TEXT_FIX,
		    "an administrator can change line %u of %s",
		    policy_rule_line(dec->rule), policy_rule_file(dec->rule));
}

void
check_decide_one(const struct policy_subject *who, const struct device *d,
    bool managed, const struct policy_usage *usage, uint64_t memlock,
    struct policy_decision *dec)
{
	struct policy_request req = { .devices = &d->facts,
		.ndevices = 1,
		.managed = &managed,
		.memlock = memlock };

	policy_decide(
	    policy_current(), &inventory_world, who, usage, &req, dec, NULL);
}

/* -ENOMEM, or 0 with the decision. */
static int
decide(struct check *c, bool ended, struct policy_decision *dec,
    struct policy_terms *terms)
{
	struct policy_device facts[MON_MAX_DEVICES];
	bool managed[MON_MAX_DEVICES];
	struct policy_request req = { .devices = facts,
		.ndevices = c->nmembers,
		.managed = managed,
		.memlock = c->memlock,
		.new_lease = c->lease == NULL };
	struct policy_usage usage;

	/* What a lease has already is not asked for again, but its memory
	 * is: the request says what it shall be in all. */
	if (usage_of(c->who.uid, NULL, ended, &usage) != 0)
		return -ENOMEM;
	if (c->lease != NULL)
		usage.memlock -= c->lease->memlock;
	for (size_t i = 0; i < c->nmembers; i++) {
		facts[i] = c->members[i].device->facts;
		managed[i] = c->as_managed || needs_claim(c->members[i].device);
	}
	policy_decide(policy_current(), &inventory_world, &c->who, &usage, &req,
	    dec, terms);
	usage_clear(&usage);
	return 0;
}

/* Only what is still on its way back from the same user is too much. */
static bool
is_too_soon(struct check *c)
{
	struct policy_decision dec;
	const struct device *d;

	if (decide(c, false, &dec, NULL) != 0 || dec.verdict != POLICY_ALLOW)
		return false;
	refuse(c, STATUS_BUSY);
	c->wait = true;
	TAILQ_FOREACH(d, &inventory, entry) {
		if (d->held_by != NULL && d->held_by->uid == c->who.uid)
			texts_add(&c->texts, MON_TEXT_WHY,
			    "%s of your lease %llu, which is over, still "
			    "counts: it is %s: %s",
			    device_name(d), (unsigned long long)d->held_by->id,
			    state_name(d->state), d->why);
	}
	texts_add(&c->texts, MON_TEXT_FIX,
	    "end the processes that have it open, or wait");
	return true;
}

static void
check_policy(struct check *c)
{
	struct policy_terms terms[MON_MAX_DEVICES];
	struct policy_decision dec;

	if (decide(c, true, &dec, terms) != 0) {
		refuse(c, STATUS_INTERNAL);
		return;
	}
	if (dec.verdict != POLICY_ALLOW) {
		if (is_too_soon(c))
			return;
		refuse(c, verdicts[dec.verdict]);
		check_say_decision(
		    &c->texts, c->who.uid, c->members[dec.device].device, &dec);
		return;
	}
	for (size_t i = 0; i < c->nmembers; i++)
		c->members[i].terms = terms[i];
}

/* ---- can this host lend at all ----------------------------------------- */

static void
check_available(struct check *c)
{
	for (size_t i = 0; i < c->nmembers; i++) {
		const struct policy_device *d = &c->members[i].device->facts;

		/* A bridge is not given anywhere: the guard says that. */
		if (d->group >= 0 || d->class >> 16 == CLASS_BRIDGE ||
		    vfio_available())
			continue;
		refuse(c, STATUS_UNAVAILABLE);
		texts_add(&c->texts, MON_TEXT_WHY,
		    "this host has no IOMMU at work, so nothing can be lent");
		texts_add(&c->texts, MON_TEXT_FIX,
		    "enable VT-d or AMD-Vi in the firmware; on Intel boot "
		    "with intel_iommu=on");
		return;
	}
}

/* ---- is it free ------------------------------------------------------- */

static void
say_held(struct check *c, const struct device *d, const struct lease *l)
{
	texts_add(&c->texts, MON_TEXT_WHY,
	    "%s is held by uid %u, pid %d (%s), lease %llu", device_name(d),
	    l->uid, l->pid, lease_command(l), (unsigned long long)l->id);
	texts_add(&c->texts, MON_TEXT_FIX,
	    l->uid == c->who.uid
		? "lease %llu is your own: it ends with that process"
		: "wait until lease %llu ends, or an administrator can ask "
		  "for it back: vfiobroker revoke %llu",
	    (unsigned long long)l->id, (unsigned long long)l->id);
}

static void
say_busy(struct check *c, const struct device *d)
{
	refuse(c, STATUS_BUSY);
	if (d->lease != NULL) {
		say_held(c, d, d->lease);
		return;
	}
	texts_add(&c->texts, MON_TEXT_WHY, "%s is %s: %s", device_name(d),
	    state_name(d->state), d->why);
	if (d->state == STATE_QUARANTINED)
		texts_add(&c->texts, MON_TEXT_FIX,
		    "an administrator can say it is fit: "
		    "vfiobroker recover %s",
		    device_name(d));
	else
		texts_add(&c->texts, MON_TEXT_FIX,
		    "try again in a moment; vfiobroker show %s tells what it "
		    "waits for",
		    device_name(d));
}

/* Taking a PF away removes its VFs, and would wait for a stuck one for ever. */
static const struct device *
stuck_vf(const struct device *pf)
{
	const struct device *d;

	TAILQ_FOREACH(d, &inventory, entry) {
		if (d->facts.is_vf && d->state == STATE_WEDGED &&
		    bdf_cmp(&d->facts.pf, &pf->facts.bdf) == 0)
			return d;
	}
	return NULL;
}

/* Busy, and whether it pays to wait. */
static bool
is_free(struct check *c, const struct device *d, bool *wait)
{
	bool taken = d->wanted != NULL && d->wanted != c->asker;
	const struct device *vf;

	if (!taken && (d->state == STATE_HOST || d->state == STATE_READY) &&
	    !life_arriving(d)) {
		*wait = false;
		vf = stuck_vf(d);
		if (vf != NULL)
			say_busy(c, vf);
		return vf == NULL;
	}
	if (d->wanted != NULL && !taken && d->state == STATE_CLAIMING) {
		c->pending = true;
		return true;
	}
	*wait = taken || life_in_transit(d) || life_arriving(d);
	say_busy(c, d);
	return false;
}

static void
check_free(struct check *c)
{
	bool wait = true, busy = false, w;

	for (size_t i = 0; i < c->nmembers; i++) {
		if (is_free(c, c->members[i].device, &w))
			continue;
		busy = true;
		wait = wait && w;
	}
	c->wait = busy && wait;
}

/* ---- does its group come along ---------------------------------------- */

static bool
is_member(const struct check *c, const struct device *d)
{
	for (size_t i = 0; i < c->nmembers; i++) {
		if (c->members[i].device == d)
			return true;
	}
	return false;
}

/* Drivers that leave DMA to whoever owns the group (driver_managed_dma). */
static bool
driver_is_neutral(const char *driver)
{
	return driver[0] == '\0' || strcmp(driver, "pci-stub") == 0 ||
	       strcmp(driver, "pcieport") == 0;
}

/*
 * The group's fd opens every member that is on vfio-pci, so a sibling that
 * comes along is given too, whatever the request says: a deny line holds.
 */
static bool
sibling_denied(struct check *c, const struct device *d)
{
	const struct policy_usage none = { .ndevices = 0 };
	struct policy_decision dec;

	check_decide_one(&c->who, d, false, &none, 0, &dec);
	if (dec.verdict != POLICY_DENIED)
		return false;
	refuse(c, STATUS_GROUP);
	texts_add(&c->texts, MON_TEXT_WHY,
	    "%s would come along in IOMMU group %d, and a line denies it "
	    "(%s:%u)",
	    device_name(d), d->facts.group, policy_rule_file(dec.rule),
	    policy_rule_line(dec.rule));
	texts_add(&c->texts, MON_TEXT_FIX,
	    "an administrator can change that line, or take %s off its vfio "
	    "driver",
	    device_name(d));
	return true;
}

static void
add_sibling(struct check *c, struct device *d, const struct check_member *of)
{
	if (sibling_denied(c, d))
		return;
	if (c->nmembers == CHECK_MEMBERS_MAX) {
		refuse(c, STATUS_GROUP);
		texts_add(&c->texts, MON_TEXT_WHY,
		    "group %d has more than %d members", d->facts.group,
		    CHECK_MEMBERS_MAX);
		return;
	}
	c->members[c->nmembers++] =
	    (struct check_member){ .device = d, .terms = of->terms };
}

static void
check_sibling(struct check *c, struct device *d, const struct check_member *of)
{
	const struct device *asked = of->device;

	(void)inventory_refresh_driver(d); /* told there */
	if (d->lease != NULL && d->lease == c->lease)
		return;
	if (d->state == STATE_CLAIMING && d->wanted != NULL &&
	    d->wanted == c->asker) {
		c->pending = true;
		return;
	}
	if (d->lease != NULL || (d->wanted != NULL && d->wanted != c->asker) ||
	    (d->state != STATE_HOST && d->state != STATE_READY)) {
		c->wait = c->status == STATUS_OK &&
			  (life_in_transit(d) || d->wanted != NULL);
		texts_add(&c->texts, MON_TEXT_WHY,
		    "%s is in one IOMMU group (%d) with %s", device_name(asked),
		    asked->facts.group, device_name(d));
		say_busy(c, d);
	} else if (d->state == STATE_READY || device_on_vfio(d) ||
		   (of->terms.siblings_take && !driver_is_neutral(d->driver))) {
		add_sibling(c, d, of);
	} else if (!driver_is_neutral(d->driver)) {
		refuse(c, STATUS_GROUP);
		texts_add(&c->texts, MON_TEXT_WHY,
		    "%s is in one IOMMU group (%d) with %s, which the host "
		    "uses by %s",
		    device_name(asked), asked->facts.group, device_name(d),
		    d->driver);
		texts_add(&c->texts, MON_TEXT_FIX,
		    "ask for %s too, or an administrator can add `siblings "
		    "take' to the line that allows %s",
		    device_name(d), device_name(asked));
	}
}

static void
check_groups(struct check *c)
{
	size_t nasked = c->nmembers;

	for (size_t i = 0; i < nasked; i++) {
		struct check_member of = c->members[i];
		struct device *d;

		if (of.device->facts.group < 0)
			continue; /* the guard names that */
		TAILQ_FOREACH(d, &inventory, entry) {
			if (d->facts.group == of.device->facts.group &&
			    !d->is_bridge && !is_member(c, d))
				check_sibling(c, d, &of);
		}
	}
}

/* ---- can the host do without it --------------------------------------- */

struct guard_run {
	struct check *check; /* NULL: only the log hears */
	const struct device *device;
	bool against;
};

static void
guard_found(void *arg, enum reason reason, const char *what)
{
	struct guard_run *g = arg;
	const char *name = device_name(g->device);

	if (policy_tolerates(
		policy_current(), &inventory_world, &g->device->facts, reason))
		return;
	g->against = true;
	if (g->check == NULL) {
		log_warn("%s is not claimed: %s: %s", name, reason_name(reason),
		    what);
		return;
	}
	texts_add(&g->check->texts,
	    g->check->explain ? MON_TEXT_REASON : MON_TEXT_WHY,
	    "the host needs %s: %s: %s (%s)", name, reason_name(reason),
	    reason_text(reason), what);
	if (reason_tolerable(reason))
		texts_add(&g->check->texts, MON_TEXT_FIX,
		    "stop using it, or an administrator can add to %s: "
		    "tolerate %s on %s",
		    config.policy, reason_keyword(reason), name);
	else
		texts_add(&g->check->texts, MON_TEXT_FIX,
		    "ask for another device: this one can not be given");
}

static bool
guard_against(struct check *c, const struct device *d)
{
	struct guard_run g = { .check = c, .device = d };
	int r = guard_collect(config.sysroot, &d->facts.bdf, guard_found, &g);

	if (r != 0) {
		log_warn("%s: cannot tell whether the host needs it: %s",
		    device_name(d), strerror(-r));
		if (c != NULL)
			texts_add(&c->texts, MON_TEXT_WHY,
			    "cannot tell whether the host needs %s: %s",
			    device_name(d), strerror(-r));
	}
	return g.against || r != 0;
}

/*
 * What is on a vfio driver the host has given up already.  It is an endpoint,
 * since vfio-pci binds nothing else; a group for want of an IOMMU is not
 * counted as one (inventory.c).
 */
static void
check_guard(struct check *c)
{
	for (size_t i = 0; i < c->nmembers; i++) {
		const struct device *d = c->members[i].device;

		if (device_on_vfio(d) && d->facts.group >= 0)
			continue;
		if (guard_against(c, d))
			refuse(c, STATUS_HOST_IN_USE);
	}
}

static void
check_managed(struct check *c)
{
	for (size_t i = 0; c->unmanaged && i < c->nmembers; i++) {
		const struct device *d = c->members[i].device;

		if (!needs_claim(d))
			continue;
		refuse(c, STATUS_DENIED);
		texts_add(&c->texts, MON_TEXT_WHY,
		    "%s is on %s, not on vfio-pci, and was asked for "
		    "unmanaged",
		    device_name(d),
		    d->driver[0] == '\0' ? "no driver" : d->driver);
		texts_add(&c->texts, MON_TEXT_FIX,
		    "ask for it managed, or bind it to vfio-pci first");
	}
}

void
check_run(struct check *c)
{
	c->status = STATUS_OK;
	c->wait = c->pending = false;
	c->nmembers = 0;
	STAILQ_INIT(&c->texts);
	check_home(c);
	check_present(c);
	if (c->status == STATUS_OK)
		check_policy(c);
	if (c->status == STATUS_OK)
		check_available(c);
	if (c->status != STATUS_OK && !c->all)
		return;
	check_free(c);
	if ((c->status != STATUS_OK && !c->all) || c->pending)
		return;
	check_groups(c);
	if (c->pending)
		return;
	check_managed(c);
	if (c->status != STATUS_BUSY || c->all)
		check_guard(c);
	if (c->status != STATUS_BUSY)
		c->wait = false;
}

bool
check_claimable(struct device *d)
{
	struct device *other;

	if (stuck_vf(d) != NULL) {
		log_warn("%s is not claimed: its VF %s is stuck",
		    device_name(d), device_name(stuck_vf(d)));
		return false;
	}

	TAILQ_FOREACH(other, &inventory, entry) {
		if (other == d || other->facts.group != d->facts.group ||
		    other->is_bridge)
			continue;
		/* Who has the group would have this one, too. */
		if (other->lease != NULL || other->wanted != NULL ||
		    (other->state != STATE_HOST && other->state != STATE_READY))
			return false;
		if (driver_is_neutral(other->driver) || device_on_vfio(other) ||
		    other->claimed)
			continue;
		log_warn("%s is not claimed: %s in its group is the host's",
		    device_name(d), device_name(other));
		return false;
	}
	return !guard_against(NULL, d);
}
