/* SPDX-License-Identifier: ISC */
/*
 * What workers do to a device, with the test in the kernel's place: each store
 * waits in a fifo until it has been looked at, and so has the record that must
 * have been written before it.
 */

#include <sys/prctl.h>

#include "tests/unit/test_mon_work.h"

#define NAME "0000:01:00.0"
#define DEVICE "sys/bus/pci/devices/" NAME "/"
#define DRIVERS "sys/bus/pci/drivers/"
#define PROBE "sys/bus/pci/drivers_probe"

static int openfd;

/* Waits for the record of the next step, and has a look at it. */
static struct record
next_record(const char *step)
{
	static const struct bdf bdf = { .bus = 1 };
	struct record r;

	ck_assert_str_eq(work_recorded(), NAME);
	ck_assert_int_eq(record_read(&bdf, &r), 0);
	ck_assert_str_eq(r.step, step);
	return r;
}

static void
set_driver(const char *name)
{
	if (name == NULL)
		fixture_remove(&tree, DEVICE "driver");
	else
		fixture_link(&tree, name, DEVICE "driver");
}

static struct device *
device_on(const char *driver)
{
	struct device *d = work_device(0, driver);

	work_fifo(DEVICE "driver_override");
	work_fifo(PROBE);
	if (driver != NULL)
		work_fifo(DRIVERS "%s/unbind", driver);
	return d;
}

/* The kernel's answer to who reads a fifo. */
static void
answer(const char *path, const char *text)
{
	int fd = openat(tree.rootfd, path, O_WRONLY | O_CLOEXEC);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

/* A fifo so full that a store into it waits, and one is told of its opening. */
static int
store_held(const char *path)
{
	static const char filler[4096];
	char full[256];
	int fd = openat(tree.rootfd, path, O_RDWR | O_CLOEXEC);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(
	    fcntl(fd, F_SETPIPE_SZ, sizeof(filler)), sizeof(filler));
	ck_assert_int_eq(write(fd, filler, sizeof(filler)), sizeof(filler));
	snprintf(full, sizeof(full), "%s/%s", tree.root, path);
	openfd = inotify_init1(IN_CLOEXEC);
	ck_assert_int_ge(inotify_add_watch(openfd, full, IN_OPEN), 0);
	return fd;
}

static void
store_arrives(void)
{
	struct inotify_event event;

	read_exactly(openfd, &event, sizeof(event));
}

static void
store_goes_on(int fd, const char *want)
{
	char filler[4096], stored[64] = "";

	read_exactly(fd, filler, sizeof(filler));
	read_exactly(fd, stored, strlen(want));
	ck_assert_str_eq(stored, want);
}

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
	tcase_add_loop_test(tc, reset, 0, sizeof(resets) / sizeof(resets[0]));
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
