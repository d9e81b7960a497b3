/* SPDX-License-Identifier: ISC */
/*
 * The broker's directory: who may enter, that there is one broker only, and
 * that a worker which outlives its broker is seen by the next.
 */

#include <sys/prctl.h>
#include <sys/stat.h>

#include <stdio.h>

#include "broker/monitor/rundir.h"
#include "tests/unit/fixture.h"
#include "tests/unit/test_mon.h"

static struct fixture tree;
static char path[128];
static const struct bdf device = { .bus = 1, .dev = 0x10 };
static const struct bdf neighbour = { .bus = 1, .dev = 0x10, .fn = 1 };
static const struct bdf far_away = { 0xffffffff, 0xff, 0x1f, 7, 0 };

static void
setup(void)
{
	fixture_init(&tree);
	snprintf(path, sizeof(path), "%s/run", tree.root);
}

static void
teardown(void)
{
	fixture_fini(&tree);
}

static unsigned
mode_of(const char *name)
{
	struct stat st;

	ck_assert_int_eq(
	    fstatat(tree.rootfd, name, &st, AT_SYMLINK_NOFOLLOW), 0);
	ck_assert_uint_eq(st.st_uid, 0);
	ck_assert_uint_eq(st.st_gid, 0);
	return st.st_mode;
}

START_TEST(modes)
{
	umask((mode_t)_i);
	ck_assert_int_eq(rundir_open(path), 0);
	ck_assert_int_eq(rundir_replace(RUNDIR_DEVICES, "file", "text", 4), 0);
	ck_assert_uint_eq(mode_of("run/devices"), S_IFDIR | 0700);
	ck_assert_uint_eq(mode_of("run/leases"), S_IFDIR | 0700);
	ck_assert_uint_eq(mode_of("run/empty"), S_IFDIR | 0755);
	ck_assert_uint_eq(mode_of("run/lock"), S_IFREG | 0600);
	ck_assert_uint_eq(mode_of("run/devices/file"), S_IFREG | 0600);
	for (enum rundir d = 0; d < RUNDIR_COUNT; d++)
		ck_assert_int_eq(fcntl(rundir_dirfd(d), F_GETFD), FD_CLOEXEC);
}
END_TEST

/* Directories that are there already get the modes and the owner they need. */
START_TEST(modes_mended)
{
	fixture_dir(&tree, "run/devices");
	fixture_dir(&tree, "run/leases");
	ck_assert_int_eq(fchmodat(tree.rootfd, "run/devices", 0777, 0), 0);
	ck_assert_int_eq(fchownat(tree.rootfd, "run/leases", 4321, 4321, 0), 0);
	ck_assert_int_eq(rundir_open(path), 0);
	ck_assert_uint_eq(mode_of("run/devices"), S_IFDIR | 0700);
	ck_assert_uint_eq(mode_of("run/leases"), S_IFDIR | 0700);
}
END_TEST

