/* SPDX-License-Identifier: ISC */
/*
 * What one uid may use up: connections, and requests per second by a clock of
 * the test's own.
 */

#include "broker/monitor/quota.h"
#include "policy/policy.h"
#include "tests/unit/test_mon.h"

#define SECOND 1000000ULL
#define ALL_USERS (QUOTA_ALL_CONNECTIONS - QUOTA_ROOT_CONNECTIONS)

START_TEST(per_uid)
{
	struct account *a[4], *other = NULL, *more = NULL;

	for (int i = 0; i < 3; i++) {
		ck_assert_int_eq(quota_connect(&a[i], 1000, 3, 0), 0);
		ck_assert_ptr_eq(a[i], a[0]);
	}
	ck_assert_int_eq(quota_connect(&more, 1000, 3, 0), -EAGAIN);
	ck_assert_ptr_null(more);
	ck_assert_int_eq(quota_connect(&other, 1001, 3, 0), 0);
	ck_assert_ptr_ne(other, a[0]);

	/* A policy that was loaded since counts at once, either way. */
	ck_assert_int_eq(quota_connect(&more, 1000, 2, 0), -EAGAIN);
	ck_assert_int_eq(quota_connect(&more, 1000, 4, 0), 0);
	quota_disconnect(more);
	quota_disconnect(a[0]);
	ck_assert_int_eq(quota_connect(&a[0], 1000, 3, 0), 0);
	ck_assert_int_eq(quota_connect(&more, 1000, 3, 0), -EAGAIN);
	for (int i = 0; i < 3; i++)
		quota_disconnect(a[i]);
	quota_disconnect(other);
}
END_TEST

START_TEST(no_limit_line)
{
	struct account *a = NULL;

	for (int i = 0; i < QUOTA_CONNECTIONS; i++)
		ck_assert_int_eq(quota_connect(&a, 0, POLICY_UNLIMITED, 0), 0);
	ck_assert_int_eq(quota_connect(&a, 0, POLICY_UNLIMITED, 0), -EAGAIN);
	for (int i = 0; i < QUOTA_CONNECTIONS; i++)
		quota_disconnect(a);
}
END_TEST

START_TEST(limit_zero)
{
	struct account *a = NULL;

	ck_assert_int_eq(quota_connect(&a, 1000, 0, 0), -EAGAIN);
	ck_assert_ptr_null(a);
}
END_TEST

START_TEST(in_all)
{
	static struct account *all[ALL_USERS];
	struct account *more = NULL, *root;

	for (unsigned i = 0; i < ALL_USERS; i++)
		ck_assert_int_eq(quota_connect(&all[i], 1 + i, 1, 0), 0);
	ck_assert_int_eq(quota_connect(&more, 9999, 1, 0), -EAGAIN);
	ck_assert_int_eq(quota_connect(&more, 7, 2, 0), -EAGAIN);
	quota_disconnect(all[11]);
	ck_assert_int_eq(quota_connect(&all[11], 9999, 1, 0), 0);
	ck_assert_int_eq(quota_connect(&more, 12, 1, 0), -EAGAIN);
	/* Root comes in all the same, to look what is the matter. */
	ck_assert_int_eq(quota_connect(&root, 0, 1, 0), 0);
	quota_disconnect(root);
	for (unsigned i = 0; i < ALL_USERS; i++)
		quota_disconnect(all[i]);
}
END_TEST

/* Hanging up and coming again does not fill the bucket; time does. */
START_TEST(comes_again)
{
	uint64_t now = SECOND;
	struct account *a;

	for (int i = 0; i < 3; i++) {
		ck_assert_int_eq(quota_connect(&a, 1000, 1, now), 0);
		ck_assert_uint_eq(quota_request(a, now, 1), 0);
		for (int again = 0; again < 3; again++) {
			quota_disconnect(a);
			ck_assert_int_eq(quota_connect(&a, 1000, 1, now), 0);
			ck_assert_uint_eq(quota_request(a, now, 1), SECOND);
		}
		quota_disconnect(a);
		now += SECOND;
	}
}
END_TEST

