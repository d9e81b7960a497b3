/* SPDX-License-Identifier: ISC */
/*
 * What workers do to a device on its way out and home, and its reset.
 */

#include <sys/prctl.h>

#include "tests/unit/test_mon_plan.h"

static const char *const overrides[][2] = {
	{ "(null)\n", "" },
	{ "\n", "" },
	{ "own\n", "own" },
};

START_TEST(claim)
{
	struct device *d = device_on("igbvf");
	const struct worker_result *res;
	struct record r;

	if (_i > 0)
		fixture_file(&tree, "7\n", DEVICE "sriov_numvfs");
	ck_assert_int_eq(worker_start(d, PLAN_CLAIM), 0);
	ck_assert_uint_eq(worker_count(), 1);
	answer(DEVICE "driver_override", overrides[_i][0]);

	/* Before anything is changed it is written what to put back. */
	r = next_record("override");
	ck_assert_str_eq(r.driver, "igbvf");
	ck_assert_str_eq(r.override, overrides[_i][1]);
	ck_assert(r.taken && !r.reset_none);
	ck_assert_uint_eq(r.vfs, _i > 0 ? 7 : 0);
	ck_assert_int_gt(rundir_worker_of(&d->facts.bdf), 0);
	ck_assert_str_eq(work_take(DEVICE "driver_override"), "vfio-pci");

	next_record("unbind");
	ck_assert_str_eq(work_take(DRIVERS "igbvf/unbind"), NAME);
	set_driver(NULL);

	r = next_record("bind");
	ck_assert_str_eq(r.driver, "igbvf");
	ck_assert_str_eq(r.override, overrides[_i][1]);
	set_driver("../drivers/vfio-pci");
	ck_assert_str_eq(work_take(PROBE), NAME);

	res = work_result(d);
	ck_assert_int_eq(res->error, 0);
	ck_assert_int_eq(res->plan, PLAN_CLAIM);
	ck_assert(!res->late);
	ck_assert_str_eq(res->step, "bind");
	ck_assert_uint_eq(worker_count(), 0);
}
END_TEST

/* A host driver that is quicker once is unbound again. */
START_TEST(claim_race)
{
	struct device *d = device_on("igbvf");

	ck_assert_int_eq(worker_start(d, PLAN_CLAIM), 0);
	answer(DEVICE "driver_override", "(null)\n");
	work_take(DEVICE "driver_override");
	work_take(DRIVERS "igbvf/unbind");
	for (int i = 0; i < 3; i++) {
		ck_assert_str_eq(work_take(PROBE), NAME);
		ck_assert_str_eq(work_take(DRIVERS "igbvf/unbind"), NAME);
	}
	set_driver("../drivers/vfio-pci");
	ck_assert_str_eq(work_take(PROBE), NAME);
	ck_assert_int_eq(work_result(d)->error, 0);
}
END_TEST

START_TEST(claim_without_driver)
{
	struct device *d = device_on(NULL);
	struct record r;

	ck_assert_int_eq(worker_start(d, PLAN_CLAIM), 0);
	answer(DEVICE "driver_override", "(null)\n");
	r = next_record("override");
	ck_assert_str_eq(r.driver, "");
	work_take(DEVICE "driver_override");
	set_driver("../drivers/vfio-pci");
	work_take(PROBE);
	ck_assert_int_eq(work_result(d)->error, 0);
}
END_TEST

/* With attributes that are files nothing ever moves: that must be noticed. */
START_TEST(claim_fails)
{
	struct device *d = work_device(0, "igbvf");
	const struct worker_result *res;
	struct record r;

	fixture_file(&tree, "", DRIVERS "igbvf/unbind");
	ck_assert_int_eq(worker_start(d, PLAN_CLAIM), 0);
	res = work_result(d);
	ck_assert_int_eq(res->error, -EBUSY);
	ck_assert_str_eq(res->step, "bind");
	ck_assert_str_eq(res->text, "igbvf instead of vfio-pci has it");
	ck_assert_str_eq(work_content(DEVICE "driver_override"), "vfio-pci");
	ck_assert_str_eq(work_content(DRIVERS "igbvf/unbind"), NAME);
	ck_assert_str_eq(work_content(PROBE), NAME);
	ck_assert_int_eq(record_read(&d->facts.bdf, &r), 0);
	ck_assert_str_eq(r.step, "bind");
	ck_assert_str_eq(r.driver, "igbvf");
}
END_TEST

START_TEST(claim_nobody_binds)
{
	struct device *d = work_device(0, NULL);
	const struct worker_result *res;

	ck_assert_int_eq(worker_start(d, PLAN_CLAIM), 0);
	res = work_result(d);
	ck_assert_int_eq(res->error, -EBUSY);
	ck_assert_str_eq(res->text, "no driver instead of vfio-pci has it");
}
END_TEST