START_TEST(not_opened)
{
	char longer[5000];

	memset(longer, 'x', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	ck_assert_int_eq(rundir_open(longer), -ENAMETOOLONG);
	ck_assert_int_eq(rundir_open("/nonexistent/run"), -ENOENT);
	fixture_file(&tree, "", "run");
	ck_assert_int_eq(rundir_open(path), -ENOTDIR);
	fixture_remove(&tree, "run");
	fixture_file(&tree, "", "run/leases");
	ck_assert_int_eq(rundir_open(path), -ENOTDIR);
	fixture_link(&tree, "../elsewhere", "run/leases");
	fixture_dir(&tree, "elsewhere");
	ck_assert_int_eq(rundir_open(path), -ENOTDIR);
	fixture_remove(&tree, "run/leases");
	fixture_dir(&tree, "run/lock");
	ck_assert_int_eq(rundir_open(path), -EISDIR);
}
END_TEST

START_TEST(paths)
{
	char want[160];

	ck_assert_int_eq(rundir_open(path), 0);
	snprintf(want, sizeof(want), "%s/leases", path);
	ck_assert_str_eq(rundir_path(RUNDIR_LEASES), want);
	snprintf(want, sizeof(want), "%s/empty", path);
	ck_assert_str_eq(rundir_path(RUNDIR_EMPTY), want);
}
END_TEST

/* Opens the directory in a process of its own, whose answer is its end. */
static int
open_elsewhere(void)
{
	pid_t pid = fork();

	ck_assert_int_ge(pid, 0);
	if (pid == 0)
		_exit(-rundir_open(path));
	return -child_end(pid);
}

/* A process that has it open; returned when it has. */
static pid_t
open_and_stay(void)
{
	int fds[2], r = -1;
	pid_t pid;

	ck_assert_int_eq(pipe2(fds, O_CLOEXEC), 0);
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		r = rundir_open(path);
		if (write(fds[1], &r, sizeof(r)) != sizeof(r))
			_exit(1);
		for (;;)
			pause();
	}
	close(fds[1]);
	read_exactly(fds[0], &r, sizeof(r));
	ck_assert_int_eq(r, 0);
	close(fds[0]);
	return pid;
}

START_TEST(one_broker)
{
	pid_t first = open_and_stay();

	ck_assert_int_eq(open_elsewhere(), -EBUSY);
	ck_assert_int_eq(rundir_open(path), -EBUSY);
	child_kill(first);
	ck_assert_int_eq(open_elsewhere(), 0); /* and ends, too */
	ck_assert_int_eq(rundir_open(path), 0);
	ck_assert_int_eq(open_elsewhere(), -EBUSY);
}
END_TEST

/* Marks a device, as a worker does; returned when that is done or not. */
static pid_t
worker_on(const struct bdf *bdf, int *result)
{
	int fds[2];
	pid_t pid;

	ck_assert_int_eq(pipe2(fds, O_CLOEXEC), 0);
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		int r = rundir_mark_worker(bdf);

		if (write(fds[1], &r, sizeof(r)) != sizeof(r))
			_exit(1);
		for (;;)
			pause();
	}
	close(fds[1]);
	read_exactly(fds[0], result, sizeof(*result));
	close(fds[0]);
	return pid;
}

START_TEST(worker_marks)
{
	pid_t one, two, rival;
	int r;

	ck_assert_int_eq(rundir_open(path), 0);
	ck_assert_int_eq(rundir_worker_of(&device), 0);
	one = worker_on(&device, &r);
	ck_assert_int_eq(r, 0);
	ck_assert_int_eq(rundir_worker_of(&device), one);
	ck_assert_int_eq(rundir_worker_of(&neighbour), 0);
	two = worker_on(&far_away, &r);
	ck_assert_int_eq(r, 0);
	ck_assert_int_eq(rundir_worker_of(&far_away), two);

	rival = worker_on(&device, &r);
	ck_assert_int_lt(r, 0);
	ck_assert_int_eq(rundir_worker_of(&device), one);
	child_kill(rival);

	child_kill(one);
	ck_assert_int_eq(rundir_worker_of(&device), 0);
	ck_assert_int_eq(rundir_worker_of(&far_away), two);
	child_kill(two);
	ck_assert_int_eq(rundir_worker_of(&far_away), 0);
}
END_TEST

