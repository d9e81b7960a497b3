/* SPDX-License-Identifier: ISC */
/*
 * What a user sees of others' devices and leases, and that a lease is its
 * owner's to release.
 */

#include "tests/unit/test_mon_ask.h"

#define ADMIN 1009U

static struct device *device;
static struct session *session; /* that asked last */
static struct answer answer;

/* A lease of one device, whose fds stay open. */
static struct lease *
lease(void)
{
	struct mon_acquire m = ask_for(1);

	session = ask_session(USER, &answer);
	ask(session, &answer, &m, MON_ACQUIRE);
	answer_wait(&answer);
	ck_assert_int_eq(answer.status, STATUS_OK);
	return device->lease;
}

static void
setup(void)
{
	ask_setup("allow uid 1000 use all managed\n"
		  "allow uid 1001 use all managed\n"
		  "admin uid 1009\n");
	device = work_device(0, "vfio-pci");
	life_settle(device);
}

/* Whose it is stands in the list for himself and an administrator. */
START_TEST(devices_seen)
{
	static const struct {
		uid_t uid;
		bool owner, why;
	} views[] = { { USER, true, true }, { OTHER, false, true },
		{ 12345, false, false }, { ADMIN, true, true } };
	struct mon_plain m;
	struct lease *l;

	l = lease();
	for (unsigned i = 0; i < sizeof(views) / sizeof(views[0]); i++) {
		session = ask_session(views[i].uid, &answer);
		ask(session, &answer, &m, MON_LIST_DEVICES);
		answer_wait(&answer);
		ck_assert_uint_eq(
		    answer.device.lease, views[i].owner ? l->id : 0);
		ck_assert_uint_eq(
		    answer.device.owner, views[i].owner ? USER : UINT32_MAX);
		ck_assert_int_eq(answer.device.why[0] != '\0', views[i].why);
		ck_assert_int_eq(answer.device.state, STATE_LEASED);
	}
}
END_TEST

/* One's own leases, by their numbers; an administrator sees all. */
START_TEST(leases_seen)
{
	static const struct {
		uid_t uid;
		unsigned n;
	} views[] = { { USER, 1 }, { OTHER, 0 }, { ADMIN, 1 } };
	struct mon_plain m;
	struct lease *l;

	l = lease();
	for (unsigned i = 0; i < sizeof(views) / sizeof(views[0]); i++) {
		session = ask_session(views[i].uid, &answer);
		ask(session, &answer, &m, MON_LIST_LEASES);
		answer_wait(&answer);
		ck_assert_uint_eq(answer.nleases, views[i].n);
		if (views[i].n == 0)
			continue;
		ck_assert_uint_eq(answer.lease.id, l->id);
		ck_assert_uint_eq(answer.lease.uid, USER);
		ck_assert_uint_eq(answer.lease.ndevices, 1);
	}
}
END_TEST

START_TEST(released)
{
	struct mon_release m;
	struct session *owner;

	m = (struct mon_release){ .lease = lease()->id };
	owner = session;
	session = ask_session(ADMIN, &answer);
	ask(session, &answer, &m, MON_RELEASE);
	answer_wait(&answer);
	ck_assert_int_eq(answer.status, STATUS_NOT_FOUND);
	ck_assert_ptr_nonnull(strstr(answer.why, "you have no lease "));
	ck_assert_int_eq(device->state, STATE_LEASED);
	session = ask_session(USER, &answer); /* any of his */
	ask(session, &answer, &m, MON_RELEASE);
	answer_wait(&answer);
	ck_assert_int_eq(answer.status, STATUS_OK);
	ck_assert_ptr_null(lease_find(m.lease));
	ck_assert(!owner->busy);
}
END_TEST

int
main(void)
{
	TCase *tc = tcase_create("seen");
	Suite *suite = suite_create("seen");

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, setup, work_teardown);
	tcase_add_test(tc, devices_seen);
	tcase_add_test(tc, leases_seen);
	tcase_add_test(tc, released);
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
