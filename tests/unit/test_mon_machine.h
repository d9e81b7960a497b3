/* SPDX-License-Identifier: ISC */
#ifndef VFIOBROKER_TESTS_TEST_MON_MACHINE_H
#define VFIOBROKER_TESTS_TEST_MON_MACHINE_H

/*
 * A machine whose functions come and go and change drivers and groups, and how
 * the monitor hears of it.
 */

#include "broker/monitor/life.h"
#include "broker/monitor/policyload.h"
#include "tests/unit/fixture.h"
#include "test_mon_asker.h"
#include "test_mon_kernel.h"

static struct fixture tree;

/* ---- drivers ----------------------------------------------------------- */

/* vfio-pci binds no bridges. */
static inline const char *
driver_random(const struct function *f)
{
	static const char *const drivers[] = { "igb", "nvme", "nvidia",
		"pci-stub", "", "", "vfio-pci", "igb-vfio-pci" };
	const char *driver = PICK(drivers);

	if (machine[f - functions].class >> 8 == 0x0604 &&
	    driver_is_vfio(driver))
		return "pcieport";
	return driver;
}

/* As uevent.c takes it. */
static inline void
walk_uevent(const struct bdf *bdf)
{
	bool known = inventory_find(bdf) != NULL;
	struct device *d = inventory_refresh(bdf);

	d->claimed =
	    policy_claims(policy_current(), &inventory_world, &d->facts);
	if (!known) {
		life_arrived(d);
		return;
	}
	life_settle(d);
	acquisition_poke();
}

/* Somebody else than the broker binds it.  Nobody does that to what is lent,
 * for the kernel would wait, nor in the middle of a worker's steps. */
static inline bool
driver_change(struct device *d)
{
	struct function *f;

	if (d == NULL || d->worker != NULL || d->wanted != NULL ||
	    (d->state != STATE_HOST && d->state != STATE_READY))
		return false;
	f = function_of(&d->facts.bdf);
	function_bind(f, driver_random(f));
	return true;
}

/* The same, of one in a group, and the broker has not heard of it yet. */
static inline void
driver_change_unheard(int group)
{
	struct device *d;

	TAILQ_FOREACH(d, &inventory, entry)
		if (d->facts.group == group && one_in(2) && driver_change(d))
			break;
}

/* ---- functions --------------------------------------------------------- */

static inline void
function_init(size_t i)
{
	struct function *f = &functions[i];
	char class[16], vendor[16], id[16], path[128];

	snprintf(f->name, sizeof(f->name), "%s", machine[i].bdf);
	bdf_parse(f->name, &f->bdf);
	snprintf(class, sizeof(class), "0x%06x", machine[i].class);
	snprintf(vendor, sizeof(vendor), "0x%04x", machine[i].vendor);
	snprintf(id, sizeof(id), "0x%04x", machine[i].device);
	fixture_pci(&tree, &(struct fixture_pci){ .bdf = f->name,
			       .class = class,
			       .vendor = vendor,
			       .device = id });
	snprintf(path, sizeof(path), "sys/bus/pci/devices/%s", f->name);
	f->dirfd = openat(tree.rootfd, path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	CHECK(f->dirfd >= 0);
	f->there = true;
}

static inline void
function_appear(struct function *f)
{
	char target[128], path[128];

	f->there = true;
	snprintf(path, sizeof(path), "sys/bus/pci/devices/%s", f->name);
	snprintf(target, sizeof(target), "../../../devices/pci%.*s:00/%s",
	    (int)strcspn(f->name, ":"), f->name, f->name);
	CHECK(symlinkat(target, tree.rootfd, path) == 0);
}

static inline void
function_vanish(struct function *f)
{
	char path[128];

	f->there = false;
	snprintf(path, sizeof(path), "sys/bus/pci/devices/%s", f->name);
	CHECK(unlinkat(tree.rootfd, path, 0) == 0);
}

/* Its groups: some functions that have their own share one, or have none. */
static inline void
function_place(size_t i, bool iommu)
{
	struct function *f = &functions[i];
	size_t of = one_in(4) ? below(MACHINE_SIZE) : i;
	char target[64] = "";

	if (iommu && machine[of].group >= 0)
		snprintf(target, sizeof(target), "../../kernel/iommu_groups/%d",
		    machine[of].group);
	function_link(f, "iommu_group", target);
	function_bind(f, driver_random(f));
	f->reasons = 0;
	f->unreadable = false;
	if (!f->there)
		function_appear(f);
	if (one_in(20))
		function_vanish(f);
}

#endif
