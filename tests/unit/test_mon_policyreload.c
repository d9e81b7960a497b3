/* SPDX-License-Identifier: ISC */
/*
 * Reloading the policy while the monitor runs: the new one comes whole or not
 * at all.  The child that reads is one of the test's own here, so that it can
 * send what no honest one would, or die in the middle; the monitor parses what
 * it sends.
 */

#include <stdio.h>

#include "broker/monitor/config.h"
#include "broker/monitor/policyload.h"
#include "broker/monitor/policyread.h"
#include "tests/unit/test_mon.h"

#define UID 1234
#define OLD "admin uid 1\n"
#define NEW "admin uid 2\n"

/* What the child does, instead of reading files. */
static int (*child)(int fd);
static int logfd;

int
policyread_bundle(int fd)
{
	return child(fd);
}

static void
put(int fd, const void *buf, size_t len)
{
	if (write(fd, buf, len) != (ssize_t)len)
		_exit(1);
}

static void
put_item(int fd, enum bundle_kind kind, uint32_t id, const char *name,
    const char *text)
{
	struct bundle_item item = { .kind = kind,
		.id = id,
		.name_len = (uint32_t)strlen(name) + 1,
		.text_len = (uint32_t)strlen(text) };

	put(fd, &item, sizeof(item));
	put(fd, name, item.name_len);
	put(fd, text, item.text_len);
}

static int
send_old(int fd)
{
	put_item(fd, BUNDLE_SOURCE, 0, "old.conf", OLD);
	return 0;
}

static int
send_new(int fd)
{
	put_item(fd, BUNDLE_SOURCE, 0, "new.conf", NEW);
	return 0;
}

static bool
is_admin(uid_t uid)
{
	const struct policy_subject who = { .uid = uid };

	return policy_is_admin(policy_current(), &who);
}

static void
setup_without(void)
{
	logfd = log_capture();
	ck_assert_int_eq(loop_init(), 0);
}

static void
setup(void)
{
	setup_without();
	child = send_old;
	ck_assert_int_eq(policyload_init(), 0);
	ck_assert_int_gt(waitpid(-1, NULL, 0), 0);
	ck_assert(is_admin(1));
}

/* Until the loop has nothing more to wait for. */
static void
drive(void)
{
	ck_assert_int_eq(event_base_dispatch(loop_base), 1);
}

static void
reload(int (*how)(int))
{
	int status;
	pid_t pid;

	child = how;
	policyload_start();
	drive();
	pid = waitpid(-1, &status, 0);
	ck_assert_int_gt(pid, 0);
	ck_assert(policyload_reaped(pid));
	ck_assert(!policyload_reaped(pid));
}

static void
assert_stays(void)
{
	ck_assert(is_admin(1));
	ck_assert(!is_admin(2));
	ck_assert_uint_eq(log_count(logfd, "the running one stays"), 1);
	ck_assert_uint_eq(log_count(logfd, "nothing is allowed"), 0);
	ck_assert(policyload_done());
}

START_TEST(replaced)
{
	const struct policy *old = policy_current();

	reload(send_new);
	ck_assert_ptr_ne(policy_current(), old);
	ck_assert(is_admin(2) && !is_admin(1));
	ck_assert_uint_eq(log_count(logfd, "policy loaded"), 2);
	reload(send_old);
	ck_assert(is_admin(1) && !is_admin(2));
}
END_TEST

/* Asked for while one is under way: once more after it, however often. */
START_TEST(asked_again)
{
	child = send_old;
	policyload_start();
	child = send_new;
	policyload_start();
	policyload_start();
	policyload_start();
	drive();
	ck_assert(is_admin(2));
	ck_assert_uint_eq(log_count(logfd, "policy loaded"), 3);
	/* Two children, and no third. */
	ck_assert_int_gt(waitpid(-1, NULL, 0), 0);
	ck_assert_int_gt(waitpid(-1, NULL, 0), 0);
	ck_assert_int_eq(waitpid(-1, NULL, 0), -1);
}
END_TEST

START_TEST(not_ours)
{
	ck_assert(!policyload_reaped(getpid()));
	ck_assert(!policyload_reaped(1));
}
END_TEST

static int
send_error(int fd)
{
	send_new(fd);
	put_item(fd, BUNDLE_ERROR, 0, "new.conf", ":1:1: is not liked");
	return 0;
}

static int
send_bad_line(int fd)
{
	send_new(fd);
	put_item(fd, BUNDLE_SOURCE, 0, "bad.conf", "nonsense\n");
	return 0;
}

/* A name that nobody has resolved is an error as it is in the child. */
static int
send_unknown_name(int fd)
{
	put_item(fd, BUNDLE_SOURCE, 0, "new.conf", NEW "admin user bob\n");
	put_item(fd, BUNDLE_USER, 3, "bobby", "");
	put_item(fd, BUNDLE_GROUP, 4, "bob", "");
	return 0;
}

/* Nor is one that comes at another place than where it was resolved. */
static int
send_other_order(int fd)
{
	put_item(fd, BUNDLE_SOURCE, 0, "new.conf",
	    NEW "admin user bob\nadmin user eve\n");
	put_item(fd, BUNDLE_USER, 4, "eve", "");
	put_item(fd, BUNDLE_USER, 3, "bob", "");
	return 0;
}