/* More back than was taken is our own fault, and ends the monitor. */
START_TEST(below_zero)
{
	struct account *a, *b;

	log_capture();
	ck_assert_int_eq(quota_connect(&a, 1000, 5, 0), 0);
	ck_assert_int_eq(quota_connect(&b, 1000, 5, 0), 0);
	quota_disconnect(a);
	quota_disconnect(b);
	quota_disconnect(a);
}
END_TEST

static struct account *
account(void)
{
	struct account *a;

	ck_assert_int_eq(quota_connect(&a, 1000, 1, 0), 0);
	return a;
}

static const uint64_t rates[] = { 1, 2, 3, 7, 100, 999, 1000, 5000, 100000 };

/* A second's worth at once, and not one more. */
START_TEST(burst)
{
	uint64_t rate = rates[_i], now = 123 * SECOND;
	struct account *a = account();

	for (uint64_t i = 0; i < rate; i++)
		ck_assert_uint_eq(quota_request(a, now, rate), 0);
	/* A rate that does not divide a second may give one for the rest. */
	if (SECOND % rate != 0)
		(void)quota_request(a, now, rate);
	ck_assert_uint_gt(quota_request(a, now, rate), 0);
	quota_disconnect(a);
}
END_TEST

/* Whoever waits as long as was said is served then, and no sooner. */
START_TEST(waits)
{
	uint64_t rate = rates[_i], now = 5 * SECOND, wait;
	struct account *a = account();

	while ((wait = quota_request(a, now, rate)) == 0)
		continue;
	for (int i = 0; i < 1000; i++) {
		ck_assert_uint_le(wait, SECOND / rate);
		ck_assert_uint_gt(quota_request(a, now + wait - 1, rate), 0);
		now += wait;
		ck_assert_uint_eq(quota_request(a, now, rate), 0);
		wait = quota_request(a, now, rate);
		ck_assert_uint_gt(wait, 0);
	}
	quota_disconnect(a);
}
END_TEST

/* However somebody asks over ten seconds, no more than ten seconds' worth and
 * the burst comes through, and about as much does. */
START_TEST(steady)
{
	uint64_t rate = rates[_i], served = 0, start = 77 * SECOND;
	struct account *a = account();
	uint32_t seed = 99;

	for (uint64_t t = 0; t < 10 * SECOND;) {
		if (quota_request(a, start + t, rate) == 0)
			served++;
		else
			t += random_next(&seed) % (SECOND / rate + 1);
	}
	ck_assert_uint_le(served, 11 * (SECOND / (SECOND / rate)) + 1);
	ck_assert_uint_ge(served, 5 * rate);
	quota_disconnect(a);
}
END_TEST

START_TEST(recovers)
{
	uint64_t rate = rates[_i], now = SECOND;
	struct account *a = account();

	while (quota_request(a, now, rate) == 0)
		continue;
	now += SECOND; /* the bucket is full again, and not fuller later */
	for (int round = 0; round < 2; round++) {
		for (uint64_t i = 0; i < rate; i++)
			ck_assert_uint_eq(quota_request(a, now, rate), 0);
		if (SECOND % rate != 0)
			(void)quota_request(a, now, rate);
		ck_assert_uint_gt(quota_request(a, now, rate), 0);
		now += 3600 * SECOND;
	}
	quota_disconnect(a);
}
END_TEST

/* Below the rate nobody ever waits. */
START_TEST(polite)
{
	uint64_t rate = rates[_i], now = SECOND;
	struct account *a = account();

	for (int i = 0; i < 10000; i++) {
		ck_assert_uint_eq(quota_request(a, now, rate), 0);
		now += SECOND / rate + 1;
	}
	quota_disconnect(a);
}
END_TEST

