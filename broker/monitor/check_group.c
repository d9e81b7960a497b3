/* SPDX-License-Identifier: ISC */
/*
 * Does its group come along?  The IOMMU group is the unit of safety: it is
 * given whole, to one lease, or not at all.  Called by check_run().
 */

#include "check_part.h"

#include "inventory.h"
#include "lease.h"
#include "life.h"

#include <string.h>

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
bool
check_neutral(const char *driver)
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
	check_refuse(c, STATUS_GROUP);
	texts_add(&c->texts, MON_TEXT_WHY,
	    "%s would come along in IOMMU group %d, and a line denies it "
	    "(%s:%u)\n"
	    "an administrator can change that line, or take %s off its vfio "
	    "driver",
	    device_name(d), d->facts.group, policy_rule_file(dec.rule),
	    policy_rule_line(dec.rule), device_name(d));
	return true;
}

static void
add_sibling(struct check *c, struct device *d, const struct check_member *of)
{
	if (sibling_denied(c, d))
		return;
	if (c->nmembers == CHECK_MEMBERS_MAX) {
		check_refuse(c, STATUS_GROUP);
		texts_add(&c->texts, MON_TEXT_WHY,
		    "group %d has more than %d members\n"
		    "an administrator can take some of them off their vfio "
		    "drivers",
		    d->facts.group, CHECK_MEMBERS_MAX);
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
	    (d->state != STATE_HOST && d->state != STATE_READY) ||
	    life_in_transit(d)) {
		c->wait = c->status == STATUS_OK &&
			  (life_in_transit(d) || d->wanted != NULL);
		texts_add(&c->texts, MON_TEXT_WHY,
		    "%s is in one IOMMU group (%d) with %s", device_name(asked),
		    asked->facts.group, device_name(d));
		check_busy(c, d);
	} else if (device_on_vfio(d) ||
		   (of->terms.siblings_take && !check_neutral(d->driver))) {
		add_sibling(c, d, of);
	} else if (!check_neutral(d->driver)) {
		check_refuse(c, STATUS_GROUP);
		texts_add(&c->texts, MON_TEXT_WHY,
		    "%s is in one IOMMU group (%d) with %s, which the host "
		    "uses by %s\n"
		    "ask for %s too, or an administrator can add `siblings "
		    "take' to the line that allows %s",
		    device_name(asked), asked->facts.group, device_name(d),
		    d->driver, device_name(d), device_name(asked));
	}
}

void
check_groups(struct check *c)
{
	size_t nasked = c->nmembers;

	for (size_t i = 0; i < nasked; i++) {
		struct check_member of = c->members[i];
		struct device *d;

		/* Where it has no group, the guard names that. */
		TAILQ_FOREACH(d, &inventory, entry) {
			if (inventory_mates(d, of.device) && !d->is_bridge &&
			    !is_member(c, d))
				check_sibling(c, d, &of);
		}
	}
}
