/* SPDX-License-Identifier: ISC */
/*
 * A session that does not read: what it is answered waits, in order and with
 * its fds, and is let go with it; what it only watches is dropped.
 */

#include "tests/unit/test_mon_ask.h"

#define DEVICES 64
#define EVENTS 1000
#define EVENTS_KEPT 257

static struct session *s;
static struct answer answer;
static struct device *first;

static void
setup(void)
{
	int small = 1; /* as small as the kernel makes it */

	ask_setup("allow uid 1000 use all managed\n");
	first = work_device(0, "vfio-pci");
	life_settle(first);
	for (unsigned n = 1; n < DEVICES; n++)
		(void)work_device(n, NULL);
	s = ask_session(USER, &answer);
	ck_assert_int_eq(
	    setsockopt(s->fd, SOL_SOCKET, SO_SNDBUF, &small, sizeof(small)), 0);
}

static void
watch_much(void)
{
	for (unsigned i = 0; i < EVENTS; i++) {
		struct mon_event e = { .number = i + 1,
			.kind = MON_EVENT_POLICY };

		session_event(s, &e);
	}
}

START_TEST(answers)
{
	struct mon_plain m;

	for (unsigned round = 0; round < 2; round++) {
		ask(s, &answer, &m, MON_LIST_DEVICES);
		ck_assert_uint_gt(s->nqueued, 0);
		answer_wait(&answer);
		ck_assert_int_eq(answer.status, STATUS_OK);
		ck_assert_uint_eq(answer.ndevices, DEVICES);
		ck_assert_int_eq(answer.device.bdf.dev, DEVICES / 8 - 1);
		ck_assert_int_eq(answer.device.bdf.fn, 7);
		ck_assert_uint_eq(s->nqueued, 0);
	}
}
END_TEST

static bool
has_nothing(void *arg)
{
	(void)is_answered(&answer);
	(void)arg;
	return s->nqueued == 0;
}

/* Events make no queue without an end, and an answer comes behind them. */
START_TEST(events)
{
	struct mon_plain m;
	unsigned queued;

	watch_much();
	queued = s->nqueued;
	ck_assert_uint_le(queued, EVENTS_KEPT);
	ck_assert_uint_ge(queued, EVENTS_KEPT - 1);
	(void)is_answered(&answer); /* there is room before those */
	ask(s, &answer, &m, MON_LIST_LEASES);
	answer_wait(&answer);
	ck_assert_int_eq(answer.status, STATUS_OK);
	ck_assert_uint_eq(answer.nevents, queued);
	/* Who reads again watches again. */
	answer = (struct answer){ .fd = answer.fd };
	watch_much();
	loop_until("the rest", has_nothing, NULL);
	ck_assert_uint_ge(answer.nevents, EVENTS_KEPT);
}
END_TEST

static bool
is_free(void *arg)
{
	(void)arg;
	return first->state == STATE_READY;
}

/* A grant that waits is whole when it comes; or its fds are closed, and with
 * them the lease. */
START_TEST(grant)
{
	struct mon_acquire m = ask_for(1);
	unsigned calm;

	watch_much();
	calm = fds_open();
	ask(s, &answer, &m, MON_ACQUIRE);
	ck_assert_uint_gt(s->nqueued, 0);
	ck_assert_ptr_nonnull(first->lease);
	if (_i == 0) {
		answer_wait(&answer);
		ck_assert_uint_eq(answer.nfds, 3);
		/* Those, and the monitor's one of the lease. */
		ck_assert_uint_eq(fds_open(), calm + 3 + 1);
		return;
	}
	ck_assert_uint_gt(fds_open(), calm);
	session_close(s);
	loop_until("the lease's end", is_free, NULL);
	ck_assert_uint_lt(fds_open(), calm);
}
END_TEST

int
main(void)
{
	TCase *tc = tcase_create("queue");
	Suite *suite = suite_create("queue");

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, setup, work_teardown);
	tcase_add_test(tc, answers);
	tcase_add_test(tc, events);
	tcase_add_loop_test(tc, grant, 0, 2);
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
