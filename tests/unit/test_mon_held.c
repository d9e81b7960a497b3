/* SPDX-License-Identifier: ISC */
/*
 * A device's way home while somebody has its group, or nobody can tell: what
 * the proof finds is the test's to say here, the rest is done by workers.
 */

#include "tests/unit/test_mon_ask.h"

#define DEVICE "sys/bus/pci/devices/0000:01:00.0/"

static struct device *device;

static void
setup(void)
{
	ask_setup("");
	device = work_device(0, "vfio-pci");
	fixture_file(&tree, "", "sys/bus/pci/drivers/vfio-pci/unbind");
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
	return device->looks > *(unsigned *)arg;
}

static void
looks(unsigned n)
{
	loop_until("so many looks", is_looked_at, &n);
}

/* What the policy does not claim, and the host's igbvf had before us. */
static void
rests(void)
{
	strcpy(device->record.driver, "igbvf");
	device->record.taken = true;
	device->state = STATE_READY;
}

/* Somebody is in it: it does not go home under him, and counts as had. */
START_TEST(restore_held)
{
	rests();
	vfio.unheld = -EBUSY;
	life_settle(device);
	ck_assert_int_eq(device->state, STATE_RESTORING);
	assert_comes_to(STATE_DRAINING);
	ck_assert_uint_eq(device->record.lease, RECORD_SOMEBODY);
	ck_assert_str_eq(
	    work_content("sys/bus/pci/drivers/vfio-pci/unbind"), "");
	looks(2);
	ck_assert_str_eq(work_content(DEVICE "reset"), "");
	/* He is done: it is reset as after a lease, and goes home. */
	vfio.unheld = 0;
	assert_comes_to(STATE_RESETTING);
	assert_comes_to(STATE_RESTORING);
	ck_assert_str_eq(work_content(DEVICE "reset"), "1");
}
END_TEST

/* That it can not be tried, for want of an fd, a right or the node, is no
 * reason to keep it: nobody had it when it came to rest. */
static const int untried[] = { -EMFILE, -EACCES, -ENOENT, -EINVAL };

START_TEST(restore_unproven)
{
	rests();
	vfio.unheld = untried[_i];
	life_settle(device);
	assert_comes_to(STATE_QUARANTINED); /* nothing is bound here */
	ck_assert_str_eq(
	    device->why, "home-bind: vfio-pci instead of igbvf has it");
	ck_assert_str_eq(work_content("sys/bus/pci/drivers/vfio-pci/unbind"),
	    "0000:01:00.0");
}
END_TEST

/* After a lease it is: nobody gets it before it is proven. */
START_TEST(drain_unproven)
{
	device->record.lease = 42;
	device->state = STATE_LEASED;
	vfio.unheld = -EACCES;
	life_event(device, LIFE_CLOSED, "closed");
	looks(2);
	ck_assert_int_eq(device->state, STATE_DRAINING);
	ck_assert_str_eq(device->why, "prove: Permission denied");
	ck_assert_uint_eq(device->record.lease, 42);
}
END_TEST

/* Held, by whom is asked now and then; nobody's process has it here. */
START_TEST(drain_held)
{
	device->record.lease = 42;
	device->state = STATE_LEASED;
	vfio.unheld = -EBUSY;
	life_event(device, LIFE_CLOSED, "closed");
	looks(7);
	ck_assert_str_eq(device->why, "closed");
	looks(8);
	ck_assert_str_eq(device->why, "somebody still has group 1 open");
	ck_assert_uint_eq(device->record.lease, 42);
	ck_assert_str_eq(work_content(DEVICE "reset"), "");
}
END_TEST

/* At a start, of a device that no lease has had: somebody took its group
 * meanwhile, as root may, so it needs a reset after all. */
START_TEST(found_held)
{
	device->state = STATE_HOST;
	vfio.unheld = -EBUSY;
	life_event(device, LIFE_RESUME, "bind");
	looks(1);
	ck_assert_uint_eq(device->record.lease, RECORD_SOMEBODY);
	vfio.unheld = 0;
	assert_comes_to(STATE_RESETTING);
	assert_comes_to(STATE_READY);
	ck_assert_str_eq(work_content(DEVICE "reset"), "1");
}
END_TEST

#define N(a) ((int)(sizeof(a) / sizeof((a)[0])))

int
main(void)
{
	TCase *tc = tcase_create("held");
	Suite *suite = suite_create("held");

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, setup, work_teardown);
	tcase_add_test(tc, restore_held);
	tcase_add_loop_test(tc, restore_unproven, 0, N(untried));
	tcase_add_test(tc, drain_unproven);
	tcase_add_test(tc, drain_held);
	tcase_add_test(tc, found_held);
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
