/* SPDX-License-Identifier: ISC */
/*
 * The policy's files: that all of them count, in whatever order, and that one
 * which is wrong, or others than root could write, spoils the whole.
 */

#include <sys/stat.h>

#include <stdio.h>

#include "broker/monitor/config.h"
#include "broker/monitor/inventory.h"
#include "broker/monitor/policyload.h"
#include "tests/unit/fixture.h"
#include "tests/unit/loader_peer.h"
#include "tests/unit/test_mon.h"

#define UID 1234
#define ALLOW "allow uid 1234 use 0000:01:00.0\n"
#define DENY "deny uid 1234 use 0000:01:00.0\n"

static struct fixture tree;
static char main_file[128], dir[128];
static int logfd;

static void
setup(void)
{
	logfd = log_capture();
	fixture_init(&tree);
	loader_use(&tree);
	snprintf(main_file, sizeof(main_file), "%s/etc/policy.conf", tree.root);
	snprintf(dir, sizeof(dir), "%s/etc/policy.d", tree.root);
	config.policy = main_file;
	config.policy_dir = dir;
	ck_assert_int_eq(loop_init(), 0);
	fixture_dir(&tree, "etc");
}

static void
teardown(void)
{
	fixture_fini(&tree);
}

static void
put(const char *name, const char *text)
{
	fixture_file(&tree, text, "etc/%s", name);
}

static void
set_mode(const char *name, mode_t mode)
{
	ck_assert_int_eq(fchmodat(tree.rootfd, name, mode, 0), 0);
}

static enum policy_verdict
verdict(void)
{
	const struct policy_subject who = { .uid = UID };
	const struct policy_device device = { .bdf.bus = 1, .group = 7 };
	const struct policy_usage usage = { 0 };
	const bool managed = false;
	const struct policy_request want = { .devices = &device,
		.ndevices = 1,
		.managed = &managed,
		.new_lease = true };
	struct policy_decision d;

	ck_assert_ptr_nonnull(policy_current());
	policy_decide(
	    policy_current(), &inventory_world, &who, &usage, &want, &d, NULL);
	return d.verdict;
}

/* Whether everything was refused, so that a policy without lines rules. */
static void
assert_refused(const char *why)
{
	ck_assert_int_eq(policyload_init(), 0);
	ck_assert_int_eq(verdict(), POLICY_NO_RULE);
	ck_assert_msg(log_count(logfd, why) == 1, "not said: %s", why);
	ck_assert_uint_eq(log_count(logfd, "until it is mended nothing"), 1);
	ck_assert_uint_eq(log_count(logfd, "the running one stays"), 0);
	ck_assert(!policyload_done());
}

static void
assert_loaded(enum policy_verdict want)
{
	ck_assert(!policyload_done());
	ck_assert_int_eq(policyload_init(), 0);
	ck_assert(policyload_done());
	ck_assert_uint_eq(log_count(logfd, "policy loaded"), 1);
	ck_assert_int_eq(verdict(), want);
}

START_TEST(nothing_there)
{
	assert_loaded(POLICY_NO_RULE);
}
END_TEST

START_TEST(no_directory_at_all)
{
	fixture_remove(&tree, "etc");
	assert_loaded(POLICY_NO_RULE);
}
END_TEST

START_TEST(main_alone)
{
	put("policy.conf", ALLOW);
	assert_loaded(POLICY_ALLOW);
}
END_TEST

START_TEST(directory_alone)
{
	put("policy.d/a.conf", ALLOW);
	assert_loaded(POLICY_ALLOW);
}
END_TEST

/* Where a deny or a pool stands does not matter. */
static const struct {
	const char *main, *a, *z;
	enum policy_verdict want;
} orders[] = {
	{ ALLOW, DENY, "", POLICY_DENIED },
	{ DENY, ALLOW, "", POLICY_DENIED },
	{ "", ALLOW, DENY, POLICY_DENIED },
	{ "", DENY, ALLOW, POLICY_DENIED },
	{ "", "", ALLOW, POLICY_ALLOW },
	{ "pool p { 0000:01:00.0 }\n", "allow uid 1234 use pool p\n", "",
	    POLICY_ALLOW },
	{ "allow uid 1234 use pool p\n", "", "pool p { 0000:01:00.0 }\n",
	    POLICY_ALLOW },
	{ "", "allow uid 1234 use pool p\n", "pool p { 0000:01:00.0 }\n",
	    POLICY_ALLOW },
	{ "", "pool p { 0000:01:00.0 }\n", "allow uid 1234 use pool p\n",
	    POLICY_ALLOW },
};

START_TEST(order)
{
	put("policy.conf", orders[_i].main);
	put("policy.d/a.conf", orders[_i].a);
	put("policy.d/z.conf", orders[_i].z);
	assert_loaded(orders[_i].want);
}
END_TEST

