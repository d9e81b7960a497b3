/* SPDX-License-Identifier: ISC */
/*
 * Loading: several sources, all errors of all of them, memory that runs out at
 * every single allocation, and what a rule says of itself.
 */

#include <check.h>

#include "test_policy.h"

/* ---- memory that runs out ---------------------------------------------- */

/* The address sanitizer has an allocator of its own. */
#if defined(__SANITIZE_ADDRESS__)
#define OWN_MALLOC 0
#elif defined(__has_feature)
#define OWN_MALLOC (!__has_feature(address_sanitizer))
#else
#define OWN_MALLOC 1
#endif

#if OWN_MALLOC
static long allocations_left = -1; /* -1: as many as wanted */

extern void *__libc_malloc(size_t);
extern void *__libc_calloc(size_t, size_t);
void *malloc(size_t);
void *calloc(size_t, size_t);

static bool
allocation_fails(void)
{
	if (allocations_left < 0)
		return false;
	if (allocations_left > 0) {
		allocations_left--;
		return false;
	}
	errno = ENOMEM;
	return true;
}

void *
malloc(size_t size)
{
	return allocation_fails() ? NULL : __libc_malloc(size);
}

void *
calloc(size_t n, size_t size)
{
	return allocation_fails() ? NULL : __libc_calloc(n, size);
}

static const char everything[] = "pool a { 01:10.0 expect 8086:10ca }\n"
				 "pool b { 02:00.0 class 02 }\n"
				 "allow user alice use pool a managed\n"
				 "deny group kvm use pool b\n"
				 "limit any devices 2\n"
				 "claim 01:10.0\n"
				 "tolerate swap on 02:00.0\n"
				 "admin uid 0\n";

START_TEST(out_of_memory)
{
	const struct policy_source sources[] = {
		{ "a", everything, sizeof(everything) - 1 },
		{ "b", "pool c { }\n", 11 },
	};
	struct policy *p = NULL;
	long n = 0;
	int r;

	do {
		allocations_left = n++;
		r = policy_load(&p, sources, 2, &machine_resolver, NULL, NULL);
		allocations_left = -1;
		if (r != 0) {
			ck_assert_int_eq(r, -ENOMEM);
			ck_assert_ptr_null(p);
		}
		ck_assert_int_lt(n, 1000);
	} while (r != 0);
	/* A policy, files, lines, targets, pools: it did fail at each. */
	ck_assert_int_gt(n, 20);
	policy_free(p);
}
END_TEST
#endif

/* ---- sources ----------------------------------------------------------- */

START_TEST(no_sources)
{
	struct policy *p = NULL;
	struct policy_decision d;
	struct request r;

	ck_assert_int_eq(
	    policy_load(&p, NULL, 0, &machine_resolver, NULL, NULL), 0);
	request_read(&r, "0 01:10.0");
	request_decide(p, &r, &d, NULL);
	ck_assert_int_eq(d.verdict, POLICY_NO_RULE);
	policy_free(p);
	policy_free(NULL);
}
END_TEST

START_TEST(empty_source)
{
	const struct policy_source source = { "empty", NULL, 0 };
	struct policy *p = NULL;

	ck_assert_int_eq(
	    policy_load(&p, &source, 1, &machine_resolver, NULL, NULL), 0);
	policy_free(p);
}
END_TEST

/* A text ends where its length says, not at a NUL or later. */
START_TEST(length_counts)
{
	static const char text[] = "allow any use all managed";
	const struct policy_source source = { "cut", text, 17 };
	struct policy_decision d;
	struct policy *p = NULL;
	struct request r;

	ck_assert_int_eq(
	    policy_load(&p, &source, 1, &machine_resolver, NULL, NULL), 0);
	request_read(&r, "0 01:10.0+m");
	request_decide(p, &r, &d, NULL);
	ck_assert_int_eq(d.verdict, POLICY_SHORT);
	policy_free(p);
}
END_TEST

