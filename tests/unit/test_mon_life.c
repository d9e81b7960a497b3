/* SPDX-License-Identifier: ISC */
/*
 * What a device goes through by workers: the looks at one that drains, the
 * revoked one's question first, and a claim that fails.
 */

#include <sys/resource.h>

#include "broker/monitor/acquire.h"
#include "broker/monitor/config.h"
#include "broker/monitor/lease.h"
#include "broker/monitor/life.h"
#include "tests/unit/test_mon_work.h"

#define NAME "0000:01:00.0"
#define DEVICE "sys/bus/pci/devices/" NAME "/"
#define DRIVERS "sys/bus/pci/drivers/"
#define NO_GROUP 987654 /* that no machine has: proven unheld */

static struct device *device;

static void
setup(void)
{
	work_setup();
	life_init();
	ck_assert_int_eq(acquisition_init(), 0);
}

static void
machine(const char *driver, int group)
{
	device = work_device(0, driver);
	device->facts.group = group;
	if (driver != NULL)
		fixture_file(&tree, "", DRIVERS "%s/unbind", driver);
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
is_looked_at(void *arg)
{
	return device->looks >= *(unsigned *)arg;
}

static struct lease *
leased(void)
{
	static struct lease l = { .id = 42, .uid = 1000, .probefd = -1 };

	TAILQ_INIT(&l.devices);
	TAILQ_INSERT_TAIL(&leases, &l, entry);
	device->state = STATE_LEASED;
	device->record.lease = l.id;
	lease_add(&l, device);
	return &l;
}

/* How a transition is told, up to what its duration may be. */
static void
assert_told(const char *transition)
{
	char line[256];
	unsigned n = 0;

	for (unsigned s = 0; s < PATIENCE_MS / 1000; s++) {
		snprintf(line, sizeof(line), "%s: %s after %u.", NAME,
		    transition, s);
		n += log_count(logfd, line);
	}
	ck_assert_msg(n == 1, "told %u times: %s", n, transition);
}

/* By a worker, and by nothing that the monitor would wait for. */
START_TEST(drains)
{
	machine("vfio-pci", NO_GROUP);
	leased();
	lease_drop(device->lease, device);
	life_event(device, LIFE_CLOSED, "closed");
	ck_assert_int_eq(device->state, STATE_DRAINING);
	ck_assert_ptr_nonnull(device->worker);
	ck_assert_ptr_nonnull(device->held_by);
	assert_comes_to(STATE_RESETTING);
	ck_assert_ptr_null(device->held_by);
	assert_comes_to(STATE_READY);
	ck_assert_str_eq(work_content(DEVICE "reset"), "1");
	ck_assert_str_eq(work_content(DRIVERS "vfio-pci/unbind"), "");
	assert_told("leased -> draining (closed)");
	assert_told("draining -> resetting (nobody has it open)");
	assert_told("resetting -> ready (reset)");
}
END_TEST

/* The kernel refuses the reset: nobody gets it, and all are told why. */
START_TEST(reset_fails)
{
	struct record r;

	machine("vfio-pci", NO_GROUP);
	fixture_link(&tree, "/dev/full", DEVICE "reset");
	device->record.lease = 42;
	device->state = STATE_LEASED;
	life_event(device, LIFE_CLOSED, "closed");
	assert_comes_to(STATE_QUARANTINED);
	ck_assert_str_eq(device->why, "reset: No space left on device");
	assert_told(
	    "resetting -> quarantined (reset: No space left on device)");
	ck_assert_uint_eq(log_count(logfd, NAME " is in quarantine: "), 1);
	ck_assert_int_eq(record_read(&device->facts.bdf, &r), 0);
	ck_assert_str_eq(r.step, "quarantined");
	ck_assert_uint_eq(r.lease, 42); /* nobody else before a reset */
	ck_assert_str_eq(r.why, device->why);
	life_settle(device);
	ck_assert_int_eq(device->state, STATE_QUARANTINED);
	/* Mended, and said to be fit: proven and reset as ever. */
	fixture_remove(&tree, DEVICE "reset");
	fixture_file(&tree, "", DEVICE "reset");
	life_event(device, LIFE_RECOVER, "recovered");
	assert_comes_to(STATE_RESETTING);
	assert_comes_to(STATE_READY);
	ck_assert_str_eq(work_content(DEVICE "reset"), "1");
}
END_TEST

/* What is not proven is looked at again, for ever, and never reset. */
START_TEST(not_proven)
{
	unsigned looks = 8; /* one of them would name the holders */

	machine("vfio-pci", -1);
	device->state = STATE_LEASED;
	life_event(device, LIFE_CLOSED, "closed");
	loop_until("so many looks", is_looked_at, &looks);
	ck_assert_int_eq(device->state, STATE_DRAINING);
	ck_assert_str_eq(device->why, "prove: Invalid argument");
	ck_assert_str_eq(work_content(DEVICE "reset"), "");
	device->facts.group = NO_GROUP;
	assert_comes_to(STATE_READY);
}
END_TEST

/* A reset that is later than the workers' patience is one all the same: a
 * second one would wait here for ever. */
START_TEST(slow_reset)
{
	machine("vfio-pci", NO_GROUP);
	work_fifo(DEVICE "reset");
	config.worker_timeout = 1;
	device->record.lease = 42;
	device->state = STATE_LEASED;
	life_event(device, LIFE_CLOSED, "closed");
	assert_comes_to(STATE_WEDGED);
	ck_assert_str_eq(work_take(DEVICE "reset"), "1");
	assert_comes_to(STATE_READY);
}
END_TEST

/* No fd for a worker's pipe: what goes home waits, and is not given up. */
START_TEST(no_worker)
{
	struct rlimit all, few;

	machine("vfio-pci", NO_GROUP);
	device->record.lease = 42;
	device->state = STATE_DRAINING;
	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &all), 0);
	few = all;
	few.rlim_cur = 3;
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &few), 0);
	life_event(device, LIFE_UNHELD, "free");
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &all), 0);
	ck_assert_int_eq(device->state, STATE_RESETTING);
	ck_assert_ptr_null(device->worker);
	assert_comes_to(STATE_READY);
	ck_assert_str_eq(work_content(DEVICE "reset"), "1");
}
END_TEST

