/* SPDX-License-Identifier: ISC */
/* The records of vfiobroker-guard: what is one, and what is not. */

#include <errno.h>
#include <string.h>

#include <check.h>

#include "broker/common/guardmsg.h"
#include "broker/common/reason.h"
#include "tests/unit/test_mon.h"

static struct guardmsg m;

static void
setup(void)
{
	m = (struct guardmsg){ .device = 3, .reason = REASON_SWAP };
	strcpy(m.what, "vda1 ~");
	ck_assert(guardmsg_check(&m, 3));
}

START_TEST(reasons)
{
	for (m.reason = 0; m.reason < REASON_COUNT; m.reason++)
		ck_assert(guardmsg_check(&m, 3));
	for (m.reason++; m.reason < 100; m.reason++)
		ck_assert(!guardmsg_check(&m, 3));
	m.reason = UINT32_MAX;
	ck_assert(!guardmsg_check(&m, 3));
}
END_TEST

START_TEST(out_of_order)
{
	ck_assert(!guardmsg_check(&m, 2));
	ck_assert(!guardmsg_check(&m, 4));
	m.device = UINT32_MAX;
	ck_assert(!guardmsg_check(&m, 3));
}
END_TEST

START_TEST(texts)
{
	static const char wrong[] = { '\n', '\x1b', '\x7f', '\xc3', '\x01' };

	memset(m.what, 'x', sizeof(m.what) - 1);
	ck_assert(guardmsg_check(&m, 3));
	m.what[sizeof(m.what) - 1] = 'x';
	ck_assert(!guardmsg_check(&m, 3));
	for (size_t i = 0; i < sizeof(wrong); i++) {
		setup();
		m.what[2] = wrong[i];
		ck_assert(!guardmsg_check(&m, 3));
	}
	for (size_t i = strlen("vda1 ~") + 1; i < sizeof(m.what); i++) {
		setup();
		m.what[i] = 'x';
		ck_assert(!guardmsg_check(&m, 3));
	}
}
END_TEST

START_TEST(ends)
{
	static const int good[] = { 0, -ENOENT, -4095 };
	static const int bad[] = { 1, -4096, INT32_MIN, INT32_MAX };

	m.error = -ENOENT; /* a reason is none */
	ck_assert(!guardmsg_check(&m, 3));
	m.reason = REASON_COUNT;
	ck_assert(!guardmsg_check(&m, 3)); /* it has a text */
	memset(m.what, 0, sizeof(m.what));
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		m.error = good[i];
		ck_assert(guardmsg_check(&m, 3));
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		m.error = bad[i];
		ck_assert(!guardmsg_check(&m, 3));
	}
}
END_TEST

int
main(void)
{
	TCase *tc = tcase_create("records");
	Suite *s = suite_create("guardmsg");

	tcase_add_checked_fixture(tc, setup, NULL);
	tcase_add_test(tc, reasons);
	tcase_add_test(tc, out_of_order);
	tcase_add_test(tc, texts);
	tcase_add_test(tc, ends);
	suite_add_tcase(s, tc);
	return run_suite(s);
}