static int
send_short_head(int fd)
{
	send_new(fd);
	put(fd, "\1\0\0\0", 4);
	return 0;
}

static int
send_short_name(int fd)
{
	struct bundle_item item = { .kind = BUNDLE_SOURCE, .name_len = 9 };

	send_new(fd);
	put(fd, &item, sizeof(item));
	put(fd, "new", 4);
	return 0;
}

static int
send_short_text(int fd)
{
	struct bundle_item item = {
		.kind = BUNDLE_SOURCE, .name_len = 4, .text_len = 10
	};

	put(fd, &item, sizeof(item));
	put(fd, "new\0" NEW, 13);
	return 0;
}

static int
send_no_name(int fd)
{
	struct bundle_item item = { .kind = BUNDLE_SOURCE };

	send_new(fd);
	put(fd, &item, sizeof(item));
	return 0;
}

static int
send_name_without_end(int fd)
{
	struct bundle_item item = {
		.kind = BUNDLE_SOURCE, .name_len = 3, .text_len = 12
	};

	put(fd, &item, sizeof(item));
	put(fd, "new" NEW, 15);
	return 0;
}

/* Lengths whose sum is small again. */
static int
send_long_lengths(int fd)
{
	struct bundle_item item = {
		.kind = BUNDLE_SOURCE, .name_len = UINT32_MAX, .text_len = 5
	};

	put(fd, &item, sizeof(item));
	put(fd, "new\0", 4);
	return 0;
}

static int
send_too_much(int fd)
{
	static char zeroes[3 * POLICY_BYTES + (1 << 20)];

	for (size_t at = 0; at < sizeof(zeroes); at += 1 << 16)
		put(fd, zeroes + at, 1 << 16);
	return 0;
}

static int
send_too_many(int fd)
{
	for (int i = 0; i < 257; i++)
		put_item(fd, BUNDLE_SOURCE, 0, "x", NEW);
	return 0;
}

static int
die_at_once(int fd)
{
	(void)fd;
	_exit(1);
}

static int
die_of_signal(int fd)
{
	send_new(fd);
	raise(SIGKILL);
	return 0;
}

static int
end_with_error(int fd)
{
	send_new(fd);
	return -ENOMEM;
}

static const struct {
	const char *name;
	int (*how)(int);
} failures[] = {
	{ "error", send_error },
	{ "bad line", send_bad_line },
	{ "unknown name", send_unknown_name },
	{ "names in another order", send_other_order },
	{ "short head", send_short_head },
	{ "short name", send_short_name },
	{ "short text", send_short_text },
	{ "no name", send_no_name },
	{ "name without end", send_name_without_end },
	{ "long lengths", send_long_lengths },
	{ "too much", send_too_much },
	{ "too many", send_too_many },
	{ "dies at once", die_at_once },
	{ "dies of a signal", die_of_signal },
	{ "ends with an error", end_with_error },
};

START_TEST(refused)
{
	const struct policy *old = policy_current();

	reload(failures[_i].how);
	ck_assert_msg(policy_current() == old, "%s", failures[_i].name);
	assert_stays();
	reload(send_new); /* and the next one comes through */
	ck_assert(is_admin(2));
}
END_TEST

/* At the start there is none to stay: nothing is allowed then. */
START_TEST(refused_at_start)
{
	child = failures[_i].how;
	ck_assert_int_eq(policyload_init(), 0);
	ck_assert_msg(!is_admin(2), "%s", failures[_i].name);
}
END_TEST

static int
send_names(int fd)
{
	put_item(fd, BUNDLE_USER, 2, "bob", "");
	put_item(fd, BUNDLE_GROUP, 77, "staff", "");
	put_item(fd, BUNDLE_SOURCE, 0, "new.conf", "admin user bob\n");
	put_item(fd, BUNDLE_SOURCE, 0, "two.conf", "admin group staff\n");
	return 0;
}

START_TEST(names)
{
	static const gid_t gid = 77;
	const struct policy_subject who = {
		.uid = 9, .gids = &gid, .ngids = 1
	};

	reload(send_names);
	ck_assert(is_admin(2) && !is_admin(1));
	ck_assert(policy_is_admin(policy_current(), &who));
}
END_TEST

int
main(void)
{
	int n = sizeof(failures) / sizeof(failures[0]);
	TCase *tc = tcase_create("reload"), *first = tcase_create("first");
	Suite *s = suite_create("policyreload");

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, setup, NULL);
	tcase_add_test(tc, replaced);
	tcase_add_test(tc, asked_again);
	tcase_add_test(tc, not_ours);
	tcase_add_loop_test(tc, refused, 0, n);
	tcase_add_test(tc, names);
	suite_add_tcase(s, tc);

	tcase_set_timeout(first, 60);
	tcase_add_checked_fixture(first, setup_without, NULL);
	tcase_add_loop_test(first, refused_at_start, 0, n);
	suite_add_tcase(s, first);
	return run_suite(s);
}