/* An editor's leavings and such are not read. */
START_TEST(other_names)
{
	put("policy.conf", ALLOW);
	put("policy.d/a.conf~", DENY);
	put("policy.d/.a.conf", DENY);
	put("policy.d/.conf", DENY);
	put("policy.d/README", "this is no policy\n");
	put("policy.d/a.conf.dpkg-old", DENY);
	set_mode("etc/policy.d/README", 0666);
	assert_loaded(POLICY_ALLOW);
}
END_TEST

START_TEST(names)
{
	put("policy.conf", "allow user root use 0000:01:00.0\n"
			   "allow group root use 0000:02:00.0\n" ALLOW);
	assert_loaded(POLICY_ALLOW);
}
END_TEST

static const struct {
	const char *text, *said;
} bad[] = {
	{ "allow user no-such-user-here use 0000:01:00.0\n", ":1:12: " },
	{ ALLOW "# fine\n  allow uid 1234 uses 0000:01:00.0\n", ":3:18: " },
	{ ALLOW "allow uid 1234 use 0000:01:00.9\n", ":2:20: " },
	{ ALLOW "nonsense\n", ":2:1: " },
	{ ALLOW "allow uid 1234 use pool none\n", ":2:" },
	{ ALLOW "pool p {\n", ":3:1: " },
};

/* One bad line anywhere, and no line of any file counts. */
START_TEST(bad_line)
{
	char said[160];

	put("policy.conf", ALLOW);
	put("policy.d/a.conf", ALLOW);
	put("policy.d/b.conf", bad[_i].text);
	put("policy.d/c.conf", ALLOW);
	snprintf(said, sizeof(said), "%s/b.conf%s", dir, bad[_i].said);
	assert_refused(said);
}
END_TEST

/* Every bad line is told, not the first alone. */
START_TEST(bad_lines)
{
	put("policy.conf", "nonsense\n" ALLOW "rubbish\n");
	put("policy.d/a.conf", "humbug\n");
	ck_assert_int_eq(policyload_init(), 0);
	ck_assert_int_eq(verdict(), POLICY_NO_RULE);
	ck_assert_uint_eq(log_count(logfd, "policy.conf:1:1: "), 1);
	ck_assert_uint_eq(log_count(logfd, "policy.conf:3:1: "), 1);
	ck_assert_uint_eq(log_count(logfd, "a.conf:1:1: "), 1);
}
END_TEST

/* Whose they are: the file's, and the directory's that it lies in. */
static const char *const trusted[] = { "etc", "etc/policy.conf", "etc/policy.d",
	"etc/policy.d/a.conf" };
#define NTRUSTED (int)(sizeof(trusted) / sizeof(trusted[0]))

START_TEST(trust)
{
	static const struct {
		uid_t uid;
		mode_t mode;
		const char *said;
	} wrongs[] = {
		{ UID, 0755, "does not belong to root" },
		{ 0, 0775, "can be written by others than root" },
		{ 0, 0757, "can be written by others than root" },
		{ 0, 0777, "can be written by others than root" },
	};
	const char *name = trusted[_i % NTRUSTED];
	int w = _i / NTRUSTED;
	char said[256];

	put("policy.conf", ALLOW);
	put("policy.d/a.conf", ALLOW);
	ck_assert_int_eq(fchownat(tree.rootfd, name, wrongs[w].uid, 0, 0), 0);
	set_mode(name, wrongs[w].mode);
	snprintf(
	    said, sizeof(said), "%s/%s: %s", tree.root, name, wrongs[w].said);
	assert_refused(said);
}
END_TEST

/* A group's file is fine as long as the group may only read it. */
START_TEST(readable_by_others)
{
	put("policy.conf", ALLOW);
	ck_assert_int_eq(
	    fchownat(tree.rootfd, "etc/policy.conf", 0, UID, 0), 0);
	set_mode("etc/policy.conf", 0644);
	assert_loaded(POLICY_ALLOW);
}
END_TEST

/* Also one that leads nowhere: it stands for lines that are missing now. */
START_TEST(link_in_place)
{
	const char *name = _i % 2 == 0 ? "policy.conf" : "policy.d/b.conf";

	fixture_file(&tree, ALLOW, "elsewhere");
	put("policy.d/a.conf", ALLOW);
	fixture_link(
	    &tree, _i < 2 ? "../elsewhere" : "nowhere", "etc/%s", name);
	assert_refused(name);
}
END_TEST

START_TEST(other_kinds)
{
	const char *name =
	    _i % 2 == 0 ? "etc/policy.conf" : "etc/policy.d/b.conf";

	put("policy.d/a.conf", ALLOW);
	if (_i < 2)
		fixture_dir(&tree, "%s", name);
	else
		ck_assert_int_eq(mkfifoat(tree.rootfd, name, 0600), 0);
	assert_refused(name);
}
END_TEST