START_TEST(unlimited)
{
	struct account *a = account();
	unsigned served = 0;

	while (quota_request(a, SECOND, POLICY_UNLIMITED) == 0)
		served++;
	ck_assert_uint_eq(served, QUOTA_REQUESTS);
	quota_disconnect(a);
}
END_TEST

/* All connections of a uid share the rate: more of them are not faster. */
START_TEST(shared)
{
	struct account *a, *b, *c;

	ck_assert_int_eq(quota_connect(&a, 1000, 2, 0), 0);
	ck_assert_int_eq(quota_connect(&b, 1000, 2, 0), 0);
	ck_assert_int_eq(quota_connect(&c, 1001, 2, 0), 0);
	ck_assert_uint_eq(quota_request(a, SECOND, 2), 0);
	ck_assert_uint_eq(quota_request(b, SECOND, 2), 0);
	ck_assert_uint_eq(quota_request(a, SECOND, 2), SECOND / 2);
	ck_assert_uint_eq(quota_request(b, SECOND, 2), SECOND / 2);
	ck_assert_uint_eq(quota_request(c, SECOND, 2), 0);
	quota_disconnect(a);
	quota_disconnect(b);
	quota_disconnect(c);
}
END_TEST

/* Who asks what takes long has less of it; the usual request is not charged. */
START_TEST(spends)
{
	struct account *a = account();
	uint64_t now = SECOND, spent = 0;
	int i;

	quota_spend(a, 500);
	for (i = 0; i < 1000; i++)
		ck_assert_uint_eq(quota_request(a, now, 1000), 0);
	now += 2 * SECOND;
	while (quota_request(a, now, 1000) == 0) {
		quota_spend(a, 20000);
		spent += 20000;
	}
	ck_assert_uint_le(spent, SECOND / 8 + 20000);
	ck_assert_uint_ge(spent, SECOND / 16);
	quota_disconnect(a);
}
END_TEST

/* Twenty at once, then five a second, and how many there would have been. */
START_TEST(logs)
{
	struct log_limit l = { .unsaid = 0 };
	char unsaid[LOG_UNSAID_MAX];
	unsigned said = 0;

	for (uint64_t t = 0; t < SECOND; t += 1000) {
		if (!log_limit(&l, 9 * SECOND + t, unsaid))
			continue;
		said++;
		if (said > 21)
			ck_assert_str_eq(unsaid, "; 199 more like it unsaid");
	}
	ck_assert_uint_eq(said, 24);
	ck_assert(log_limit(&l, 99 * SECOND, unsaid));
	ck_assert(log_limit(&l, 100 * SECOND, unsaid));
	ck_assert_str_eq(unsaid, "");
}
END_TEST

int
main(void)
{
	int n = sizeof(rates) / sizeof(rates[0]);
	TCase *tc = tcase_create("connections"), *rate = tcase_create("rate");
	Suite *s = suite_create("quota");

	tcase_add_test(tc, per_uid);
	tcase_add_test(tc, no_limit_line);
	tcase_add_test(tc, limit_zero);
	tcase_add_test(tc, in_all);
	tcase_add_test(tc, comes_again);
	tcase_add_test_raise_signal(tc, below_zero, SIGABRT);
	suite_add_tcase(s, tc);

	tcase_set_timeout(rate, 60);
	tcase_add_loop_test(rate, burst, 0, n);
	tcase_add_loop_test(rate, waits, 0, n);
	tcase_add_loop_test(rate, steady, 0, n);
	tcase_add_loop_test(rate, recovers, 0, n);
	tcase_add_loop_test(rate, polite, 0, n);
	tcase_add_test(rate, unlimited);
	tcase_add_test(rate, shared);
	tcase_add_test(rate, spends);
	tcase_add_test(rate, logs);
	suite_add_tcase(s, rate);
	return run_suite(s);
}
