/* SPDX-License-Identifier: ISC */
/*
 * The list of PCI functions: what is read of each, in which order they stand,
 * and how it follows the machine.
 */

#include <stdio.h>

#include "broker/monitor/config.h"
#include "broker/monitor/inventory.h"
#include "tests/unit/fixture.h"
#include "tests/unit/test_mon.h"

static struct fixture tree;

static void
setup(void)
{
	log_capture();
	fixture_init(&tree);
	config.sysroot = tree.root;
	ck_assert_int_eq(loop_init(), 0);
}

static void
teardown(void)
{
	fixture_fini(&tree);
}

/* A PF with two VFs behind a bridge, a VMD disk, and something bare. */
static void
machine(void)
{
	fixture_pci(&tree, &(struct fixture_pci){ .bdf = "0000:00:01.0",
			       .class = "0x060400",
			       .driver = "pcieport",
			       .group = 1 });
	fixture_pci(
	    &tree, &(struct fixture_pci){ .parent = "pci0000:00/0000:00:01.0",
		       .bdf = "0000:01:00.0",
		       .device = "0x10c9",
		       .driver = "igb",
		       .group = 12 });
	fixture_file(
	    &tree, "7\n", "sys/bus/pci/devices/0000:01:00.0/sriov_totalvfs");
	fixture_file(
	    &tree, "1\n", "sys/bus/pci/devices/0000:01:00.0/numa_node");
	fixture_pci(&tree,
	    &(struct fixture_pci){
		.bdf = "0000:01:10.0", .driver = "vfio-pci", .group = 13 });
	fixture_pci(
	    &tree, &(struct fixture_pci){
		       .bdf = "0000:01:10.2", .driver = "igbvf", .group = 13 });
	fixture_vf(&tree, "0000:01:00.0", "0000:01:10.0", 0);
	fixture_vf(&tree, "0000:01:00.0", "0000:01:10.2", 1);
	fixture_pci(&tree, &(struct fixture_pci){ .bdf = "10000:e1:00.0",
			       .class = "0x010802",
			       .vendor = "0x144d",
			       .device = "0xa80a" });
}

static struct device *
find(const char *name)
{
	struct bdf bdf;

	ck_assert_int_eq(bdf_parse(name, &bdf), 0);
	return inventory_find(&bdf);
}

static struct device *
refresh(const char *name)
{
	struct bdf bdf;

	ck_assert_int_eq(bdf_parse(name, &bdf), 0);
	return inventory_refresh(&bdf);
}

START_TEST(facts)
{
	const struct device *d;

	machine();
	ck_assert_int_eq(inventory_scan(), 0);

	d = find("0000:00:01.0");
	ck_assert(d->is_bridge && !d->is_pf && !d->facts.is_vf);
	ck_assert_uint_eq(d->facts.class, 0x060400);
	ck_assert_int_eq(d->facts.group, 1);

	d = find("0000:01:00.0");
	ck_assert(d->is_pf && !d->is_bridge && !d->facts.is_vf);
	ck_assert_uint_eq(d->facts.vendor, 0x8086);
	ck_assert_uint_eq(d->facts.device, 0x10c9);
	ck_assert_int_eq(d->numa, 1);
	ck_assert_str_eq(d->driver, "igb");
	ck_assert(!device_on_vfio(d));

	d = find("0000:01:10.0");
	ck_assert(d->facts.is_vf && !d->is_pf);
	ck_assert_uint_eq(d->facts.pf.bus, 1);
	ck_assert_uint_eq(d->facts.pf.dev, 0);
	ck_assert_int_eq(d->numa, -1);
	ck_assert(device_on_vfio(d));

	d = find("10000:e1:00.0");
	ck_assert_uint_eq(d->facts.bdf.domain, 0x10000);
	ck_assert_uint_eq(d->facts.vendor, 0x144d);
	ck_assert_int_eq(d->facts.group, -1);
	ck_assert_str_eq(d->driver, "");
	ck_assert(!device_on_vfio(d));
}
END_TEST

/* All are the host's at first, and nothing is owed. */
START_TEST(fresh)
{
	struct device *d;

	machine();
	ck_assert_int_eq(inventory_scan(), 0);
	TAILQ_FOREACH(d, &inventory, entry) {
		ck_assert_int_eq(d->state, STATE_HOST);
		ck_assert(!d->has_record && !d->claimed && !d->record.taken);
		ck_assert_int_eq(bdf_cmp(&d->record.bdf, &d->facts.bdf), 0);
		ck_assert_ptr_null(d->lease);
		ck_assert_ptr_null(d->worker);
	}
}
END_TEST

static unsigned
count_in_order(void)
{
	struct device *d;
	unsigned n = 0;

	TAILQ_FOREACH(d, &inventory, entry) {
		const struct device *next = TAILQ_NEXT(d, entry);

		n++;
		if (next != NULL)
			ck_assert_int_lt(
			    bdf_cmp(&d->facts.bdf, &next->facts.bdf), 0);
		ck_assert_ptr_eq(inventory_find(&d->facts.bdf), d);
	}
	return n;
}

START_TEST(order)
{
	uint32_t seed = 3;
	char name[BDF_STRLEN];
	unsigned n = 0;

	for (int i = 0; i < 300; i++) {
		struct bdf b = { .domain = random_next(&seed) % 3 * 0x8000,
			.bus = (uint8_t)(random_next(&seed) % 4),
			.dev = random_next(&seed) % 32,
			.fn = random_next(&seed) % 8 };

		fixture_pci(&tree,
		    &(struct fixture_pci){ .bdf = bdf_format(&b, name) });
		n += inventory_find(&b) == NULL;
		ck_assert_ptr_nonnull(inventory_refresh(&b));
		ck_assert_uint_eq(count_in_order(), n);
	}
	ck_assert_int_eq(inventory_scan(), 0); /* finds no others */
	ck_assert_uint_eq(count_in_order(), n);
}
END_TEST