START_TEST(pools_cross_sources)
{
	char name[] = "one.conf";
	struct policy_source sources[] = {
		{ name, "allow any use pool p\n", 21 },
		{ "two.conf", "pool p { 01:10.0 }", 18 },
	};
	struct policy_decision d;
	struct policy *p = NULL;
	struct request r;

	ck_assert_int_eq(
	    policy_load(&p, sources, 2, &machine_resolver, NULL, NULL), 0);
	/* Neither names nor texts are kept. */
	memset(name, 'x', sizeof(name) - 1);
	request_read(&r, "0 01:10.0");
	request_decide(p, &r, &d, NULL);
	ck_assert_int_eq(d.verdict, POLICY_ALLOW);
	ck_assert_str_eq(policy_rule_file(d.rule), "one.conf");
	ck_assert_uint_eq(policy_rule_line(d.rule), 1);
	policy_free(p);
}
END_TEST

/* ---- errors ------------------------------------------------------------ */

struct listing {
	char text[2000];
	const char *last_file;
};

static void
listing_add(void *arg, const struct policy_error *e)
{
	struct listing *l = arg;
	size_t n = strlen(l->text);

	snprintf(l->text + n, sizeof(l->text) - n, "%s:%u:%u\n", e->file,
	    e->line, e->column);
	l->last_file = e->file;
}

START_TEST(all_errors)
{
	static const char one[] = "allow any use all\n" /* fine */
				  "alow any use all\n" /* 2:1 */
				  "pool p { 01:10.0 } x\n" /* 3:20 */
				  "pool p { }\n" /* 4:6 */
				  "pool q { 01:10.0, bad\n" /* 5:17 */
				  " 02:00.0 expect x } \n" /* 6:17 */
				  "pool { y\n" /* 7:6, 7:8 */
				  "}\n"
				  "allow any use pool none\n" /* 9:20 */
				  "limit user mallory devices 1\n" /* 10:12 */
				  "pool r { 01:10.0\n"
				  "deny any use all\n"; /* 12:1 */
	static const char two[] = "admin\n" /* 1:6 */
				  "claim pool q\n" /* fine */
				  "claim pool never"; /* 3:12 */
	const struct policy_source sources[] = {
		{ "one", one, sizeof(one) - 1 },
		{ "two", two, sizeof(two) - 1 },
	};
	struct listing l = { 0 };
	struct policy *p = NULL;

	ck_assert_int_eq(
	    policy_load(&p, sources, 2, &machine_resolver, listing_add, &l),
	    -EINVAL);
	ck_assert_ptr_null(p);
	ck_assert_str_eq(l.text,
	    "one:2:1\none:3:20\none:4:6\none:5:17\none:6:17\none:7:6\n"
	    "one:7:8\none:10:12\none:12:1\ntwo:1:6\none:9:20\ntwo:3:12\n");
	ck_assert_ptr_eq(l.last_file, sources[1].name);
}
END_TEST

/* Errors are errors with nobody to hear of them. */
START_TEST(no_reporter)
{
	ck_assert_ptr_null(load_text("allow any use al", NULL));
	ck_assert_ptr_null(load_text("allow any use pool p", NULL));
}
END_TEST

/* ---- what a rule says -------------------------------------------------- */

START_TEST(rule_text)
{
	static const char longest[] =
	    "allow user abcdefghijklmnopqrstuvwxyz012345 use id 10de:2684 at "
	    "ffffffff:ff:1f.7 managed memlock 18014398509481983K count "
	    "4294967294 siblings refuse expect 10de:2684 reset required";
	struct policy_resolver any = { 0 };
	struct policy_source source = { "x", longest, sizeof(longest) - 1 };
	struct policy_decision d;
	struct policy *p = NULL;
	struct request r;

	any = machine_resolver;
	source.text = "allow any use all count 0";
	source.len = strlen(source.text);
	ck_assert_int_eq(policy_load(&p, &source, 1, &any, NULL, NULL), 0);
	request_read(&r, "1 01:10.0");
	request_decide(p, &r, &d, NULL);
	ck_assert_str_eq(policy_rule_text(d.rule), source.text);
	policy_free(p);
	ck_assert_uint_lt(sizeof(longest), POLICY_RULE_TEXT_MAX);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("policy_load");
	TCase *tc = tcase_create("load");
	SRunner *sr;
	int failed;

#if OWN_MALLOC
	tcase_add_test(tc, out_of_memory);
#endif
	tcase_add_test(tc, no_sources);
	tcase_add_test(tc, empty_source);
	tcase_add_test(tc, length_counts);
	tcase_add_test(tc, pools_cross_sources);
	tcase_add_test(tc, all_errors);
	tcase_add_test(tc, no_reporter);
	tcase_add_test(tc, rule_text);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed;
}
