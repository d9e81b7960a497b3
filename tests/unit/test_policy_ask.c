/* SPDX-License-Identifier: ISC */
/*
 * The questions besides the decision: admins, claims, tolerance, limits,
 * and what explain says line by line.
 */

#include <check.h>

#include "test_policy.h"

static struct policy_device
device(const char *bdf)
{
	struct policy_device d;

	ck_assert_int_eq(machine_device(bdf, &d), 0);
	return d;
}

/* ---- admins ------------------------------------------------------------ */

START_TEST(admins)
{
	static const struct {
		const char *policy;
		const char *who;
		bool admin;
	} cases[] = {
		{ "", "0:0", false },
		{ "allow any use all", "0", false },
		{ "admin group wheel", "1000:10", true },
		{ "admin group wheel", "10:11", false },
		{ "admin user alice", "1000", true },
		{ "admin user alice", "1001:1000", false },
		{ "admin uid 0\nadmin gid 36", "5:36", true },
		{ "admin uid 0\nadmin gid 36", "0", true },
		{ "admin any", "65534", true },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct policy *p = load_text(cases[i].policy, NULL);
		struct request r;

		request_read(&r, cases[i].who);
		ck_assert_msg(policy_is_admin(p, &r.subject) == cases[i].admin,
		    "%s for %s", cases[i].policy, cases[i].who);
		policy_free(p);
	}
}
END_TEST

/* ---- claims, tolerance ----------------------------------------------- */

START_TEST(claims)
{
	static const struct {
		const char *policy;
		const char *bdf;
		bool claimed;
	} cases[] = {
		{ "", "01:10.0", false },
		{ "allow any use all managed", "01:10.0", false },
		{ "claim 01:10.0", "01:10.0", true },
		{ "claim 01:10.0", "0001:01:10.0", false },
		{ "claim vf-of 5e:00.0\nclaim 02:00.0", "5e:02.1", true },
		{ "claim vf-of 5e:00.0\nclaim 02:00.0", "02:00.0", true },
		{ "claim vf-of 5e:00.0", "5e:00.0", false },
		{ "claim group-of 01:00.0", "01:00.1", true },
		{ "claim pool p\npool p { slot 01:00 }", "01:00.1", true },
		/* not another card that sits there now */
		{ "claim pool p\npool p { 01:10.0 expect dead:beef }",
		    "01:10.0", false },
		{ "claim pool p\npool p { 01:10.0 expect 8086:10ca }",
		    "01:10.0", true },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct policy *p = load_text(cases[i].policy, NULL);
		struct policy_device d = device(cases[i].bdf);

		ck_assert_msg(
		    policy_claims(p, &machine_world, &d) == cases[i].claimed,
		    "%s for %s", cases[i].policy, cases[i].bdf);
		policy_free(p);
	}
}
END_TEST

START_TEST(tolerance)
{
	struct policy *p = load_text("tolerate boot-vga on slot 01:00\n"
				     "tolerate swap on all\n"
				     "tolerate mounted on pool p\n"
				     "pool p { 02:00.0 expect dead:beef }",
	    NULL);
	struct policy_device gpu = device("01:00.0"), nvme = device("02:00.0");
	const struct policy_world *w = &machine_world;

	ck_assert(policy_tolerates(p, w, &gpu, REASON_BOOT_VGA));
	ck_assert(policy_tolerates(p, w, &gpu, REASON_SWAP));
	ck_assert(!policy_tolerates(p, w, &gpu, REASON_CONSOLE));
	ck_assert(!policy_tolerates(p, w, &nvme, REASON_BOOT_VGA));
	ck_assert(policy_tolerates(p, w, &nvme, REASON_SWAP));
	ck_assert(!policy_tolerates(p, w, &nvme, REASON_MOUNTED));
	ck_assert(!policy_tolerates(p, w, &nvme, REASON_NOIOMMU));
	policy_free(p);
}
END_TEST

/* ---- limits ------------------------------------------------------------ */