/* No record, no change. */
START_TEST(no_record)
{
	struct device *d = work_device(0, "igbvf");
	const struct worker_result *res;

	fixture_file(&tree, "", DRIVERS "igbvf/unbind");
	fixture_dir(&tree, "run/devices/" NAME);
	ck_assert_int_eq(worker_start(d, PLAN_CLAIM), 0);
	res = work_result(d);
	ck_assert_int_eq(res->error, -EISDIR);
	ck_assert_str_eq(res->step, "override");
	ck_assert_str_eq(res->text, "cannot write its record");
	ck_assert_str_eq(work_content(DEVICE "driver_override"), "(null)\n");
	ck_assert_str_eq(work_content(DRIVERS "igbvf/unbind"), "");
}
END_TEST

START_TEST(no_device)
{
	struct device *d = work_device(0, "igbvf");

	fixture_remove(&tree, "sys/bus/pci/devices/" NAME);
	ck_assert_int_eq(worker_start(d, (enum plan)_i), 0);
	ck_assert_int_eq(work_result(d)->error, -ENODEV);
}
END_TEST

START_TEST(restore)
{
	struct device *d = device_on("vfio-pci");
	int fd = store_held(PROBE);
	struct record r;

	strcpy(d->record.driver, "igbvf");
	strcpy(d->record.override, _i == 0 ? "" : "own");
	d->record.taken = true;
	ck_assert_int_eq(worker_start(d, PLAN_RESTORE), 0);
	next_record("home-override");
	ck_assert_str_eq(work_take(DEVICE "driver_override"), "igbvf");
	next_record("home-unbind");
	ck_assert_str_eq(work_take(DRIVERS "vfio-pci/unbind"), NAME);
	set_driver(NULL);
	next_record("home-bind");
	/* Not before it has looked that it is not there. */
	store_arrives();
	set_driver("../drivers/igbvf");
	store_goes_on(fd, NAME);
	r = next_record("home-clear");
	ck_assert_str_eq(r.driver, "igbvf");
	ck_assert_str_eq(
	    work_take(DEVICE "driver_override"), _i == 0 ? "\n" : "own");
	ck_assert_int_eq(work_result(d)->error, 0);
	ck_assert_str_eq(told[0].result.step, "home-vfs");
}
END_TEST

/* Repeated after a death in the middle: what is home already stays there. */
START_TEST(restore_again)
{
	struct device *d = work_device(0, "igbvf");

	fixture_file(&tree, "", DRIVERS "igbvf/unbind");
	strcpy(d->record.driver, "igbvf");
	ck_assert_int_eq(worker_start(d, PLAN_RESTORE), 0);
	ck_assert_int_eq(work_result(d)->error, 0);
	ck_assert_str_eq(work_content(DRIVERS "igbvf/unbind"), "");
	ck_assert_str_eq(work_content(PROBE), "");
	ck_assert_int_eq(work_content(DEVICE "driver_override")[0], '\n');
}
END_TEST

/* Some host driver has it, if not the one it had: it is not driven out. */
START_TEST(restore_elsewhere)
{
	struct device *d = work_device(0, "other");

	fixture_file(&tree, "", DRIVERS "other/unbind");
	strcpy(d->record.driver, _i == 0 ? "igbvf" : "");
	ck_assert_int_eq(worker_start(d, PLAN_RESTORE), 0);
	ck_assert_int_eq(work_result(d)->error, 0);
	ck_assert_str_eq(told[0].result.step, "home-vfs");
	ck_assert_str_eq(work_content(DRIVERS "other/unbind"), "");
	ck_assert_str_eq(work_content(PROBE), "");
}
END_TEST

/* To no driver, where there was none; whoever was quicker keeps it. */
START_TEST(restore_bare)
{
	struct device *d = device_on("vfio-pci");
	int fd = store_held(DRIVERS "vfio-pci/unbind");

	ck_assert_int_eq(worker_start(d, PLAN_RESTORE), 0);
	ck_assert_str_eq(work_take(DEVICE "driver_override"), "\n");
	store_arrives();
	set_driver(_i == 0 ? NULL : "../drivers/other");
	store_goes_on(fd, NAME);
	ck_assert_str_eq(work_take(DEVICE "driver_override"), "\n");
	ck_assert_int_eq(work_result(d)->error, 0);
}
END_TEST

static const struct {
	unsigned had;
	const char *now; /* NULL: the driver can make none */
	const char *driver;
	const char *stored; /* what is in the file then */
	const char *said;
} vfs[] = {
	{ 7, "0\n", "igb", "7\n", "" },
	{ 0, "0\n", "igb", "0\n", "" },
	{ 7, "3\n", "igb", "3\n", "" }, /* by whatever hand */
	{ 7, NULL, "igb", "", "its 7 VFs are not made again: No such file" },
	{ 7, "0\n", "other", "0\n", "are not made again: Device or resource" },
};

