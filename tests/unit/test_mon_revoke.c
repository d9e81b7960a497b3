/* SPDX-License-Identifier: ISC */
/*
 * A lease asked back by an administrator: its holder gives it, the kernel
 * takes it, or neither does; and what of that the administrator is told.
 */

#include "tests/unit/test_mon_ask.h"

#define NAME "0000:01:00.0"
#define UNBIND "sys/bus/pci/drivers/vfio-pci/unbind"
#define GRACE 600000 /* longer than any test */

static struct session *admin;
static struct answer grant, report;
static struct device *device;

static void
setup(void)
{
	struct mon_acquire m = ask_for(1);

	ask_setup("allow uid 1000 use all managed\nadmin uid 1001\n");
	device = work_device(0, "vfio-pci");
	fixture_file(&tree, "", UNBIND);
	life_settle(device);
	ask(ask_session(USER, &grant), &grant, &m, MON_ACQUIRE);
	answer_wait(&grant);
	ck_assert_int_eq(grant.status, STATUS_OK);
	admin = ask_session(OTHER, &report);
}

static void
ask_back(struct session *s, struct answer *a, uint64_t lease, uint32_t grace_ms)
{
	struct mon_revoke m = { .lease = lease, .grace_ms = grace_ms };

	ask(s, a, &m, MON_REVOKE);
}

static void
assert_report(enum status status, const char *why)
{
	answer_wait(&report);
	ck_assert_int_eq(report.status, status);
	ck_assert_msg(strstr(report.why, why) != NULL, "%s", report.why);
}

static bool
is_over(void *arg)
{
	(void)arg;
	return lease_find(grant.grant.lease) == NULL;
}

/* Within its grace: nobody else is asked. */
START_TEST(given)
{
	ask_back(admin, &report, grant.grant.lease, GRACE);
	for (int looks = 0; looks < 3; looks++)
		ck_assert_int_eq(event_base_loop(loop_base, EVLOOP_ONCE), 0);
	ck_assert(!is_answered(&report));
	ck_assert(lease_find(grant.grant.lease)->revoking);
	ck_assert_int_eq(device->state, STATE_LEASED);
	fdpass_close(grant.fds, grant.nfds);
	assert_report(STATUS_OK, NAME ": ");
	ck_assert(is_over(NULL));
	ck_assert_str_eq(work_content(UNBIND), "");
}
END_TEST

/* Without any: the kernel is asked, and the lease is over though its holder
 * has it open. */
START_TEST(taken)
{
	ask_back(admin, &report, grant.grant.lease, 0);
	assert_report(STATUS_OK, NAME ": ");
	ck_assert(is_over(NULL));
	ck_assert_str_eq(work_content(UNBIND), NAME);
}
END_TEST

/* Its holder keeps the group: the report says so, and the draining goes on. */
START_TEST(in_vain)
{
	vfio.unheld = -EBUSY;
	config.worker_timeout = 1;
	ask_back(admin, &report, grant.grant.lease, 0);
	assert_report(
	    STATUS_BUSY, NAME ": draining: somebody still has group 1 open");
	ck_assert(is_over(NULL));
	ck_assert_int_eq(device->state, STATE_DRAINING);
}
END_TEST

/* Whoever wanted it leaves: it is revoked all the same. */
START_TEST(nobody_waits)
{
	ask_back(admin, &report, grant.grant.lease, 0);
	session_close(admin);
	loop_until("its end", is_over, NULL);
	ck_assert_uint_eq(device->record.lease, grant.grant.lease);
}
END_TEST

START_TEST(device_leaves)
{
	ask_back(admin, &report, grant.grant.lease, GRACE);
	life_removed(device);
	fdpass_close(grant.fds, grant.nfds);
	assert_report(STATUS_OK, NAME ": gone\n");
}
END_TEST

START_TEST(refused)
{
	struct answer other;
	struct session *s = ask_session(OTHER, &other);

	ask_back(s, &other, grant.grant.lease + 1, 0);
	answer_wait(&other);
	ck_assert_int_eq(other.status, STATUS_NOT_FOUND);
	ck_assert_ptr_nonnull(strstr(other.why, "(see: vfiobroker status)"));
	ask_back(admin, &report, grant.grant.lease, GRACE);
	ask_back(s, &other, grant.grant.lease, 0);
	answer_wait(&other);
	ck_assert_int_eq(other.status, STATUS_BUSY);
	ck_assert_ptr_nonnull(
	    strstr(other.why, " is being revoked already: wait for that\n"));
	ask_back(ask_session(USER, &other), &other, grant.grant.lease, 0);
	answer_wait(&other);
	ck_assert_int_eq(other.status, STATUS_DENIED);
	ck_assert_int_eq(device->state, STATE_LEASED);
}
END_TEST

int
main(void)
{
	TCase *tc = tcase_create("revoke");
	Suite *suite = suite_create("revoke");

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, setup, work_teardown);
	tcase_add_test(tc, given);
	tcase_add_test(tc, taken);
	tcase_add_test(tc, in_vain);
	tcase_add_test(tc, nobody_waits);
	tcase_add_test(tc, device_leaves);
	tcase_add_test(tc, refused);
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