START_TEST(limits)
{
	struct policy *p = load_text("limit any connections 32 requests 100/s\n"
				     "limit user alice devices 4 memlock 96G\n"
				     "limit group kvm devices 2 leases 7\n"
				     "limit uid 1000 connections 40 leases 9\n"
				     "limit gid 36 requests 50/s",
	    NULL);
	struct policy_limits l;
	struct request r;

	request_read(&r, "1000:36");
	policy_limits_of(p, &r.subject, &l);
	ck_assert_uint_eq(l.devices, 2);
	ck_assert_uint_eq(l.leases, 7);
	ck_assert_uint_eq(l.memlock, 96ULL << 30);
	ck_assert_uint_eq(l.connections, 32);
	ck_assert_uint_eq(l.requests, 50);
	request_read(&r, "7:7");
	policy_limits_of(p, &r.subject, &l);
	ck_assert(l.devices == POLICY_UNLIMITED);
	ck_assert(l.leases == POLICY_UNLIMITED);
	ck_assert(l.memlock == POLICY_UNLIMITED);
	ck_assert_uint_eq(l.connections, 32);
	ck_assert_uint_eq(l.requests, 100);
	policy_free(p);
}
END_TEST

/* ---- explain ----------------------------------------------------------- */

static void
listing_add(void *arg, const struct policy_note *n)
{
	char *text = arg;
	size_t len = strlen(text);

	snprintf(text + len, 4000 - len, "%c%u %s: %s\n", "*+--#"[n->kind],
	    policy_rule_line(n->rule), policy_rule_text(n->rule), n -> why);
}

static void
check_explain(const char *policy, const char *request, const char *expect)
{
	struct policy *p = load_text(policy, NULL);
	char text[4000] = "";
	struct request r;

	request_read(&r, request);
	policy_explain(p, &machine_world, &r.subject, &r.usage, &r.request,
	    listing_add, text);
	ck_assert_str_eq(text, expect);
	policy_free(p);
}

static const char policy[] = "limit any devices 3\n"
			     "allow user alice use 02:00.0\n"
			     "allow user bob use 01:10.0\n"
			     "allow user bob use 02:00.0\n"
			     "allow any use class 02 memlock 1G\n"
			     "allow any use class 02 expect dead:beef\n"
			     "allow any use 01:10.0 managed\n"
			     "deny uid 7 use all\n"
			     "deny gid 7 use 01:10.0\n"
			     "limit gid 9 leases 1\n"
			     "claim 01:10.0\n"
			     "admin any\n";

START_TEST(explain_allow)
{
	check_explain(policy, "1000 01:10.0",
	    "*7 allow any use 0000:01:10.0 managed: covers the request\n"
	    "+5 allow any use class 02 memlock 1G: covers the request\n"
	    "-6 allow any use class 02 expect dead:beef: "
	    "IDENTITY_CHANGED: dead:beef is expected at 0000:01:10.0, where "
	    "there is 8086:10ca\n"
	    "-2 allow user alice use 0000:02:00.0: is for another device\n"
	    "-3 allow user bob use 0000:01:10.0: is for another subject\n"
	    "#1 limit any devices 3: in force: devices 3\n");
}
END_TEST

static void
count_note(void *arg, const struct policy_note *note)
{
	unsigned *n = arg; /* with a reason, without */

	n[note->why[0] == '\0']++;
}

/* Of very many lines all are told of, and some with their reason. */
START_TEST(explain_many)
{
	unsigned n[2] = { 0 };
	struct request r;
	struct policy *p;
	char *text;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	for (unsigned i = 0; i < 1000; i++)
		fprintf(f, "%s any use %s\n", i % 2 ? "allow" : "deny",
		    i % 4 < 2 ? "01:10.0" : "02:00.0");
	fclose(f);
	p = load_text(text, NULL);
	request_read(&r, "1 01:10.0");
	ck_assert_int_eq(policy_explain(p, &machine_world, &r.subject, &r.usage,
			     &r.request, count_note, n),
	    0);
	/* The one that decides; others that deny or cover; and near ones. */
	ck_assert_uint_eq(n[0], 1 + 2 * POLICY_NOTES_MAX);
	ck_assert_uint_eq(n[0] + n[1], 750);
	policy_free(p);
	free(text);
}
END_TEST