START_TEST(no_pci)
{
	fixture_remove(&tree, "sys/bus/pci/devices");
	ck_assert_int_eq(inventory_scan(), 0);
	ck_assert(TAILQ_EMPTY(&inventory));
	fixture_file(&tree, "", "sys/bus/pci/devices");
	ck_assert_int_eq(inventory_scan(), -ENOTDIR);
}
END_TEST

/* Names that are no functions', and links that lead nowhere. */
START_TEST(other_names)
{
	machine();
	fixture_dir(&tree, "sys/bus/pci/devices/junk");
	fixture_dir(&tree, "sys/bus/pci/devices/0000:01:20.0");
	fixture_dir(&tree, "sys/bus/pci/devices/02:00.0");
	fixture_link(&tree, "../gone", "sys/bus/pci/devices/0000:03:00.0");
	fixture_file(&tree, "", "sys/bus/pci/devices/0000:04:00.0");
	ck_assert_int_eq(inventory_scan(), 0);
	ck_assert_uint_eq(count_in_order(), 5);
}
END_TEST

/* A device's directory without what should be in it: it still counts. */
START_TEST(bare)
{
	const struct device *d;

	fixture_dir(&tree, "sys/bus/pci/devices/0000:05:00.0");
	fixture_link(
	    &tree, "../junk", "sys/bus/pci/devices/0000:05:00.0/physfn");
	d = refresh("0000:05:00.0");
	ck_assert_ptr_nonnull(d);
	ck_assert_uint_eq(d->facts.vendor, 0xffff);
	ck_assert_uint_eq(d->facts.device, 0xffff);
	ck_assert_uint_eq(d->facts.class, 0);
	ck_assert_int_eq(d->facts.group, -1);
	ck_assert_int_eq(d->numa, -1);
	ck_assert(!d->facts.is_vf && !d->is_pf && !d->is_bridge);
}
END_TEST

START_TEST(changes)
{
	struct device *d;

	machine();
	ck_assert_int_eq(inventory_scan(), 0);
	d = find("0000:01:10.2");
	d->state = STATE_READY;

	fixture_link(&tree, "../../../bus/pci/drivers/vfio-pci",
	    "sys/bus/pci/devices/0000:01:10.2/driver");
	ck_assert(!device_on_vfio(d));
	ck_assert_int_eq(inventory_refresh_driver(d), 0);
	ck_assert(device_on_vfio(d));

	fixture_remove(&tree, "sys/bus/pci/devices/0000:01:10.2/driver");
	fixture_file(
	    &tree, "0x1520\n", "sys/bus/pci/devices/0000:01:10.2/device");
	ck_assert_ptr_eq(refresh("0000:01:10.2"), d);
	ck_assert_str_eq(d->driver, "");
	ck_assert_uint_eq(d->facts.device, 0x1520);
	ck_assert_int_eq(d->state, STATE_READY); /* life.c's alone */

	fixture_remove(&tree, "sys/bus/pci/devices/0000:01:10.2");
	strcpy(d->driver, "igbvf");
	ck_assert_int_eq(inventory_refresh_driver(d), -ENODEV);
	ck_assert_str_eq(d->driver, "");
	ck_assert_ptr_null(refresh("0000:01:10.2"));
	ck_assert_ptr_eq(find("0000:01:10.2"), d); /* until it is forgotten */
	inventory_forget(d);
	ck_assert_ptr_null(find("0000:01:10.2"));
	ck_assert_uint_eq(count_in_order(), 4);
}
END_TEST

START_TEST(never_there)
{
	ck_assert_ptr_null(refresh("0000:01:10.2"));
	ck_assert_ptr_null(find("0000:01:10.2"));
}
END_TEST

START_TEST(world)
{
	static const struct {
		const char *name;
		int group;
	} rows[] = { { "0000:01:10.0", 13 }, { "0000:01:10.2", 13 },
		{ "0000:01:00.0", 12 }, { "10000:e1:00.0", -1 },
		{ "0000:07:00.0", -1 } };
	struct bdf bdf;

	machine();
	ck_assert_int_eq(inventory_scan(), 0);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		ck_assert_int_eq(bdf_parse(rows[i].name, &bdf), 0);
		ck_assert_int_eq(
		    inventory_world.group_of(inventory_world.arg, &bdf),
		    rows[i].group);
	}
}
END_TEST

/* Four names may be in use at a time, as in one line of the log. */
START_TEST(names)
{
	char line[128];

	machine();
	ck_assert_int_eq(inventory_scan(), 0);
	snprintf(line, sizeof(line), "%s %s %s %s",
	    device_name(find("0000:00:01.0")),
	    device_name(find("0000:01:00.0")),
	    device_name(find("0000:01:10.0")),
	    device_name(find("10000:e1:00.0")));
	ck_assert_str_eq(
	    line, "0000:00:01.0 0000:01:00.0 0000:01:10.0 10000:e1:00.0");
}
END_TEST

int
main(void)
{
	TCase *tc = tcase_create("inventory");
	Suite *s = suite_create("inventory");

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, facts);
	tcase_add_test(tc, fresh);
	tcase_add_test(tc, order);
	tcase_add_test(tc, no_pci);
	tcase_add_test(tc, other_names);
	tcase_add_test(tc, bare);
	tcase_add_test(tc, changes);
	tcase_add_test(tc, never_there);
	tcase_add_test(tc, world);
	tcase_add_test(tc, names);
	suite_add_tcase(s, tc);
	return run_suite(s);
}
