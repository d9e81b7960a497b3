/* SPDX-License-Identifier: ISC */
/*
 * What a claim line of the policy has to wait for, and that it is looked at
 * again when that is over: siblings that somebody has or that are under way,
 * and VFs that are stuck.
 */

#include "tests/unit/test_mon_ask.h"

#define GROUP 77

static struct device *claimed, *sibling;

/* Two functions of one group, of which the policy claims the first. */
static void
setup(void)
{
	ask_setup("claim 0000:01:00.0\nallow uid 1000 use all managed\n");
	claimed = work_device(0, "igbvf");
	claimed->claimed = true;
	claimed->facts.group = GROUP;
}

static void
sibling_on(const char *driver)
{
	sibling = work_device(1, driver);
	sibling->facts.group = GROUP;
	if (driver != NULL)
		fixture_file(
		    &tree, "", "sys/bus/pci/drivers/%s/unbind", driver);
}

static bool
is_claiming(void *arg)
{
	(void)arg;
	return claimed->state == STATE_CLAIMING;
}

static bool
is_restoring(void *arg)
{
	(void)arg;
	return sibling->state == STATE_RESTORING;
}

static void
assert_claimed(void)
{
	loop_until("the claim", is_claiming, NULL);
}

static bool
is_looked_at(void *arg)
{
	(void)arg;
	return claimed->timer == NULL ||
	       !event_pending(claimed->timer, EV_TIMEOUT, NULL);
}

/* Neither now nor by a look that is planned, which is over then. */
static void
assert_waits(void)
{
	life_settle(claimed);
	loop_until("the planned look", is_looked_at, NULL);
	/* A look at the host would be answered by now. */
	for (int i = 0; i < 3; i++)
		ck_assert_int_ge(
		    event_base_loop(loop_base, EVLOOP_NONBLOCK), 0);
	ck_assert_int_eq(claimed->state, STATE_HOST);
}

START_TEST(alone)
{
	life_settle(claimed);
	assert_claimed();
}
END_TEST

/* Whoever has the group would have the claimed one, too. */
START_TEST(leased)
{
	struct mon_acquire m = ask_for(1);
	struct answer a;
	struct session *s = ask_session(USER, &a);

	sibling_on("vfio-pci");
	life_settle(sibling);
	/* Not the other one: its host driver would stand against this. */
	fixture_remove(&tree, "sys/bus/pci/devices/0000:01:00.0/driver");
	m.devices[0] = sibling->facts.bdf;
	ask(s, &a, &m, MON_ACQUIRE);
	answer_wait(&a);
	ck_assert_int_eq(a.status, STATUS_OK);
	assert_waits();
	vfio.unheld = -EBUSY; /* closed, but somebody has the group */
	lease_end(sibling->lease, "over");
	ck_assert_int_eq(sibling->state, STATE_DRAINING);
	assert_waits();
	vfio.unheld = 0;
	assert_claimed();
	ck_assert_int_eq(sibling->state, STATE_READY);
}
END_TEST

/* States in which it may be somebody's, or nobody knows whose it is. */
static const enum state held[] = { STATE_CLAIMING, STATE_LEASED, STATE_DRAINING,
	STATE_RESETTING, STATE_RESTORING, STATE_QUARANTINED, STATE_WEDGED };

START_TEST(sibling_leaves)
{
	sibling_on("vfio-pci");
	sibling->state = held[_i];
	assert_waits();
	life_removed(sibling);
	assert_claimed();
}
END_TEST

/* A sibling without a driver is in nobody's way, once it is at home. */
START_TEST(sibling_home)
{
	sibling_on(NULL);
	sibling->state = STATE_RESTORING;
	assert_waits();
	life_event(sibling, LIFE_HOME, "given back");
	assert_claimed();
}
END_TEST

/* Somebody waits for it, and then he does not. */
START_TEST(sibling_unwanted)
{
	sibling_on("vfio-pci");
	sibling->state = STATE_READY;
	sibling->wanted = (struct acquisition *)&tree; /* somebody */
	assert_waits();
	life_unwanted(sibling);
	assert_claimed();
}
END_TEST

/* One that the host uses and nobody claims stays in the way, and the log says
 * so; a bridge, or a device of another group, is never. */
START_TEST(sibling_of_the_host)
{
	sibling_on("igbvf");
	assert_waits();
	ck_assert_uint_eq(
	    log_count(logfd, "0000:01:00.0 is not claimed: 0000:01:00.1 in "
			     "its group is the host's"),
	    1);
	if (_i == 0)
		sibling->is_bridge = true;
	else if (_i == 1)
		sibling->facts.group = GROUP + 1;
	else
		sibling->claimed = true;
	life_settle(claimed);
	assert_claimed();
}
END_TEST

/* ---- what the host needs of it ---------------------------------------- */

/* The log says why not, and who tolerates it has it claimed. */
START_TEST(mounted)
{
	host.reason = REASON_MOUNTED;
	host.what = "vda on /srv";
	assert_waits();
	ck_assert_uint_ge(
	    log_count(logfd, "0000:01:00.0 is not claimed: MOUNTED: "), 1);
	ask_policy("claim 0000:01:00.0\ntolerate mounted on 0000:01:00.0\n");
	life_settle(claimed);
	assert_claimed();
}
END_TEST

