/* SPDX-License-Identifier: ISC */
/*
 * The looks at a draining device: is it proven that nobody has it, and if not,
 * who has it?  A group proves it by a fresh open; a cdev, and any device of a
 * kernel with iommufd, by a rebind: a group can be put on an iommufd (6.12), and
 * a device opened through it does not keep the group open.  Both are workers'
 * business, since both can wait in the kernel.  Must never call a device free
 * for want of news.
 */

#include "drain.h"

#include "broker/common/log.h"
#include "life.h"
#include "rundir.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define LOOK_MIN_MS 5U
#define LOOK_MAX_MS 250
#define LOOK_CDEV_MS 1000 /* each walks through all of /proc */
#define LOOKS_BEFORE_NAMING 8 /* under a second */

void
drain_look_again(struct device *d)
{
	unsigned most = d->record.cdev ? LOOK_CDEV_MS : LOOK_MAX_MS;
	unsigned ms = d->looks < 6 ? LOOK_MIN_MS << d->looks : most;

	d->looks++;
	life_look_later(d, ms);
}

/* A worker of the broker before us is stuck with it: is it still? */
static void
look_wedged(struct device *d)
{
	if (d->worker == NULL && rundir_worker_of(&d->facts.bdf) == 0)
		life_event(d, LIFE_UNWEDGED, "the old worker has ended");
	else
		drain_look_again(d);
}

/* At 8, 16, 32 ... looks: holders change, and logs should stay readable. */
static bool
is_naming_look(unsigned looks)
{
	return looks >= LOOKS_BEFORE_NAMING && (looks & (looks - 1)) == 0;
}

static enum plan
plan_of_look(const struct device *d)
{
	if (d->ask_back)
		return PLAN_UNBIND;
	if (is_naming_look(d->looks))
		return d->record.rebind ? PLAN_REBIND_NAME : PLAN_NAME;
	return d->record.rebind ? PLAN_REBIND : PLAN_PROVE;
}

void
drain_look(struct device *d)
{
	int r;

	if (d->state == STATE_WEDGED) {
		look_wedged(d);
		return;
	}
	if (d->state != STATE_DRAINING || d->worker != NULL)
		return;
	r = worker_start(d, plan_of_look(d));
	if (r == 0) {
		d->ask_back = false;
	} else {
		log_warn("%s: cannot look: %s", device_name(d), strerror(-r));
		drain_look_again(d);
	}
}

void
drain_had_by_somebody(struct device *d)
{
	if (d->record.lease != 0)
		return;
	d->record.lease = RECORD_SOMEBODY;
	(void)life_keep_record(d); /* told there */
}

/* Who holds it is said now and then; the looking goes on. */
static void
still_held(struct device *d, const struct worker_result *res)
{
	drain_had_by_somebody(d);
	if (res->text[0] != '\0') {
		snprintf(d->why, sizeof(d->why), "held by %s", res->text);
		log_warn("%s is still held by %s", device_name(d), res->text);
	} else if (plan_names(res->plan)) {
		snprintf(d->why, sizeof(d->why),
		    "somebody still has %s %d open",
		    d->record.cdev ? "it, in group" : "group", d->facts.group);
	}
}

/* Off its driver: that it does not come on again is no holder's doing. */
static bool
is_proof(const struct worker_result *res)
{
	return res->error == 0 || strcmp(res->step, "rebind-bind") == 0;
}

/* Nobody was seen to have it by then: what failed is the rebind. */
static bool
is_rebinding(const struct worker_result *res)
{
	return strncmp(res->step, "rebind-", strlen("rebind-")) == 0;
}

static void
unheld(struct device *d)
{
	d->record.cdev = d->record.rebind = false;
	life_event(d, LIFE_UNHELD, "nobody has it open");
}

void
drain_looked(struct device *d, const struct worker_result *res)
{
	if (is_proof(res)) {
		unheld(d);
		return;
	}
	if (res->error == -EBUSY && !is_rebinding(res))
		still_held(d, res);
	else
		snprintf(d->why, sizeof(d->why), "%s: %s", res->step,
		    res->text[0] != '\0' ? res->text : strerror(-res->error));
	drain_look_again(d);
}
