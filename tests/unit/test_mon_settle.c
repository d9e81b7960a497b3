/* SPDX-License-Identifier: ISC */
/*
 * A broker's start after another one's death, wherever that was: the records
 * it left, the leases that live, and what the kernel says now, in every
 * combination, and where each device ends.
 */

#include "broker/monitor/acquire.h"
#include "broker/monitor/lease.h"
#include "broker/monitor/life.h"
#include "broker/monitor/policyload.h"
#include "broker/monitor/settle.h"
#include "tests/unit/loader_peer.h"
#include "tests/unit/test_mon_work.h"

#define NAME "0000:01:00.0"
#define DEVICE "sys/bus/pci/devices/" NAME "/"
#define DRIVERS "sys/bus/pci/drivers/"

static struct device *device;
static char policy_file[128];

static void
setup_policy(const char *text)
{
	work_setup();
	life_init();
	ck_assert_int_eq(acquisition_init(), 0);
	fixture_file(&tree, text, "etc/policy.conf");
	snprintf(
	    policy_file, sizeof(policy_file), "%s/etc/policy.conf", tree.root);
	config.policy = policy_file;
	loader_use(&tree);
	config.policy_dir = "/nonexistent";
	ck_assert_int_eq(policyload_init(), 0);
}

static void
setup(void)
{
	setup_policy("");
}

static void
setup_claimed(void)
{
	setup_policy("claim " NAME "\n");
}

/* The device with a driver; its group is one that no machine has. */
static void
machine(const char *driver)
{
	device = work_device(0, driver);
	device->facts.group = 987654;
	if (driver != NULL)
		fixture_file(&tree, "", DRIVERS "%s/unbind", driver);
}

static void
record(const char *step, uint64_t lease)
{
	struct record r = { .bdf = device->facts.bdf,
		.driver = "igbvf",
		.override = "own",
		.lease = lease,
		.taken = true };

	strcpy(r.step, step);
	ck_assert_int_eq(record_write(&r), 0);
}

static struct lease *
living_lease(void)
{
	static struct lease l = { .id = 42, .uid = 1000, .probefd = -1 };

	TAILQ_INIT(&l.devices);
	TAILQ_INSERT_TAIL(&leases, &l, entry);
	return &l;
}

static void
start(void)
{
	ck_assert_int_eq(settle_records(), 0);
	settle_all();
}

static bool
is_in(void *arg)
{
	return device->state == *(enum state *)arg;
}

static void
assert_comes_to(enum state state)
{
	loop_until(state_name(state), is_in, &state);
}

static bool
has_record(void)
{
	struct record r;

	return record_read(&device->facts.bdf, &r) == 0;
}

/* Home, with what was there before, and nothing owed. */
static void
assert_home(void)
{
	assert_comes_to(STATE_HOST);
	ck_assert(!has_record());
	ck_assert_str_eq(device->driver, "igbvf");
	ck_assert_ptr_null(device->worker);
	ck_assert_ptr_null(device->lease);
}

/* Every step that a record can name. */
static const char *const steps[] = { "override", "unbind", "bind", "ready",
	"leased", "reset", "home-override", "home-unbind", "home-bind",
	"home-clear", "ask", "no-such-step" };
#define NSTEPS (int)(sizeof(steps) / sizeof(steps[0]))

/* The host's driver has it, whatever was under way: what is left is its
 * override. */
START_TEST(on_its_own_driver)
{
	machine("igbvf");
	record(steps[_i], 0);
	start();
	assert_home();
	ck_assert_int_eq(
	    strncmp(work_content(DEVICE "driver_override"), "own", 3), 0);
	ck_assert_str_eq(work_content(DRIVERS "igbvf/unbind"), "");
	ck_assert_str_eq(work_content(DEVICE "reset"), "");
}
END_TEST

/*
 * It is on vfio-pci, and held by nobody, as its group has no node here: reset,
 * and given back.  The files do nothing, so that fails, and is noticed.
 */
