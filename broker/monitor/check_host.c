/* SPDX-License-Identifier: ISC */
/*
 * Can the host do without it?  Called by check_run() for what somebody asked
 * for, and by life.c for what a claim line would take.  What speaks against it
 * was found by vfiobroker-guard; what the policy tolerates of that is decided
 * here, when it is used.
 */

#include "check_part.h"

#include "broker/common/guardmsg.h"
#include "broker/common/log.h"
#include "config.h"
#include "inventory.h"
#include "policyload.h"

#include <string.h>

_Static_assert(
    CHECK_MEMBERS_MAX <= GUARDMSG_DEVICES_MAX, "all of them in one look");

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
	    reason_tolerable(reason)
		? "the host needs %s: %s: %s (%s)\n"
		  "stop using it, or an administrator can add to %s: "
		  "tolerate %s on %s"
		: "the host needs %s: %s: %s (%s)\n"
		  "ask for another device: this one can not be given",
	    name, reason_name(reason), reason_text(reason), what, config.policy,
	    reason_keyword(reason), name);
}

static bool
guard_against(
    struct check *c, const struct device *d, const struct hostuse *look)
{
	struct guard_run g = { .check = c, .device = d };
	int r = hostuse_each(look, &d->facts.bdf, guard_found, &g);

	if (r != 0) {
		log_warn("%s: cannot tell whether the host needs it: %s",
		    device_name(d), strerror(-r));
		if (c != NULL) {
			texts_add(&c->texts, MON_TEXT_WHY,
			    "cannot tell whether the host needs %s: %s\n"
			    "an administrator can see what is wrong with its "
			    "files in /sys and /proc",
			    device_name(d), strerror(-r));
		}
	}
	return g.against || r != 0;
}

/*
 * What is on a vfio driver the host has given up already.  It is an endpoint,
 * since vfio-pci binds nothing else; a group for want of an IOMMU is not
 * counted as one (inventory.c).
 */
static bool
is_given_up(const struct device *d)
{
	return device_on_vfio(d) && d->facts.group >= 0;
}

void
check_guard(struct check *c)
{
	for (size_t i = 0; i < c->nmembers; i++) {
		const struct device *d = c->members[i].device;

		if (is_given_up(d))
			continue;
		c->to_see[c->nto_see++] = d->facts.bdf;
		if (!hostuse_knows(c->look, &d->facts.bdf))
			c->unseen = true;
	}
	for (size_t i = 0; !c->unseen && i < c->nmembers; i++) {
		const struct device *d = c->members[i].device;

		if (!is_given_up(d) && guard_against(c, d, c->look))
			check_refuse(c, STATUS_HOST_IN_USE);
	}
}

/* Taking a PF away removes its VFs, and would wait for a stuck one for ever. */
const struct device *
check_stuck_vf(const struct device *pf)
{
	const struct device *d;

	TAILQ_FOREACH(d, &inventory, entry) {
		if (d->facts.is_vf && d->state == STATE_WEDGED &&
		    bdf_cmp(&d->facts.pf, &pf->facts.bdf) == 0)
			return d;
	}
	return NULL;
}

bool
check_claimable(struct device *d, const struct hostuse *look)
{
	struct device *other;

	if (check_stuck_vf(d) != NULL) {
		log_warn("%s is not claimed: its VF %s is stuck",
		    device_name(d), device_name(check_stuck_vf(d)));
		return false;
	}

	TAILQ_FOREACH(other, &inventory, entry) {
		if (!inventory_mates(d, other) || other->is_bridge)
			continue;
		/* Who has the group would have this one, too. */
		if (other->lease != NULL || other->wanted != NULL ||
		    (other->state != STATE_HOST && other->state != STATE_READY))
			return false;
		if (check_neutral(other->driver) || device_on_vfio(other) ||
		    other->claimed)
			continue;
		log_warn("%s is not claimed: %s in its group is the host's",
		    device_name(d), device_name(other));
		return false;
	}
	return !hostuse_knows(look, &d->facts.bdf) ||
	       !guard_against(NULL, d, look);
}
