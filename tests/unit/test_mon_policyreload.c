/* SPDX-License-Identifier: ISC */
/*
 * Reloading the policy while the monitor runs: the new one comes whole or not
 * at all, and in time or not at all.  The loader is one of the test's own here,
 * so that it can send what no honest one would, die in the middle, or hang.
 */

#include <stdio.h>

#include "broker/monitor/config.h"
#include "broker/monitor/policyexec.h"
#include "broker/monitor/policyload.h"
#include "policy/compiled.h"
#include "policy/parse/load.h"
#include "tests/unit/test_mon.h"

#define OLD "admin uid 1\n"
#define NEW "admin uid 2\n"

/* What the child does, instead of executing the loader. */
static int (*child)(int fd);
static int logfd;

void
policyexec(int out)
{
	int r = child(out);

	_exit(r == 0 ? 0 : 1);
}

static void
put(int fd, const void *buf, size_t len)
{
	if (write(fd, buf, len) != (ssize_t)len)
		_exit(1);
}

static char *
compiled(const char *text, size_t *len)
{
	const struct policy_source source = { "x.conf", text, strlen(text) };
	char *bytes = NULL;
	FILE *f = open_memstream(&bytes, len);

	if (policy_compile(f, &source, 1, NULL, NULL, NULL) != 0)
		_exit(1);
	fclose(f);
	return bytes;
}

/* All but the last bytes of it. */
static void
put_cut(int fd, const char *text, size_t cut)
{
	size_t len;
	char *bytes = compiled(text, &len);

	put(fd, bytes, len - cut);
	free(bytes);
}

static int
send_old(int fd)
{
	put_cut(fd, OLD, 0);
	return 0;
}

static int
send_new(int fd)
{
	put_cut(fd, NEW, 0);
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

/* ---- what is no policy --------------------------------------------------- */

static int
send_errors(int fd)
{
	static const char *const lines[] = { "x.conf:1:1: is not liked",
		"x.conf:2:1: nor is this" };

	return policy_compile_errors(fdopen(fd, "w"), lines, 2);
}

static int
send_nothing(int fd)
{
	(void)fd;
	return 0;
}

static int
send_text(int fd)
{
	put(fd, NEW, sizeof(NEW) - 1);
	return 0;
}

static int
send_without_end(int fd)
{
	put_cut(fd, NEW, COMPILED_WORD);
	return 0;
}

static int
send_half(int fd)
{
	put_cut(fd, NEW, 40);
	return 0;
}

static int
send_twice(int fd)
{
	send_new(fd);
	return send_new(fd);
}

/* Any of its bytes but one: see test_policy_compiled.c for each of them. */
static int
send_bad_verb(int fd)
{
	size_t len;
	char *bytes = compiled(NEW, &len);

	bytes[sizeof(struct compiled_head)] = (char)VERB_COUNT;
	put(fd, bytes, len);
	return 0;
}

static int
send_too_much(int fd)
{
	static char zeroes[1 << 16];

	for (size_t at = 0; at <= POLICY_COMPILED_BYTES; at += sizeof(zeroes))
		put(fd, zeroes, sizeof(zeroes));
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
	send_half(fd);
	raise(SIGKILL);
	return 0;
}

static int
hang(int fd)
{
	while (pause() == -1)
		continue;
	return fd;
}

static int
hang_with_half(int fd)
{
	send_half(fd);
	return hang(fd);
}

/* All is there, but not said to be all. */
static int
hang_at_the_end(int fd)
{
	send_new(fd);
	return hang(fd);
}

static int
trickle(int fd)
{
	while (write(fd, "", 1) == 1)
		poll(NULL, 0, 100);
	return 0;
}

static const struct {
	const char *name;
	int (*how)(int);
	const char *said;
} failures[] = {
	{ "errors", send_errors, "x.conf:1:1: is not liked\n" },
	{ "more errors", send_errors, "x.conf:2:1: nor is this\n" },
	{ "nothing", send_nothing, "has not answered, or nonsense" },
	{ "text", send_text, "has not answered, or nonsense" },
	{ "no end", send_without_end, "has not answered, or nonsense" },
	{ "half", send_half, "has not answered, or nonsense" },
	{ "twice", send_twice, "has not answered, or nonsense" },
	{ "bad verb", send_bad_verb, "has not answered, or nonsense" },
	{ "too much", send_too_much, "File too large" },
	{ "dies at once", die_at_once, "has not answered, or nonsense" },
	{ "dies of a signal", die_of_signal, "has not answered, or nonsense" },
	{ "hangs", hang, "took too long and was killed" },
	{ "hangs half way", hang_with_half, "took too long and was killed" },
	{ "hangs at the end", hang_at_the_end, "took too long and was killed" },
	{ "trickles", trickle, "took too long and was killed" },
};

START_TEST(refused)
{
	const struct policy *old = policy_current();

	config.policy_timeout = 1;
	reload(failures[_i].how);
	ck_assert_msg(policy_current() == old, "%s", failures[_i].name);
	assert_stays();
	ck_assert_uint_eq(log_count(logfd, failures[_i].said), 1);
	reload(send_new); /* and the next one comes through */
	ck_assert(is_admin(2));
}
END_TEST

/* At the start there is none to stay: nothing is allowed then. */
START_TEST(refused_at_start)
{
	config.policy_timeout = 1;
	child = failures[_i].how;
	ck_assert_int_eq(policyload_init(), 0);
	ck_assert_msg(!is_admin(2), "%s", failures[_i].name);
	ck_assert(!policyload_done());
	ck_assert_uint_eq(log_count(logfd, failures[_i].said), 1);
	ck_assert_uint_eq(log_count(logfd, "nothing is allowed"), 1);
	ck_assert_int_gt(waitpid(-1, NULL, 0), 0);
}
END_TEST

/* Asked for meanwhile: the next one starts when the first is given up. */
START_TEST(hangs_then_again)
{
	config.policy_timeout = 1;
	child = hang;
	policyload_start();
	child = send_new;
	policyload_start();
	drive();
	ck_assert(is_admin(2));
	ck_assert_int_gt(waitpid(-1, NULL, 0), 0);
	ck_assert_int_gt(waitpid(-1, NULL, 0), 0);
}
END_TEST

/* Before anything was loaded there is a policy, too. */
START_TEST(before)
{
	ck_assert_ptr_nonnull(policy_current());
	ck_assert(!is_admin(1));
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
	tcase_add_test(tc, hangs_then_again);
	suite_add_tcase(s, tc);

	tcase_set_timeout(first, 60);
	tcase_add_checked_fixture(first, setup_without, NULL);
	tcase_add_test(first, before);
	tcase_add_loop_test(first, refused_at_start, 0, n);
	suite_add_tcase(s, first);
	return run_suite(s);
}
