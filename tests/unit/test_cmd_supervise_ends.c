/* SPDX-License-Identifier: ISC */
/*
 * How a supervisor begins and ends: with its program, whatever becomes of that,
 * and without changing what the program's parent sees; and what it costs.
 */

#include <stdlib.h>
#include <sys/prctl.h>

#include "tests/unit/supervised.h"

/* ---- beginning -------------------------------------------------------- */

/* perl and some init scripts start programs like that. */
START_TEST(ignored_children)
{
	struct run r;

	ck_assert_ptr_ne(signal(SIGCHLD, SIG_IGN), SIG_ERR);
	start(&r, plain_opens);
	ck_assert_ptr_ne(signal(SIGCHLD, SIG_DFL), SIG_ERR);
	ck_assert_msg(finish(&r) == 0, "%s", r.errors);
}
END_TEST

static int
nested(void)
{
	EXPECT(go_under() == EX_UNAVAILABLE);
	EXPECT(is_memfd(open("/dev/vfio/7", O_RDWR), "seven"));
	return 0;
}

START_TEST(nested_is_told)
{
	struct run r;
	int status;

	start(&r, nested);
	status = finish(&r);
	ck_assert_msg(status == 0, "%s", r.errors);
	ck_assert_ptr_nonnull(strstr(r.errors, "another seccomp listener"));
}
END_TEST

/* ---- life and death --------------------------------------------------- */

static int
exits_42(void)
{
	return 42;
}

static int
sleeps(void)
{
	pause();
	return 0;
}

START_TEST(exit_status_is_kept)
{
	struct run r;
	int status;

	start(&r, exits_42);
	status = finish(&r);
	ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 42);
}
END_TEST

static const int deadly[] = { SIGTERM, SIGKILL, SIGINT, SIGHUP };

START_TEST(signal_is_kept)
{
	struct run r;
	int status;

	start(&r, sleeps);
	usleep(50000);
	kill(r.pid, deadly[_i]);
	/* And the supervisor ends too: finish() waits for that. */
	status = finish(&r);
	ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == deadly[_i]);
}
END_TEST

static volatile sig_atomic_t interrupted;

static void
on_interrupt(int sig)
{
	(void)sig;
	interrupted = 1;
}

static int
survives_interrupt(void)
{
	signal(SIGINT, on_interrupt);
	signal(SIGQUIT, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	signal(SIGTERM, SIG_IGN);
	for (int i = 0; i < 100 && !interrupted; i++)
		usleep(20000);
	EXPECT(interrupted);
	EXPECT(is_memfd(open("/dev/vfio/7", O_RDWR), "seven"));
	return 0;
}

START_TEST(terminal_does_not_kill_the_supervisor)
{
	struct run r;
	int status;

	start(&r, survives_interrupt);
	usleep(100000);
	kill(-r.pid, SIGHUP);
	kill(-r.pid, SIGTERM);
	kill(-r.pid, SIGQUIT);
	kill(-r.pid, SIGINT);
	status = finish(&r);
	ck_assert_msg(status == 0, "%s", r.errors);
}
END_TEST

static int
goes_to_background(void)
{
	/* As -daemonize does: the parent ends, the child is the VMM. */
	if (fork() != 0)
		return 0;
	setsid();
	close(STDERR_FILENO);
	sleep(1);
	_exit(0);
}

/* Whoever reads stderr to its end must not wait for the VMM's end. */
START_TEST(background_releases_stderr)
{
	double begin = now();
	struct run r;

	start(&r, goes_to_background);
	ck_assert_int_eq(finish(&r), 0);
	ck_assert(now() - begin < 0.7);
}
END_TEST

static int
cannot_be_read(void)
{
	EXPECT(prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0);
	/* The opens go on by themselves. */
	EXPECT(open("/dev/null", O_RDWR) != -1);
	EXPECT(open("/dev/vfio/7", O_RDWR) == -1);
	EXPECT(open("/dev/vfio/7", O_RDWR) == -1);
	return 0;
}

/* What Yama does to forked children, any kernel does to this program. */
START_TEST(unreadable_program_is_told_once)
{
	struct run r;
	const char *told;
	int status;

	if (geteuid() != 0)
		return;
	ck_assert_int_eq(setgid(65534), 0);
	ck_assert_int_eq(setuid(65534), 0);
	start(&r, cannot_be_read);
	status = finish(&r);
	ck_assert_msg(status == 0, "%s", r.errors);
	told = strstr(r.errors, "cannot read the memory");
	ck_assert_ptr_nonnull(told);
	ck_assert_ptr_null(strstr(told + 1, "cannot read the memory"));
	ck_assert_ptr_nonnull(strstr(told, "ptrace_scope"));
}
END_TEST

/* ---- what it costs ---------------------------------------------------- */

static double
open_cost(int flags)
{
	const int rounds = 20000;
	double begin = now();

	for (int i = 0; i < rounds; i++)
		close(open("/dev/null", flags));
	return (now() - begin) / rounds * 1e6;
}

START_TEST(cost)
{
	double free_cost = open_cost(O_RDWR);
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		if (go_under() != EX_OK)
			_exit(1);
		printf("open and close of /dev/null: %.2f us alone, %.2f us "
		       "reading, %.2f us read-write under supervision\n",
		    free_cost, open_cost(O_RDONLY), open_cost(O_RDWR));
		fflush(stdout);
		_exit(0);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("cmd_supervise_ends");
	TCase *t = tcase_create("ends");
	SRunner *r = srunner_create(s);
	int failed;

	tcase_set_timeout(t, 60);
	tcase_add_test(t, ignored_children);
	tcase_add_test(t, nested_is_told);
	tcase_add_test(t, exit_status_is_kept);
	tcase_add_loop_test(t, signal_is_kept, 0, COUNT(deadly));
	tcase_add_test(t, terminal_does_not_kill_the_supervisor);
	tcase_add_test(t, background_releases_stderr);
	tcase_add_test(t, unreadable_program_is_told_once);
	tcase_add_test(t, cost);
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_ENV);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
