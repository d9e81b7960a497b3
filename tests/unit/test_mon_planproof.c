/* SPDX-License-Identifier: ISC */
/*
 * What workers do to prove that nobody has a device: looks at its group, asks
 * its holder by an unbind, and rebinds one that was lent as a cdev.
 */

#include "tests/unit/test_mon_plan.h"

/* What was there is noted first, unless it is known already. */
START_TEST(ask)
{
	struct device *d = device_on("vfio-pci");
	bool taken = _i == 1;
	struct record r;

	d->record.taken = taken;
	strcpy(d->record.driver, taken ? "igbvf" : "");
	ck_assert_int_eq(worker_start(d, PLAN_UNBIND), 0);
	if (!taken)
		answer(DEVICE "driver_override", "(null)\n");
	r = next_record("ask");
	ck_assert(r.taken);
	ck_assert_str_eq(r.driver, taken ? "igbvf" : "vfio-pci");
	ck_assert_str_eq(r.override, "");
	ck_assert_str_eq(work_take(DRIVERS "vfio-pci/unbind"), NAME);
	ck_assert_int_eq(work_result(d)->error, 0);
}
END_TEST

/* One that some machine has, and so has this one's kernel perhaps, would not
 * do: the groups' nodes are the real ones. */
static const struct {
	int group, error;
} groups[] = {
	{ 987654, 0 }, /* no node: nothing to hold */
	{ -1, -EINVAL },
};

/* Only looks: no record, no store. */
START_TEST(look)
{
	enum plan plan = _i % 2 == 0 ? PLAN_PROVE : PLAN_NAME;
	struct device *d = device_on("vfio-pci");
	const struct worker_result *res;
	struct record r;

	d->facts.group = groups[_i / 2].group;
	ck_assert_int_eq(worker_start(d, plan), 0);
	res = work_result(d);
	ck_assert_int_eq(res->error, groups[_i / 2].error);
	ck_assert_int_eq(res->plan, plan);
	ck_assert_str_eq(res->step, plan_name(plan));
	ck_assert_str_eq(res->text, "");
	ck_assert_int_eq(record_read(&d->facts.bdf, &r), -ENOENT);
}
END_TEST

/* The proof for a cdev: off the driver and on it again, by an override. */
START_TEST(rebind)
{
	enum plan plan = _i == 0 ? PLAN_REBIND : PLAN_REBIND_NAME;
	struct device *d = device_on("vfio-pci");
	const struct worker_result *res;
	struct record r;

	d->facts.group = groups[0].group;
	d->record = (struct record){
		.bdf = d->facts.bdf, .lease = 42, .taken = true, .cdev = true
	};
	strcpy(d->record.driver, "igbvf");
	ck_assert_int_eq(worker_start(d, plan), 0);
	r = next_record("rebind-override");
	ck_assert(r.cdev);
	ck_assert_uint_eq(r.lease, 42);
	ck_assert_str_eq(work_take(DEVICE "driver_override"), "vfio-pci");
	next_record("rebind-unbind");
	ck_assert_str_eq(work_take(DRIVERS "vfio-pci/unbind"), NAME);
	next_record("rebind-bind");
	ck_assert_str_eq(work_take(PROBE), NAME);
	res = work_result(d);
	ck_assert_int_eq(res->error, 0);
	ck_assert_str_eq(res->step, "rebind-bind");
	ck_assert_int_eq(record_read(&d->facts.bdf, &r), 0);
	ck_assert_str_eq(
	    r.driver, "igbvf"); /* what goes home has not changed */
}
END_TEST

/* One that was on vfio-pci without us gets noted first: it has to be so again. */
START_TEST(rebind_native)
{
	struct device *d = device_on("vfio-pci");
	struct record r;

	d->facts.group = groups[0].group;
	d->record.cdev = true;
	ck_assert_int_eq(worker_start(d, PLAN_REBIND), 0);
	answer(DEVICE "driver_override", "(null)\n");
	r = next_record("rebind-override");
	ck_assert(r.taken);
	ck_assert_str_eq(r.driver, "vfio-pci");
	ck_assert_str_eq(r.override, "");
	ck_assert_str_eq(work_take(DEVICE "driver_override"), "vfio-pci");
	next_record("rebind-unbind");
	ck_assert_str_eq(work_take(DRIVERS "vfio-pci/unbind"), NAME);
	next_record("rebind-bind");
	ck_assert_str_eq(work_take(PROBE), NAME);
	ck_assert_int_eq(work_result(d)->error, 0);
}
END_TEST