START_TEST(on_vfio)
{
	machine("vfio-pci");
	record(steps[_i], 41);
	start();
	ck_assert_int_eq(device->state, STATE_DRAINING);
	ck_assert_ptr_nonnull(device->worker);
	assert_comes_to(STATE_RESETTING);
	assert_comes_to(STATE_RESTORING);
	ck_assert_str_eq(work_content(DEVICE "reset"), "1");
	assert_comes_to(STATE_QUARANTINED);
	ck_assert_ptr_nonnull(
	    strstr(device->why, "vfio-pci instead of igbvf has it"));
	ck_assert_str_eq(work_content(DRIVERS "vfio-pci/unbind"), NAME);
	ck_assert_int_eq(
	    strncmp(work_content(DEVICE "driver_override"), "igbvf", 5), 0);
	ck_assert(has_record());
	ck_assert_str_eq(device->record.driver, "igbvf");
	ck_assert_str_eq(device->record.override, "own");
}
END_TEST

/* Nobody has had it since it was reset, or taken: no reset, which it may not
 * even have, and no quarantine for the want of one. */
START_TEST(on_vfio_unused)
{
	machine("vfio-pci");
	fixture_remove(&tree, DEVICE "reset_method");
	record(steps[_i], 0);
	start();
	ck_assert_int_eq(device->state, STATE_DRAINING);
	assert_comes_to(STATE_RESTORING);
	ck_assert_str_eq(work_content(DEVICE "reset"), "");
	assert_comes_to(STATE_QUARANTINED); /* its worker has ended */
}
END_TEST

/* No driver has it: died between unbind and bind. */
START_TEST(on_no_driver)
{
	machine(NULL);
	record(steps[_i], 41);
	start();
	assert_comes_to(STATE_RESTORING);
	ck_assert_str_eq(work_content(DEVICE "reset"), "1");
	assert_comes_to(STATE_QUARANTINED);
	ck_assert_str_eq(work_content("sys/bus/pci/drivers_probe"), NAME);
	ck_assert(has_record());
}
END_TEST

START_TEST(lease_lives)
{
	struct lease *l = living_lease();

	machine(_i == 0 ? "vfio-pci" : "igbvf");
	record("leased", 42);
	start();
	ck_assert_int_eq(device->state, STATE_LEASED);
	ck_assert_ptr_eq(device->lease, l);
	ck_assert_ptr_eq(TAILQ_FIRST(&l->devices), device);
	ck_assert(has_record());
}
END_TEST

/* A lease that lives, but of another step or another number. */
START_TEST(lease_of_another)
{
	struct lease *l = living_lease();

	machine("igbvf");
	record(_i == 0 ? "leased" : "reset", _i == 0 ? 43 : 42);
	start();
	assert_home();
	ck_assert(TAILQ_EMPTY(&l->devices));
}
END_TEST

/* It rested on vfio-pci, claimed: there it stays, proven unheld.  Nobody has
 * had it since its last reset: a lease would stand in the record. */
START_TEST(ready_and_claimed)
{
	machine("vfio-pci");
	record("ready", 0);
	start();
	ck_assert_int_eq(device->state, STATE_DRAINING);
	assert_comes_to(STATE_READY);
	ck_assert_ptr_null(device->worker);
	ck_assert_str_eq(work_content(DEVICE "reset"), "");
	ck_assert_str_eq(work_content(DRIVERS "vfio-pci/unbind"), "");
	ck_assert(has_record());
	ck_assert_str_eq(device->record.step, "ready");
	ck_assert(device->record.taken);
	ck_assert_str_eq(device->record.driver, "igbvf");
}
END_TEST

START_TEST(quarantined)
{
	machine(_i == 0 ? "vfio-pci" : "igbvf");
	record("quarantined", 0);
	start();
	ck_assert_int_eq(device->state, STATE_QUARANTINED);
	ck_assert(has_record());
}
END_TEST

/* It was proven free before it was quarantined: it counts for nobody. */
START_TEST(quarantined_counts_not)
{
	static struct lease l = { .id = 42, .probefd = -1, .ended = true };
	bool waits = _i == 0;

	TAILQ_INIT(&l.devices);
	l.nheld = 1; /* another of its devices is not free yet */
	TAILQ_INSERT_TAIL(&ended_leases, &l, entry);
	machine("vfio-pci");
	record(waits ? "quarantined" : "leased", 42);
	start();
	ck_assert_ptr_eq(device->held_by, waits ? NULL : &l);
	ck_assert_uint_eq(l.nheld, waits ? 1 : 2);
	if (!waits)
		assert_comes_to(STATE_QUARANTINED);
	ck_assert_uint_eq(l.nheld, 1);
}
END_TEST