/* Nobody would know after a restart that somebody has had it. */
START_TEST(not_written_down)
{
	static struct lease l = { .id = 42, .uid = 1000, .probefd = -1 };

	machine("vfio-pci", NO_GROUP);
	TAILQ_INIT(&l.devices);
	device->state = STATE_READY;
	fixture_remove(&tree, "run/devices");
	ck_assert_int_eq(life_lend(device, &l, "lease 42"), -ENOENT);
	ck_assert_int_eq(device->state, STATE_READY);
	ck_assert_ptr_null(device->lease);
	ck_assert_uint_eq(device->record.lease, 0);
	ck_assert(TAILQ_EMPTY(&l.devices));
}
END_TEST

/* On a vfio driver its kernel is asked first; on another there is no use. */
START_TEST(asked_back)
{
	struct lease *l;
	struct record r;

	machine(_i == 0 ? "vfio-pci" : "igbvf", NO_GROUP);
	l = leased();
	life_ask_back(device);
	ck_assert(TAILQ_EMPTY(&l->devices));
	ck_assert_ptr_null(device->lease);
	ck_assert_int_eq(device->state, STATE_DRAINING);
	ck_assert_ptr_nonnull(device->worker);
	ck_assert(!device->ask_back); /* once */
	if (_i == 0) {
		assert_comes_to(STATE_RESETTING);
		ck_assert_str_eq(work_content(DRIVERS "vfio-pci/unbind"), NAME);
		ck_assert(device->record.taken);
		ck_assert_str_eq(device->record.driver, "vfio-pci");
	} else {
		assert_comes_to(STATE_HOST);
		ck_assert_str_eq(work_content(DRIVERS "igbvf/unbind"), "");
		ck_assert_int_eq(record_read(&device->facts.bdf, &r), -ENOENT);
	}
}
END_TEST

/* The kernel waits for the holder: wedged, and when it lets go all is proven
 * anew. */
START_TEST(asked_in_vain)
{
	machine("vfio-pci", NO_GROUP);
	leased();
	work_fifo(DRIVERS "vfio-pci/unbind");
	config.worker_timeout = 1;
	life_ask_back(device);
	assert_comes_to(STATE_WEDGED);
	ck_assert_ptr_nonnull(device->worker);
	ck_assert_ptr_nonnull(strstr(device->why, "unbind does not return"));
	config.worker_timeout = 60;
	ck_assert_str_eq(work_take(DRIVERS "vfio-pci/unbind"), NAME);
	assert_comes_to(STATE_DRAINING);
	assert_comes_to(STATE_RESETTING);
}
END_TEST