/* A broker that was killed, but not its child, with a mark or without. */
static pid_t
child_of_dead_broker(bool marked)
{
	pid_t broker, child;
	int fds[2], r = 0;

	/* The child becomes ours, to be waited for. */
	ck_assert_int_eq(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
	ck_assert_int_eq(pipe2(fds, O_CLOEXEC), 0);
	broker = fork();
	ck_assert_int_ge(broker, 0);
	if (broker == 0) {
		if (rundir_open(path) != 0)
			_exit(1);
		child = marked ? worker_on(&device, &r) : child_idle();
		if (r != 0 ||
		    write(fds[1], &child, sizeof(child)) != sizeof(child))
			_exit(1);
		for (;;)
			pause();
	}
	close(fds[1]);
	read_exactly(fds[0], &child, sizeof(child));
	close(fds[0]);
	child_kill(broker);
	return child;
}

/* It has the lock's file open, but the lock is not inherited. */
START_TEST(child_is_no_broker)
{
	pid_t child = child_of_dead_broker(false);

	ck_assert_int_eq(rundir_open(path), 0);
	child_kill(child);
}
END_TEST

/* The broker dies, its worker is stuck in the kernel: the next one sees it. */
START_TEST(worker_of_a_dead_broker)
{
	pid_t worker = child_of_dead_broker(true);

	ck_assert_int_eq(rundir_open(path), 0);
	ck_assert_int_eq(rundir_worker_of(&device), worker);
	child_kill(worker);
	ck_assert_int_eq(rundir_worker_of(&device), 0);
}
END_TEST

/* No two functions share a byte, and none has the broker's own. */
START_TEST(marks_are_apart)
{
	static const struct bdf all[] = { { 0 }, { 0, 0, 0, 1, 0 },
		{ 0, 0, 0, 4, 0 }, { 0, 0, 1, 0, 0 }, { 0, 0, 0x10, 0, 0 },
		{ 0, 0, 0x1f, 7, 0 }, { 0, 1, 0, 0, 0 }, { 0, 0x80, 0, 0, 0 },
		{ 1, 0, 0, 0, 0 }, { 0x10000, 0, 0, 0, 0 },
		{ 0xffff, 0xff, 0x1f, 7, 0 } };
	size_t n = sizeof(all) / sizeof(all[0]);

	ck_assert_int_eq(rundir_open(path), 0);
	for (size_t i = 0; i < n; i++) {
		int r;
		pid_t worker = worker_on(&all[i], &r);

		ck_assert_int_eq(r, 0);
		for (size_t j = 0; j < n; j++)
			ck_assert_int_eq(
			    rundir_worker_of(&all[j]), i == j ? worker : 0);
		child_kill(worker);
	}
	ck_assert_int_eq(open_elsewhere(), -EBUSY);
}
END_TEST

START_TEST(read_bounds)
{
	char buf[16];

	ck_assert_int_eq(rundir_open(path), 0);
	ck_assert_int_eq(
	    rundir_replace(RUNDIR_LEASES, "f", "0123456789abcdef", 16), 0);
	ck_assert_int_eq(rundir_read(RUNDIR_LEASES, "f", buf, 16), -EFBIG);
	ck_assert_int_eq(
	    rundir_replace(RUNDIR_LEASES, "f", "0123456789abcde", 15), 0);
	ck_assert_int_eq(rundir_read(RUNDIR_LEASES, "f", buf, 16), 15);
	ck_assert_int_eq(memcmp(buf, "0123456789abcde", 15), 0);
	ck_assert_int_eq(rundir_read(RUNDIR_DEVICES, "f", buf, 16), -ENOENT);
	ck_assert_int_eq(rundir_remove(RUNDIR_LEASES, "f"), 0);
	ck_assert_int_eq(rundir_remove(RUNDIR_LEASES, "f"), -ENOENT);
}
END_TEST

int
main(void)
{
	TCase *tc = tcase_create("rundir");
	Suite *s = suite_create("rundir");

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc, modes, 0, 1);
	tcase_add_loop_test(tc, modes, 022, 023);
	tcase_add_loop_test(tc, modes, 077, 0100);
	tcase_add_test(tc, modes_mended);
	tcase_add_test(tc, not_opened);
	tcase_add_test(tc, paths);
	tcase_add_test(tc, one_broker);
	tcase_add_test(tc, child_is_no_broker);
	tcase_add_test(tc, worker_marks);
	tcase_add_test(tc, worker_of_a_dead_broker);
	tcase_add_test(tc, marks_are_apart);
	tcase_add_test(tc, read_bounds);
	suite_add_tcase(s, tc);
	return run_suite(s);
}
