/* SPDX-License-Identifier: ISC */
/* Addresses: what parses, what does not, printing, ordering. */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <check.h>

#include "../../broker/common/bdf.h"

static const struct {
	const char *text;
	struct bdf bdf;
	const char *full;
} good[] = {
	{ "0000:01:10.0", { 0, 1, 0x10, 0, 0 }, "0000:01:10.0" },
	{ "01:10.0", { 0, 1, 0x10, 0, 0 }, "0000:01:10.0" },
	{ "0000:00:00.0", { 0, 0, 0, 0, 0 }, "0000:00:00.0" },
	{ "ffff:ff:1f.7", { 0xffff, 255, 31, 7, 0 }, "ffff:ff:1f.7" },
	{ "10000:e1:00.0", { 0x10000, 0xe1, 0, 0, 0 }, "10000:e1:00.0" },
	{ "ffffffff:ff:1f.7", { 0xffffffff, 255, 31, 7, 0 },
	    "ffffffff:ff:1f.7" },
	{ "ABCD:EF:0a.1", { 0xabcd, 0xef, 10, 1, 0 }, "abcd:ef:0a.1" },
	{ "00000001:02:03.4", { 1, 2, 3, 4, 0 }, "0001:02:03.4" },
};

static const char *const bad[] = {
	"",
	":",
	"01",
	"01:",
	"01:10",
	"01:10.",
	"01:10.8",
	"01:20.0",
	"1:10.0",
	"001:10.0",
	"01:1.0",
	"01:010.0",
	"01:10.00",
	"01:10.0 ",
	" 01:10.0",
	"01:10.0\n",
	"01-10.0",
	"01:10:0",
	"0x01:10.0",
	"01:10.x",
	"g1:10.0",
	"000:01:10.0",
	"000000000:01:10.0",
	"+000:01:10.0",
	"0000:01:10.0/..",
	"0000:01:10.0.0",
	"0000::01:10.0",
	"0000:0000:01:10.0",
	"../0000:01:10.0",
};

START_TEST(parse_good)
{
	struct bdf b;
	char buf[BDF_STRLEN];

	memset(&b, 0xee, sizeof(b));
	ck_assert_int_eq(bdf_parse(good[_i].text, &b), 0);
	ck_assert_mem_eq(&b, &good[_i].bdf, sizeof(b));
	ck_assert(bdf_valid(&b));
	ck_assert_str_eq(bdf_format(&b, buf), good[_i].full);
}
END_TEST

START_TEST(parse_bad)
{
	struct bdf b, before;

	memset(&b, 0x55, sizeof(b));
	before = b;
	ck_assert_int_eq(bdf_parse(bad[_i], &b), -EINVAL);
	ck_assert_mem_eq(&b, &before, sizeof(b));
}
END_TEST

START_TEST(valid)
{
	const struct bdf dev = { .dev = 32 }, fn = { .fn = 8 };
	const struct bdf pad = { .pad = 1 }, top = { ~0U, 255, 31, 7, 0 };

	ck_assert(!bdf_valid(&dev));
	ck_assert(!bdf_valid(&fn));
	ck_assert(!bdf_valid(&pad));
	ck_assert(bdf_valid(&top));
}
END_TEST

START_TEST(order)
{
	/* Ascending; each member outweighs all behind it. */
	static const struct bdf list[] = {
		{ 0, 0, 0, 0, 0 },
		{ 0, 0, 0, 7, 0 },
		{ 0, 0, 1, 0, 0 },
		{ 0, 1, 0, 0, 0 },
		{ 0, 255, 31, 7, 0 },
		{ 1, 0, 0, 0, 0 },
		{ 0xffffffff, 0, 0, 0, 0 },
	};

	for (size_t i = 0; i < sizeof(list) / sizeof(list[0]); i++)
		for (size_t j = 0; j < sizeof(list) / sizeof(list[0]); j++)
			ck_assert_int_eq(
			    bdf_cmp(&list[i], &list[j]), i < j ? -1 : i > j);
}
END_TEST

START_TEST(round_trip)
{
	char buf[BDF_STRLEN];
	struct bdf b, again;

	srandom(1);
	for (int i = 0; i < 100000; i++) {
		b = (struct bdf){ (uint32_t)random() >> (random() % 31),
			(uint8_t)random(), (uint8_t)(random() % 32),
			(uint8_t)(random() % 8), 0 };
		ck_assert_int_eq(bdf_parse(bdf_format(&b, buf), &again), 0);
		ck_assert_mem_eq(&b, &again, sizeof(b));
	}
}
END_TEST

int
main(void)
{
	TCase *tc = tcase_create("bdf");
	Suite *s = suite_create("bdf");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_add_loop_test(tc, parse_good, 0, sizeof(good) / sizeof(good[0]));
	tcase_add_loop_test(tc, parse_bad, 0, sizeof(bad) / sizeof(bad[0]));
	tcase_add_test(tc, valid);
	tcase_add_test(tc, order);
	tcase_add_test(tc, round_trip);
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
