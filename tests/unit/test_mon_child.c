/* SPDX-License-Identifier: ISC */
/*
 * What a forked child of the monitor keeps: the fds that it is told to, its
 * standard ones, and none of the monitor's ways with signals.
 */

#include "broker/monitor/child.h"
#include "tests/unit/test_mon.h"

#define FDS 200

/* An fd of each number up to FDS. */
static void
open_many(void)
{
	int fd = open("/dev/null", O_RDONLY);

	ck_assert_int_ge(fd, 0);
	for (int i = 3; i < FDS; i++)
		ck_assert_int_eq(dup2(fd, i), i);
}

static bool
is_kept(int fd, const int *keep, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (keep[i] == fd)
			return true;
	}
	return fd <= STDERR_FILENO;
}

/* In a child: 0 when just the right ones are open. */
static int
look(const int *keep, size_t n)
{
	bool std[3];

	for (int fd = 0; fd < 3; fd++)
		std[fd] = fcntl(fd, F_GETFD) != -1;
	child_prepare(keep, n);
	for (int fd = 0; fd < FDS + 10; fd++) {
		bool want = fd < 3 ? std[fd] : is_kept(fd, keep, n);

		if ((fcntl(fd, F_GETFD) != -1) != want)
			return 1 + fd % 100;
	}
	return 0;
}

static void
assert_keeps(const int *keep, size_t n)
{
	pid_t pid = fork();

	ck_assert_int_ge(pid, 0);
	if (pid == 0)
		_exit(look(keep, n));
	ck_assert_int_eq(child_end(pid), 0);
}

START_TEST(fds)
{
	static const int low[] = { 3 }, high[] = { FDS - 1 };
	static const int row[] = { 3, 4, 5 }, unordered[] = { 150, 7, 80, 8 };
	static const int same[] = { 9, 9, 9 }, standard[] = { 0, 1, 2 };

	open_many();
	assert_keeps(NULL, 0);
	assert_keeps(low, 1);
	assert_keeps(high, 1);
	assert_keeps(row, 3);
	assert_keeps(unordered, 4);
	assert_keeps(same, 3);
	assert_keeps(standard, 3);
}
END_TEST

START_TEST(any_fds)
{
	uint32_t seed = 11;
	int keep[16];

	open_many();
	for (int round = 0; round < 200; round++) {
		size_t n = random_next(&seed) % 17;

		for (size_t i = 0; i < n; i++)
			keep[i] = (int)(random_next(&seed) % FDS);
		assert_keeps(keep, n);
	}
}
END_TEST

/* One that the monitor has not opened yet is -1. */
START_TEST(not_open)
{
	static const int keep[] = { -1, 5, -1 };

	open_many();
	assert_keeps(keep, 3);
}
END_TEST

static void
on_signal(int sig)
{
	(void)sig;
	_exit(1);
}

/* A handler of the loop would write into the monitor's pipe. */
START_TEST(signals)
{
	static const int all[] = { SIGCHLD, SIGHUP, SIGTERM, SIGINT };
	pid_t pid;

	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
			signal(all[i], on_signal);
		child_prepare(NULL, 0);
		raise(SIGCHLD);
		raise(SIGTERM);
		_exit(0);
	}
	ck_assert_int_eq(child_end(pid), -SIGTERM);
}
END_TEST

int
main(void)
{
	TCase *tc = tcase_create("child");
	Suite *s = suite_create("child");

	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, fds);
	tcase_add_test(tc, any_fds);
	tcase_add_test(tc, not_open);
	tcase_add_test(tc, signals);
	suite_add_tcase(s, tc);
	return run_suite(s);
}