/* And on a variant of vfio-pci on that: the generic one would do less. */
START_TEST(rebind_variant)
{
	struct device *d = device_on("mlx5_vfio_pci");
	struct record r;

	d->facts.group = groups[0].group;
	d->record.cdev = true;
	ck_assert_int_eq(worker_start(d, PLAN_REBIND), 0);
	answer(DEVICE "driver_override", "mlx5_vfio_pci\n");
	r = next_record("rebind-override");
	ck_assert_str_eq(r.driver, "mlx5_vfio_pci");
	ck_assert_str_eq(work_take(DEVICE "driver_override"), "mlx5_vfio_pci");
	next_record("rebind-unbind");
	ck_assert_str_eq(work_take(DRIVERS "mlx5_vfio_pci/unbind"), NAME);
	next_record("rebind-bind");
	ck_assert_str_eq(work_take(PROBE), NAME);
	ck_assert_int_eq(work_result(d)->error, 0);
}
END_TEST

/* Only who uses a device can be asked for it: one that is merely open is not
 * waited for. */
START_TEST(ask_unused_cdev)
{
	struct device *d = device_on("vfio-pci");

	d->facts.group = groups[0].group; /* proven unused */
	d->record.cdev = d->record.taken = true;
	ck_assert_int_eq(worker_start(d, PLAN_UNBIND), 0);
	next_record("ask");
	ck_assert_int_eq(work_result(d)->error, 0); /* no store waits */
}
END_TEST

/* A host driver took it meanwhile, which it could not have from a holder. */
START_TEST(rebind_elsewhere)
{
	struct device *d = device_on("igbvf");
	const struct worker_result *res;

	d->facts.group = groups[0].group;
	d->record.cdev = d->record.taken = true;
	ck_assert_int_eq(worker_start(d, PLAN_REBIND), 0);
	res = work_result(d); /* a store would wait for ever */
	ck_assert_int_eq(res->error, 0);
	ck_assert_str_eq(res->step, "rebind-bind");
}
END_TEST

/* Somebody has the node open: nothing is stored, so nothing waits for him. */
START_TEST(rebind_held)
{
	enum plan plan = _i == 0 ? PLAN_REBIND : PLAN_REBIND_NAME;
	struct device *d = device_on("vfio-pci");
	const struct worker_result *res;
	struct record r;
	char me[32];
	int fd;

	fixture_file(&tree, "247:3\n", DEVICE "vfio-dev/vfio3/dev");
	fixture_file(&tree, "", "dev/vfio/devices/vfio3");
	fd =
	    openat(tree.rootfd, "dev/vfio/devices/vfio3", O_RDONLY | O_CLOEXEC);
	ck_assert_int_ge(fd, 0);
	d->facts.group = groups[0].group;
	d->record.cdev = d->record.taken = true;
	ck_assert_int_eq(worker_start(d, plan), 0);
	res = work_result(d);
	ck_assert_int_eq(res->error, -EBUSY);
	snprintf(me, sizeof(me), "pid %d (", (int)getpid());
	ck_assert(
	    _i == 0 ? res->text[0] == '\0' : strstr(res->text, me) != NULL);
	ck_assert_int_eq(record_read(&d->facts.bdf, &r), -ENOENT);
	close(fd);
}
END_TEST

int
main(void)
{
	TCase *tc = tcase_create("planproof");
	Suite *s = suite_create("planproof");

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, work_setup, work_teardown);
	tcase_add_loop_test(tc, ask, 0, 2);
	tcase_add_loop_test(
	    tc, look, 0, 2 * sizeof(groups) / sizeof(groups[0]));
	tcase_add_loop_test(tc, rebind, 0, 2);
	tcase_add_test(tc, rebind_native);
	tcase_add_test(tc, rebind_variant);
	tcase_add_test(tc, ask_unused_cdev);
	tcase_add_test(tc, rebind_elsewhere);
	tcase_add_loop_test(tc, rebind_held, 0, 2);
	suite_add_tcase(s, tc);
	return run_suite(s);
}