START_TEST(explain_identity)
{
	check_explain(policy, "1000:9 01:10.0+m memlock=1G",
	    "*6 allow any use class 02 expect dead:beef: "
	    "IDENTITY_CHANGED: dead:beef is expected at 0000:01:10.0, where "
	    "there is 8086:10ca\n"
	    "-5 allow any use class 02 memlock 1G: lacks managed; add: allow "
	    "uid 1000 use 0000:01:10.0 managed memlock 1G\n"
	    "-7 allow any use 0000:01:10.0 managed: lacks memlock 1G; add: "
	    "allow uid 1000 use 0000:01:10.0 managed memlock 1G\n"
	    "-2 allow user alice use 0000:02:00.0: is for another device\n"
	    "-3 allow user bob use 0000:01:10.0: is for another subject\n"
	    "#1 limit any devices 3: in force: devices 3\n"
	    "#10 limit gid 9 leases 1: in force: leases 1\n");
}
END_TEST

START_TEST(explain_short)
{
	check_explain("allow any use all\nallow uid 1 use all managed\n",
	    "1 01:10.0+m memlock=1K",
	    "*2 allow uid 1 use all managed: lacks memlock 1K; add: allow uid "
	    "1 use 0000:01:10.0 managed memlock 1K\n"
	    "-1 allow any use all: lacks managed memlock 1K; add: allow uid 1 "
	    "use 0000:01:10.0 managed memlock 1K\n");
}
END_TEST

START_TEST(explain_denied)
{
	check_explain("deny any use all\nallow any use all\ndeny uid 1 use "
		      "01:10.0\nallow uid 2 use all\n",
	    "1 01:10.0",
	    "*1 deny any use all: denied by \"deny any use all\"\n"
	    "+3 deny uid 1 use 0000:01:10.0: denies it\n"
	    "+2 allow any use all: covers the request\n"
	    "-4 allow uid 2 use all: is for another subject\n");
}
END_TEST

START_TEST(explain_limit)
{
	check_explain("limit any leases 0\nlimit any leases 5\nlimit any "
		      "devices 2 leases 4 requests 9/s\nallow any use all",
	    "1 01:10.0",
	    "*1 limit any leases 0: limited to leases 0, with this request "
	    "it would be 1\n"
	    "+4 allow any use all: covers the request\n"
	    "#2 limit any leases 5: in force: nothing, others are smaller\n"
	    "#3 limit any devices 2 leases 4 requests 9/s: in force: "
	    "devices 2 requests 9/s\n");
}
END_TEST

/* No line decides, so none is marked; nothing asked, nothing told. */
START_TEST(explain_nothing)
{
	check_explain("allow uid 2 use all\nallow uid 1 use 02:00.0\nallow uid "
		      "2 use 02:00.0",
	    "1 01:10.0",
	    "-2 allow uid 1 use 0000:02:00.0: is for another device\n"
	    "-1 allow uid 2 use all: is for another subject\n");
	check_explain("allow any use all", "1", "");
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("policy_ask");
	TCase *tc = tcase_create("ask");
	SRunner *sr;
	int failed;

	tcase_add_test(tc, admins);
	tcase_add_test(tc, claims);
	tcase_add_test(tc, tolerance);
	tcase_add_test(tc, limits);
	tcase_add_test(tc, explain_allow);
	tcase_add_test(tc, explain_many);
	tcase_add_test(tc, explain_identity);
	tcase_add_test(tc, explain_short);
	tcase_add_test(tc, explain_denied);
	tcase_add_test(tc, explain_limit);
	tcase_add_test(tc, explain_nothing);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed;
}