static const char *const bad[] = { "", "junk\n",
	"vfiobroker-device 1\nbdf " NAME "\nstep bind\n",
	"vfiobroker-device 1\nbdf 0000:02:00.0\nstep bind\ndriver igbvf\n"
	"override -\nlease 0\ntaken 1\nreset-none 0\nwhy -\nend\n" };

/* Nobody knows what to put back: nobody touches it, nor what there is left of
 * its record, which a person may still make something of. */
START_TEST(unreadable)
{
	machine("vfio-pci");
	fixture_file(&tree, bad[_i], "run/devices/" NAME);
	start();
	ck_assert_int_eq(device->state, STATE_QUARANTINED);
	ck_assert(device->unreadable);
	ck_assert_ptr_null(device->worker);
	ck_assert_str_eq(work_content("run/devices/" NAME), bad[_i]);
	ck_assert_str_eq(work_content(DRIVERS "vfio-pci/unbind"), "");
}
END_TEST

/* The old broker's worker is still in the kernel with it. */
START_TEST(worker_lives)
{
	int fds[2], r;
	pid_t old;

	machine("igbvf");
	record("unbind", 0);
	ck_assert_int_eq(pipe2(fds, O_CLOEXEC), 0);
	old = fork();
	ck_assert_int_ge(old, 0);
	if (old == 0) {
		r = rundir_mark_worker(&device->facts.bdf);
		if (write(fds[1], &r, sizeof(r)) != sizeof(r))
			_exit(1);
		for (;;)
			pause();
	}
	read_exactly(fds[0], &r, sizeof(r));
	start();
	ck_assert_int_eq(device->state, STATE_WEDGED);
	ck_assert_ptr_null(device->worker);
	ck_assert_int_eq(kill(old, SIGKILL), 0);
	assert_home();
}
END_TEST

START_TEST(no_record)
{
	machine(_i == 0 ? "igbvf" : "vfio-pci");
	start();
	ck_assert_int_eq(device->state, _i == 0 ? STATE_HOST : STATE_READY);
	ck_assert(!has_record());
}
END_TEST

/* Pulled while there was no broker: nothing is owed to it. */
START_TEST(device_left)
{
	machine("igbvf");
	record("bind", 0);
	inventory_forget(device);
	start();
	ck_assert_int_eq(
	    faccessat(tree.rootfd, "run/devices/" NAME, F_OK, 0), -1);
}
END_TEST

START_TEST(junk)
{
	machine("igbvf");
	fixture_file(&tree, "", "run/devices/README");
	start();
	ck_assert_int_eq(device->state, STATE_HOST);
	ck_assert_int_eq(
	    faccessat(tree.rootfd, "run/devices/README", F_OK, 0), 0);
}
END_TEST

int
main(void)
{
	TCase *tc = tcase_create("settle"), *claimed = tcase_create("claimed");
	Suite *s = suite_create("settle");

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, setup, work_teardown);
	tcase_add_loop_test(tc, on_its_own_driver, 0, NSTEPS);
	tcase_add_loop_test(tc, on_vfio, 0, NSTEPS);
	tcase_add_loop_test(tc, on_no_driver, 0, NSTEPS);
	tcase_add_loop_test(tc, on_vfio_unused, 0, NSTEPS);
	tcase_add_loop_test(tc, lease_lives, 0, 2);
	tcase_add_loop_test(tc, lease_of_another, 0, 2);
	tcase_add_loop_test(tc, quarantined, 0, 2);
	tcase_add_loop_test(tc, quarantined_counts_not, 0, 2);
	tcase_add_loop_test(tc, unreadable, 0, sizeof(bad) / sizeof(bad[0]));
	tcase_add_test(tc, worker_lives);
	tcase_add_loop_test(tc, no_record, 0, 2);
	tcase_add_test(tc, device_left);
	tcase_add_test(tc, junk);
	suite_add_tcase(s, tc);

	tcase_add_checked_fixture(claimed, setup_claimed, work_teardown);
	tcase_add_test(claimed, ready_and_claimed);
	suite_add_tcase(s, claimed);
	return run_suite(s);
}