START_TEST(directory_is_a_file)
{
	put("policy.conf", ALLOW);
	put("policy.d", ALLOW);
	assert_refused("policy.d: Not a directory");
}
END_TEST

/* What was there once is not there for the time being: no reason to allow more. */
START_TEST(directory_is_nowhere)
{
	if (_i == 0)
		put("policy.conf", ALLOW);
	else
		fixture_remove(&tree, "etc");
	fixture_link(&tree, "nowhere", "%s", _i == 0 ? "etc/policy.d" : "etc");
	assert_refused(
	    _i == 0 ? "policy.d: No such file" : "etc: No such file");
}
END_TEST

/* A file of comments, of len bytes. */
static void
put_long(const char *name, size_t len)
{
	char *text = malloc(len + 1);

	ck_assert_ptr_nonnull(text);
	memset(text, '#', len);
	for (size_t at = 79; at < len; at += 80)
		text[at] = '\n';
	text[len] = '\0';
	put(name, text);
	free(text);
}

START_TEST(too_big)
{
	put("policy.d/a.conf", ALLOW);
	put_long("policy.d/b.conf", 1 << 20);
	assert_refused("b.conf: File too large");
}
END_TEST

START_TEST(just_small_enough)
{
	put("policy.d/a.conf", ALLOW);
	put_long("policy.d/b.conf", (1 << 20) - 1);
	assert_loaded(POLICY_ALLOW);
}
END_TEST

START_TEST(too_big_together)
{
	char name[32];

	put("policy.conf", ALLOW);
	for (int i = 0; i < 5; i++) {
		snprintf(name, sizeof(name), "policy.d/%d.conf", i);
		put_long(name, 1000000);
	}
	assert_refused("4.conf: with it all files are more than 4 MiB");
}
END_TEST

/* As many names as there can be, the shortest: the compiled form has room. */
START_TEST(just_small_enough_together)
{
	static const char line[] = "admin user ";
	size_t len = sizeof(line) - 1, n = ((1 << 20) - 1) / (len + 5);
	char *text = malloc(1 << 20), *at = text;
	char name[32];

	ck_assert_ptr_nonnull(text);
	for (size_t i = 0; i < n; i++) {
		memcpy(at, line, len);
		memcpy(at + len, "root\n", 5);
		at += len + 5;
	}
	*at = '\0';
	for (int i = 0; i < 4; i++) {
		snprintf(name, sizeof(name), "policy.d/%d.conf", i);
		put(name, text);
	}
	put("policy.d/5.conf", ALLOW);
	free(text);
	assert_loaded(POLICY_ALLOW);
}
END_TEST

/* Not a line in the log for each line of a file that is something else. */
START_TEST(many_errors)
{
	char *text = calloc(1, 500001);

	ck_assert_ptr_nonnull(text);
	for (size_t at = 0; at < 500000; at += 2)
		memcpy(text + at, "x\n", 2);
	put("policy.d/a.conf", text);
	free(text);
	assert_refused("a.conf:64:1: ");
	ck_assert_uint_eq(log_count(logfd, "a.conf:65:1: "), 0);
	ck_assert_uint_eq(log_count(logfd, "more errors than are told"), 1);
}
END_TEST

START_TEST(too_many)
{
	char name[32];

	for (int i = 0; i < 257; i++) {
		snprintf(name, sizeof(name), "policy.d/%03d.conf", i);
		put(name, i == 0 ? ALLOW : "");
	}
	assert_refused("256.conf: one file too many");
}
END_TEST

int
main(void)
{
	TCase *tc = tcase_create("policyload");
	Suite *s = suite_create("policyload");

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, nothing_there);
	tcase_add_test(tc, no_directory_at_all);
	tcase_add_test(tc, main_alone);
	tcase_add_test(tc, directory_alone);
	tcase_add_loop_test(tc, order, 0, sizeof(orders) / sizeof(orders[0]));
	tcase_add_test(tc, other_names);
	tcase_add_test(tc, names);
	tcase_add_loop_test(tc, bad_line, 0, sizeof(bad) / sizeof(bad[0]));
	tcase_add_test(tc, bad_lines);
	tcase_add_loop_test(tc, trust, 0, 4 * NTRUSTED);
	tcase_add_test(tc, readable_by_others);
	tcase_add_loop_test(tc, link_in_place, 0, 4);
	tcase_add_loop_test(tc, other_kinds, 0, 4);
	tcase_add_test(tc, directory_is_a_file);
	tcase_add_loop_test(tc, directory_is_nowhere, 0, 2);
	tcase_add_test(tc, too_big);
	tcase_add_test(tc, just_small_enough);
	tcase_add_test(tc, too_big_together);
	tcase_add_test(tc, just_small_enough_together);
	tcase_add_test(tc, many_errors);
	tcase_add_test(tc, too_many);
	suite_add_tcase(s, tc);
	return run_suite(s);
}
