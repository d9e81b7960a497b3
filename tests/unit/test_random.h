/* SPDX-License-Identifier: ISC */
#ifndef VFIOBROKER_TESTS_TEST_RANDOM_H
#define VFIOBROKER_TESTS_TEST_RANDOM_H

/*
 * Tests of many random cases.  They are the same in every run, and each has a
 * seed of its own, so that one that fails can be run alone:
 * VFIOBROKER_SEED and VFIOBROKER_CASES override the seed of the first and how
 * many there are.
 */

#include <check.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define UNUSED __attribute__((unused))
#define SEED_STEP 0x2545f4914f6cdd1d /* from one case to the next */

static uint64_t seed = 20240229;
static unsigned long cases = 100000;

/* What a person needs to know of the case that failed; the test's own. */
static void case_print(FILE *);

/* ---- randomness -------------------------------------------------------- */

static uint64_t random_state;
static uint64_t case_seed;

/* splitmix64: any seed will do. */
static inline uint64_t
random_number(void)
{
	uint64_t z = random_state += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

static inline size_t
below(size_t n)
{
	return random_number() % n;
}

static inline bool
one_in(size_t n)
{
	return below(n) == 0;
}

#define PICK(array) (array)[below(sizeof(array) / sizeof((array)[0]))]

/* ---- cases ------------------------------------------------------------- */

static inline void
case_begin(unsigned long n)
{
	case_seed = seed + n * SEED_STEP;
	random_state = case_seed;
}

static UNUSED void __attribute__((format(printf, 2, 3), noreturn))
case_fail(int line, const char *fmt, ...)
{
	char why[4000];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(why, sizeof(why), fmt, ap);
	va_end(ap);
	case_print(stdout);
	fflush(stdout);
	ck_abort_msg("line %d, VFIOBROKER_SEED=%llu: %s", line,
	    (unsigned long long)case_seed, why);
	abort();
}

/* ck_assert() writes to a pipe each time, which takes longer than a case. */
#define CHECK_MSG(condition, ...)                         \
	do {                                              \
		if (!(condition))                         \
			case_fail(__LINE__, __VA_ARGS__); \
	} while (0)
#define CHECK(condition) CHECK_MSG(condition, "%s", #condition)

/* A main() of one test that goes through all cases. */
static inline int
run_cases(const char *name, const TTest *test)
{
	const char *s = getenv("VFIOBROKER_SEED");
	const char *n = getenv("VFIOBROKER_CASES");
	Suite *suite = suite_create(name);
	TCase *tc = tcase_create("random");
	SRunner *sr;
	int failed;

	if (s != NULL)
		seed = strtoull(s, NULL, 0);
	if (n != NULL)
		cases = strtoul(n, NULL, 0);
	printf("%s: VFIOBROKER_SEED=%llu\n", name, (unsigned long long)seed);
	tcase_add_test(tc, test);
	tcase_set_timeout(tc, 600);
	suite_add_tcase(suite, tc);
	sr = srunner_create(suite);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed;
}

#endif