/* No line can have that. */
START_TEST(no_group)
{
	host.reason = REASON_NO_IOMMU_GROUP;
	host.what = "none";
	assert_waits();
	ck_assert_uint_ge(
	    log_count(logfd, "is not claimed: NO_IOMMU_GROUP"), 1);
}
END_TEST

/* ---- the way home ------------------------------------------------------ */

/* Who may still have one of the group could keep the host's driver from binding
 * to another, for good: none goes home before all are proven free. */
START_TEST(home_after_its_group)
{
	static const enum state others[] = { STATE_LEASED, STATE_DRAINING,
		STATE_WEDGED, STATE_QUARANTINED };
	static struct lease l;

	sibling_on("vfio-pci");
	sibling->record.taken = true;
	strcpy(sibling->record.driver, "igbvf");
	sibling->state = STATE_READY;
	claimed->state = others[_i];
	claimed->lease = claimed->state == STATE_LEASED ? &l : NULL;
	/* Its record could not be read, so nobody has proven anything. */
	claimed->record.rebind = claimed->state == STATE_QUARANTINED;
	life_settle(sibling);
	ck_assert_int_eq(sibling->state, STATE_READY);
	claimed->lease = NULL;
	claimed->record.rebind = false;
	claimed->state = STATE_RESETTING;
	life_settle(sibling);
	ck_assert_int_eq(sibling->state, STATE_RESTORING);
}
END_TEST

/* And is looked at again when they are. */
START_TEST(home_when_they_are)
{
	sibling_on("vfio-pci");
	sibling->record.taken = true;
	strcpy(sibling->record.driver, "igbvf");
	sibling->state = STATE_READY;
	claimed->claimed = false;
	claimed->state = STATE_RESETTING;
	claimed->record.rebind = true;
	life_settle(sibling);
	ck_assert_int_eq(sibling->state, STATE_READY);
	claimed->record.rebind = false;
	life_event(claimed, _i == 0 ? LIFE_RESET : LIFE_FAILED, "as it may be");
	loop_until("the way home", is_restoring, NULL);
}
END_TEST

/* ---- a PF and its VF -------------------------------------------------- */

static bool
is_wedged(void *arg)
{
	const struct device *d = arg;

	return d->state == STATE_WEDGED;
}

static void
vf_stuck(void)
{
	sibling_on("vfio-pci");
	sibling->facts.group = GROUP + 1;
	sibling->facts.is_vf = true;
	sibling->facts.pf = claimed->facts.bdf;
	sibling->state = STATE_WEDGED;
	assert_waits();
	ck_assert_uint_eq(log_count(logfd, "its VF 0000:01:00.1 is stuck"), 1);
}

/* Its worker comes back, at last. */
START_TEST(vf_worker_returns)
{
	sibling_on("vfio-pci");
	work_fifo("sys/bus/pci/devices/0000:01:00.1/reset");
	config.worker_timeout = 1;
	sibling->facts.is_vf = true;
	sibling->facts.pf = claimed->facts.bdf;
	sibling->facts.group = GROUP + 1;
	sibling->record.lease = 42;
	sibling->state = STATE_DRAINING;
	life_event(sibling, LIFE_UNHELD, "free");
	loop_until("its deadline", is_wedged, sibling);
	assert_waits();
	work_take("sys/bus/pci/devices/0000:01:00.1/reset");
	assert_claimed();
}
END_TEST

/* A worker of the broker before us has ended, or the VF is gone. */
START_TEST(vf_unwedged)
{
	vf_stuck();
	if (_i == 0)
		life_event(sibling, LIFE_UNWEDGED, "the old worker has ended");
	else
		life_removed(sibling);
	assert_claimed();
}
END_TEST

#define N(a) ((int)(sizeof(a) / sizeof((a)[0])))

int
main(void)
{
	TCase *tc = tcase_create("group"), *vf = tcase_create("vf");
	Suite *suite = suite_create("claim");

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, setup, work_teardown);
	tcase_add_test(tc, alone);
	tcase_add_test(tc, leased);
	tcase_add_loop_test(tc, sibling_leaves, 0, N(held));
	tcase_add_test(tc, sibling_home);
	tcase_add_test(tc, sibling_unwanted);
	tcase_add_loop_test(tc, sibling_of_the_host, 0, 3);
	tcase_add_loop_test(tc, home_after_its_group, 0, 4);
	tcase_add_loop_test(tc, home_when_they_are, 0, 2);
	tcase_add_test(tc, mounted);
	tcase_add_test(tc, no_group);
	suite_add_tcase(suite, tc);

	tcase_set_timeout(vf, 60);
	tcase_add_checked_fixture(vf, setup, work_teardown);
	tcase_add_test(vf, vf_worker_returns);
	tcase_add_loop_test(vf, vf_unwedged, 0, 2);
	suite_add_tcase(suite, vf);
	return run_suite(suite);
}