/* Lent as a cdev: off vfio-pci and on it again, and only then reset. */
START_TEST(drains_cdev)
{
	machine("vfio-pci", NO_GROUP);
	leased();
	device->record.cdev = device->record.rebind = true;
	lease_drop(device->lease, device);
	life_event(device, LIFE_CLOSED, "closed");
	assert_comes_to(STATE_RESETTING);
	ck_assert_str_eq(work_content(DRIVERS "vfio-pci/unbind"), NAME);
	ck_assert_str_eq(work_content("sys/bus/pci/drivers_probe"), NAME);
	ck_assert(!device->record.cdev); /* proven */
	/* It was on vfio-pci without us, and so it shall be again. */
	ck_assert(device->record.taken);
	ck_assert_str_eq(device->record.driver, "vfio-pci");
}
END_TEST

/* It left its driver, so nobody had it; that nobody binds it again is another
 * matter, and no reason to keep it. */
START_TEST(rebind_fails)
{
	machine("vfio-pci", NO_GROUP);
	device->record.cdev = device->record.rebind = true;
	device->record.taken = true;
	device->record.lease = 42;
	strcpy(device->record.driver, "igbvf");
	device->state = STATE_LEASED;
	work_fifo(DRIVERS "vfio-pci/unbind");
	life_event(device, LIFE_CLOSED, "closed");
	ck_assert_str_eq(work_take(DRIVERS "vfio-pci/unbind"), NAME);
	fixture_remove(&tree, DEVICE "driver");
	assert_comes_to(STATE_RESETTING);
	ck_assert(!device->record.rebind);
	assert_told("draining -> resetting (nobody has it open)");
	assert_comes_to(STATE_READY);
	ck_assert_str_eq(work_content(DEVICE "reset"), "1");
}
END_TEST

/* Somebody has a cdev where nobody sees it: the rebind waits in the kernel, and
 * when that lets go, all is proven anew. */
START_TEST(hidden_cdev)
{
	machine("vfio-pci", NO_GROUP);
	leased();
	device->record.cdev = device->record.rebind = true;
	device->record.taken = true;
	work_fifo(DRIVERS "vfio-pci/unbind");
	config.worker_timeout = 1;
	lease_drop(device->lease, device);
	life_event(device, LIFE_CLOSED, "closed");
	assert_comes_to(STATE_WEDGED);
	ck_assert_ptr_nonnull(strstr(device->why, "rebind does not return"));
	ck_assert_ptr_nonnull(device->held_by); /* and counts for its owner */
	config.worker_timeout = 60;
	ck_assert_str_eq(work_take(DRIVERS "vfio-pci/unbind"), NAME);
	assert_comes_to(STATE_DRAINING);
	ck_assert_str_eq(work_take(DRIVERS "vfio-pci/unbind"), NAME);
	assert_comes_to(STATE_RESETTING);
	ck_assert_ptr_null(device->held_by);
}
END_TEST

/* Given back, and not tried again by ourselves. */
START_TEST(claim_fails)
{
	machine("igbvf", NO_GROUP);
	device->claimed = true;
	life_event(device, LIFE_CLAIM, "asked for");
	ck_assert(!device->claim_failed);
	assert_comes_to(STATE_RESTORING);
	ck_assert(device->claim_failed);
	assert_comes_to(STATE_HOST);
	ck_assert_ptr_null(device->worker);
	life_settle(device);
	ck_assert_int_eq(device->state, STATE_HOST);
}
END_TEST

/* Pulled while a worker looks at it: the look is about nothing any more. */
START_TEST(pulled)
{
	machine("vfio-pci", -1);
	leased();
	life_ask_back(device);
	ck_assert_ptr_nonnull(device->worker);
	life_removed(device);
	ck_assert(TAILQ_EMPTY(&inventory));
	while (worker_count() > 0)
		ck_assert_int_eq(event_base_loop(loop_base, EVLOOP_ONCE), 0);
	ck_assert_int_eq(
	    faccessat(tree.rootfd, "run/devices/" NAME, F_OK, 0), -1);
}
END_TEST

int
main(void)
{
	TCase *tc = tcase_create("life");
	Suite *s = suite_create("life");

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, setup, work_teardown);
	tcase_add_test(tc, drains);
	tcase_add_test(tc, slow_reset);
	tcase_add_test(tc, not_written_down);
	tcase_add_test(tc, no_worker);
	tcase_add_test(tc, reset_fails);
	tcase_add_test(tc, not_proven);
	tcase_add_loop_test(tc, asked_back, 0, 2);
	tcase_add_test(tc, asked_in_vain);
	tcase_add_test(tc, drains_cdev);
	tcase_add_test(tc, rebind_fails);
	tcase_add_test(tc, hidden_cdev);
	tcase_add_test(tc, claim_fails);
	tcase_add_test(tc, pulled);
	suite_add_tcase(s, tc);
	return run_suite(s);
}
