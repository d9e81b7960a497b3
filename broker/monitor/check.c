/* SPDX-License-Identifier: ISC */
/*
 * The questions that stand between a request and a device, in this order: is
 * it there, does the policy allow it, is it free, does its group come along,
 * can the host do without it.  The order matters for what a stranger learns:
 * who is not allowed hears nothing about holders, siblings and mounts.
 */

#include "check_part.h"

#include "broker/common/state.h"
#include "config.h"
#include "inventory.h"
#include "lease.h"
#include "life.h"
#include "policyload.h"
#include "usage.h"
#include "vfio.h"

#include <errno.h>
#include <string.h>

#define CLASS_BRIDGE 0x06

void
check_refuse(struct check *c, enum status status)
{
	if (c->status == STATUS_OK)
		c->status = status;
}

/* ---- is it there ------------------------------------------------------ */

static void
check_home(struct check *c)
{
	if (!c->foreign)
		return;
	check_refuse(c, STATUS_DENIED);
	texts_add(&c->texts, MON_TEXT_WHY,
	    "you are in another user namespace than the broker, where uids "
	    "and groups say nothing\n"
	    "run the command outside the container, and pass on the fds");
}

static void
check_present(struct check *c)
{
	char name[BDF_STRLEN];

	for (size_t i = 0; i < c->nbdfs; i++) {
		struct device *d = inventory_find(&c->bdfs[i]);

		if (d == NULL) {
			check_refuse(c, STATUS_NOT_FOUND);
			texts_add(&c->texts, MON_TEXT_WHY,
			    "there is no PCI device %s on this host\n"
			    "see: vfiobroker list",
			    bdf_format(&c->bdfs[i], name));
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

/* -ENOMEM, or 0 with the decision.  Siblings that come along are held then. */
static int
decide(struct check *c, bool ended, struct policy_decision *dec,
    struct policy_terms *terms)
{
	struct policy_device facts[MON_MAX_DEVICES];
	bool managed[MON_MAX_DEVICES];
	struct policy_request req = { .devices = facts,
		.ndevices = c->nbdfs,
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
	for (size_t i = 0; i < c->nbdfs; i++) {
		facts[i] = c->members[i].device->facts;
		managed[i] =
		    c->as_managed || !device_on_vfio(c->members[i].device);
	}
	for (size_t i = c->nbdfs; i < c->nmembers; i++)
		usage_add(&usage, c->members[i].device);
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
	check_refuse(c, STATUS_BUSY);
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

	c->ncounted = c->nmembers;
	if (decide(c, true, &dec, terms) != 0) {
		check_refuse(c, STATUS_INTERNAL);
		return;
	}
	if (dec.verdict != POLICY_ALLOW) {
		if (is_too_soon(c))
			return;
		check_refuse(c, verdicts[dec.verdict]);
		check_say_decision(
		    &c->texts, c->who.uid, c->members[dec.device].device, &dec);
		return;
	}
	for (size_t i = 0; i < c->nbdfs; i++)
		c->members[i].terms = terms[i];
}

/*
 * Who comes along counts like what was asked for, so the policy is asked once
 * more.  Another line may cover it then, on other terms: so is the group.
 */
static void
check_whole_groups(struct check *c)
{
	check_groups(c);
	if (c->nmembers == c->nbdfs || c->status != STATUS_OK || c->pending)
		return;
	check_policy(c);
	if (c->status != STATUS_OK)
		return;
	c->nmembers = c->nbdfs;
	check_groups(c);
	if (c->status == STATUS_GROUP)
		texts_add(&c->texts, MON_TEXT_FIX,
		    "or to give the line that says `siblings take' a count "
		    "that is enough for them too");
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
		check_refuse(c, STATUS_UNAVAILABLE);
		texts_add(&c->texts, MON_TEXT_WHY,
		    "this host has no IOMMU at work, so nothing can be lent\n"
		    "enable VT-d or AMD-Vi in the firmware; on Intel boot "
		    "with intel_iommu=on");
		return;
	}
}

/* ---- is it free ------------------------------------------------------- */

static void
say_held(struct check *c, const struct device *d, const struct lease *l)
{
	unsigned long long id = l->id;

	texts_add(&c->texts, MON_TEXT_WHY,
	    l->uid == c->who.uid
		? "%s is held by uid %u, pid %d (%s), lease %llu\n"
		  "lease %llu is your own: it ends with that process"
		: "%s is held by uid %u, pid %d (%s), lease %llu\n"
		  "wait until lease %llu ends, or an administrator can ask "
		  "for it back: vfiobroker revoke %llu",
	    device_name(d), l->uid, l->pid, lease_command(l), id, id, id);
}

bool
check_allows(const struct policy_subject *who, const struct device *d)
{
	const struct policy_usage none = { .ndevices = 0 };
	struct policy_decision dec;

	check_decide_one(who, d, !device_on_vfio(d), &none, 0, &dec);
	return dec.verdict == POLICY_ALLOW;
}

void
check_busy(struct check *c, const struct device *d)
{
	/* Who has it is for those to hear who could have it: not of a sibling. */
	bool hears = c->all || check_allows(&c->who, d);

	check_refuse(c, STATUS_BUSY);
	if (hears && d->lease != NULL) {
		say_held(c, d, d->lease);
		return;
	}
	texts_add(&c->texts, MON_TEXT_WHY, "%s is %s%s%s", device_name(d),
	    state_name(d->state), hears ? ": " : "", hears ? d->why : "");
	if (d->state == STATE_QUARANTINED)
		texts_add(&c->texts, MON_TEXT_FIX,
		    "an administrator can say it is fit: "
		    "vfiobroker recover %s",
		    device_name(d));
	else if (d->lease != NULL)
		texts_add(&c->texts, MON_TEXT_FIX, "wait until its lease ends");
	else
		texts_add(&c->texts, MON_TEXT_FIX,
		    "try again in a moment; vfiobroker show %s tells what it "
		    "waits for",
		    device_name(d));
}

/* Busy, and whether it pays to wait. */
static bool
is_free(struct check *c, const struct device *d, bool *wait)
{
	bool taken = d->wanted != NULL && d->wanted != c->asker;
	const struct device *vf;

	if (!taken && (d->state == STATE_HOST || d->state == STATE_READY) &&
	    !life_arriving(d) && !life_in_transit(d)) {
		*wait = false;
		vf = check_stuck_vf(d);
		if (vf != NULL)
			check_busy(c, vf);
		return vf == NULL;
	}
	if (d->wanted != NULL && !taken && d->state == STATE_CLAIMING) {
		c->pending = true;
		return true;
	}
	*wait = taken || life_in_transit(d) || life_arriving(d);
	check_busy(c, d);
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

static void
check_managed(struct check *c)
{
	for (size_t i = 0; c->unmanaged && i < c->nmembers; i++) {
		const struct device *d = c->members[i].device;

		if (device_on_vfio(d))
			continue;
		check_refuse(c, STATUS_DENIED);
		texts_add(&c->texts, MON_TEXT_WHY,
		    "%s is on %s, not on vfio-pci, and was asked for "
		    "unmanaged\n"
		    "ask for it managed, or bind it to vfio-pci first",
		    device_name(d),
		    d->driver[0] == '\0' ? "no driver" : d->driver);
	}
}

void
check_run(struct check *c)
{
	c->status = STATUS_OK;
	c->wait = c->pending = c->unseen = false;
	c->nmembers = c->nto_see = c->ncounted = 0;
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
	check_whole_groups(c);
	if (c->pending)
		return;
	check_managed(c);
	if (c->status != STATUS_BUSY || c->all)
		check_guard(c);
	if (c->status != STATUS_BUSY)
		c->wait = false;
}