/* A PF is at home with or without them. */
START_TEST(restore_vfs)
{
	struct device *d = work_device(0, vfs[_i].driver);

	if (vfs[_i].now != NULL)
		fixture_file(&tree, vfs[_i].now, DEVICE "sriov_numvfs");
	fixture_file(&tree, "", DEVICE "driver_override");
	strcpy(d->record.driver, "igb");
	d->record.vfs = vfs[_i].had;
	ck_assert_int_eq(prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0), 0);
	ck_assert_int_eq(worker_start(d, PLAN_RESTORE), 0);
	ck_assert_int_eq(work_result(d)->error, 0);
	/* Who makes them is on its own; then it is ours to wait for. */
	while (waitpid(-1, NULL, 0) > 0 || errno == EINTR)
		continue;
	if (vfs[_i].now != NULL)
		ck_assert_str_eq(
		    work_content(DEVICE "sriov_numvfs"), vfs[_i].stored);
	ck_assert_uint_eq(
	    log_count(logfd, "VFs are not"), vfs[_i].said[0] != '\0');
	if (vfs[_i].said[0] != '\0')
		ck_assert_uint_eq(log_count(logfd, vfs[_i].said), 1);
}
END_TEST

/* However long it takes to make them, it has been at home since. */
START_TEST(restore_vfs_slowly)
{
	struct device *d = work_device(0, "igb");

	work_fifo(DEVICE "sriov_numvfs");
	fixture_file(&tree, "", DEVICE "driver_override");
	strcpy(d->record.driver, "igb");
	d->record.vfs = 7;
	ck_assert_int_eq(prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0), 0);
	ck_assert_int_eq(worker_start(d, PLAN_RESTORE), 0);
	ck_assert_int_eq(work_result(d)->error, 0);
	ck_assert_int_eq(waitpid(-1, NULL, WNOHANG), 0); /* still at it */
	answer(DEVICE "sriov_numvfs", "3\n");
	ck_assert_int_gt(waitpid(-1, NULL, 0), 0);
}
END_TEST

static const struct {
	const char *driver, *methods;
	bool reset_none;
	int error;
	const char *text, *stored;
} resets[] = {
	{ "vfio-pci", "flr\n", false, 0, "", "1" },
	{ NULL, "pm bus\n", false, 0, "", "1" },
	{ "vfio-pci", "flr\n", true, 0, "", "1" },
	{ "vfio-pci", NULL, true, 0, "", "" },
	{ "igbvf", "flr\n", false, -EBUSY, "not reset: igbvf has it", "" },
	{ "vfio-pci", NULL, false, -EOPNOTSUPP, "it has no reset of its own",
	    "" },
	{ "vfio-pci", "\n", false, -EOPNOTSUPP, "it has no reset of its own",
	    "" },
};

START_TEST(reset)
{
	struct device *d = work_device(0, resets[_i].driver);
	const struct worker_result *res;

	if (resets[_i].methods == NULL)
		fixture_remove(&tree, DEVICE "reset_method");
	else
		fixture_file(&tree, resets[_i].methods, DEVICE "reset_method");
	d->record.reset_none = resets[_i].reset_none;
	ck_assert_int_eq(worker_start(d, PLAN_RESET), 0);
	res = work_result(d);
	ck_assert_int_eq(res->error, resets[_i].error);
	ck_assert_str_eq(res->step, "reset");
	ck_assert_str_eq(res->text, resets[_i].text);
	ck_assert_str_eq(work_content(DEVICE "reset"), resets[_i].stored);
	next_record("reset");
}
END_TEST

int
main(void)
{
	TCase *tc = tcase_create("plan");
	Suite *s = suite_create("plan");

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, work_setup, work_teardown);
	tcase_add_loop_test(tc, claim, 0, 3);
	tcase_add_test(tc, claim_race);
	tcase_add_test(tc, claim_without_driver);
	tcase_add_test(tc, claim_fails);
	tcase_add_test(tc, claim_nobody_binds);
	tcase_add_test(tc, no_record);
	tcase_add_loop_test(tc, no_device, 0, PLAN_COUNT);
	tcase_add_loop_test(tc, restore, 0, 2);
	tcase_add_test(tc, restore_again);
	tcase_add_loop_test(tc, restore_elsewhere, 0, 2);
	tcase_add_loop_test(tc, restore_bare, 0, 2);
	tcase_add_loop_test(tc, restore_vfs, 0, sizeof(vfs) / sizeof(vfs[0]));
	tcase_add_test(tc, restore_vfs_slowly);
	tcase_add_loop_test(tc, reset, 0, sizeof(resets) / sizeof(resets[0]));
	suite_add_tcase(s, tc);
	return run_suite(s);
}
