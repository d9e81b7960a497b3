/* SPDX-License-Identifier: ISC */
/*
 * The one fd that comes from a client, a process's, and what is done with it:
 * that nothing else is taken for one, and that a limit is raised for one's own
 * process alone, never lowered, and never for a number used anew.
 */

#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>

#include <stdio.h>

#include <linux/capability.h>

#include "broker/monitor/memlock.h"
#include "broker/monitor/pidfd.h"
#include "tests/unit/fixture.h"
#include "tests/unit/test_mon.h"

#define UID 54321
#define UNIT 32768ULL /* below what any machine starts us with */

static int
pidfd_of(pid_t pid)
{
	int fd = (int)syscall(SYS_pidfd_open, pid, 0);

	ck_assert_int_ge(fd, 0);
	return fd;
}

/* Whether this root may raise others' limits; a container's may not. */
static bool
is_capable(void)
{
	struct __user_cap_header_struct h = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct d[2];

	return syscall(SYS_capget, &h, d) == 0 &&
	       (d[0].effective & 1U << CAP_SYS_RESOURCE) != 0;
}

/* A process with the limits given; returned when it has them. */
static pid_t
process(uid_t uid, rlim_t soft, rlim_t hard)
{
	struct rlimit lim = { .rlim_cur = soft, .rlim_max = hard };
	char byte;
	int fds[2];
	pid_t pid;

	ck_assert_int_eq(pipe2(fds, O_CLOEXEC), 0);
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		if (setrlimit(RLIMIT_MEMLOCK, &lim) != 0 ||
		    setresuid(uid, uid, uid) != 0 || write(fds[1], "", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	close(fds[1]);
	read_exactly(fds[0], &byte, 1);
	close(fds[0]);
	return pid;
}

static void
assert_limits(pid_t pid, rlim_t soft, rlim_t hard)
{
	struct rlimit lim;

	ck_assert_int_eq(prlimit(pid, RLIMIT_MEMLOCK, NULL, &lim), 0);
	ck_assert_uint_eq(lim.rlim_cur, soft);
	ck_assert_uint_eq(lim.rlim_max, hard);
}

START_TEST(other_fds)
{
	char name[] = "anon_inode:[pidfd]";
	struct fixture f;
	sigset_t none;
	int fds[16], n = 0, pair[2];

	fixture_init(&f);
	fixture_file(&f, "", "%s", name);
	fixture_file(&f, "", "pidfd:[1]");
	fds[n++] = openat(f.rootfd, name, O_RDONLY);
	fds[n++] = openat(f.rootfd, "pidfd:[1]", O_RDONLY);
	fds[n++] = openat(f.rootfd, name, O_PATH);
	fixture_fini(&f); /* files without a place now */
	ck_assert_int_eq(pipe(pair), 0);
	fds[n++] = pair[0];
	fds[n++] = pair[1];
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_DGRAM, 0, pair), 0);
	fds[n++] = pair[0];
	fds[n++] = pair[1];
	fds[n++] = eventfd(0, 0);
	fds[n++] = timerfd_create(CLOCK_MONOTONIC, 0);
	sigemptyset(&none);
	fds[n++] = signalfd(-1, &none, 0);
	fds[n++] = memfd_create(name, 0);
	fds[n++] = memfd_create("pidfd:[1]", 0);
	fds[n++] = open("/proc/self", O_RDONLY);
	fds[n++] = open("/dev/null", O_RDWR);
	fds[n++] = open("/", O_PATH);
	for (int i = 0; i < n; i++) {
		ck_assert_msg(fds[i] >= 0, "fd %d", i);
		ck_assert_msg(!pidfd_is(fds[i]), "fd %d", i);
		ck_assert_int_eq(pidfd_pid(fds[i]), -EBADF);
	}
	ck_assert(!pidfd_is(-1));
	ck_assert(!pidfd_is(9999));
	ck_assert_int_eq(pidfd_pid(-1), -EBADF);
	ck_assert_int_eq(pidfd_pid(9999), -EBADF);
}
END_TEST

START_TEST(pidfds)
{
	pid_t pid = child_idle();
	int self = pidfd_of(getpid()), fd = pidfd_of(pid), copy = dup(fd);

	ck_assert(pidfd_is(self) && pidfd_is(fd) && pidfd_is(copy));
	ck_assert_int_eq(pidfd_pid(self), getpid());
	ck_assert_int_eq(pidfd_pid(fd), pid);
	ck_assert_int_eq(pidfd_pid(copy), pid);
	child_kill(pid);
	ck_assert(pidfd_is(fd));
	ck_assert_int_eq(pidfd_pid(fd), -ESRCH);
}
END_TEST

/* A pidfd goes; whatever else it was is left open, since its close can block.*/
START_TEST(discard)
{
	int fd = pidfd_of(getpid()), other = open("/dev/null", O_RDONLY);
	int keep = fd, none = -1;

	log_capture();
	pidfd_discard(&fd);
	ck_assert_int_eq(fd, -1);
	ck_assert_int_eq(fcntl(keep, F_GETFD), -1);
	keep = other;
	pidfd_discard(&other);
	ck_assert_int_eq(other, -1);
	ck_assert_int_ne(fcntl(keep, F_GETFD), -1);
	close(keep);
	pidfd_discard(&none);
	ck_assert_int_eq(none, -1);
}
END_TEST

/* What any root may do: between the two limits of a process of its own. */
START_TEST(within)
{
	pid_t pid = process(0, UNIT / 16, UNIT);
	int fd = pidfd_of(pid);
	uint64_t now = 0;

	ck_assert_int_eq(memlock_raise(fd, 0, UNIT / 2, &now), 0);
	ck_assert_uint_eq(now, UNIT / 2);
	assert_limits(pid, UNIT / 2, UNIT);
	ck_assert_int_eq(memlock_raise(fd, 0, UNIT / 4, &now), 0);
	ck_assert_uint_eq(now, UNIT / 2);
	assert_limits(pid, UNIT / 2, UNIT);
	ck_assert_int_eq(memlock_raise(fd, 0, 0, &now), 0);
	assert_limits(pid, UNIT / 2, UNIT);
	ck_assert_int_eq(memlock_raise(fd, 0, UNIT, &now), 0);
	ck_assert_uint_eq(now, UNIT);
	assert_limits(pid, UNIT, UNIT);
	child_kill(pid);
}
END_TEST

/* The kernel's refusal comes back, and nothing is half raised. */
START_TEST(refused)
{
	pid_t pid = process(0, UNIT / 16, UNIT);
	int fd = pidfd_of(pid);
	uint64_t now = 77;

	ck_assert_int_eq(memlock_raise(fd, 0, 2 * UNIT, &now), -EPERM);
	ck_assert_uint_eq(now, 77);
	assert_limits(pid, UNIT / 16, UNIT);
	child_kill(pid);
}
END_TEST

START_TEST(raises)
{
	pid_t pid = process(UID, UNIT / 16, UNIT);
	int fd = pidfd_of(pid);
	uint64_t now = 0;

	ck_assert_int_eq(memlock_raise(fd, UID, UNIT / 2, &now), 0);
	ck_assert_uint_eq(now, UNIT / 2);
	assert_limits(pid, UNIT / 2, UNIT);
	ck_assert_int_eq(memlock_raise(fd, UID, 64 * UNIT, &now), 0);
	ck_assert_uint_eq(now, 64 * UNIT);
	assert_limits(pid, 64 * UNIT, 64 * UNIT);
	child_kill(pid);
}
END_TEST

START_TEST(never_lowers)
{
	pid_t pid = process(UID, 16 * UNIT, RLIM_INFINITY);
	uint64_t now = 0;
	int fd = pidfd_of(pid);

	ck_assert_int_eq(memlock_raise(fd, UID, UNIT, &now), 0);
	ck_assert_uint_eq(now, 16 * UNIT);
	assert_limits(pid, 16 * UNIT, RLIM_INFINITY);
	ck_assert_int_eq(memlock_raise(fd, UID, 0, &now), 0);
	ck_assert_uint_eq(now, 16 * UNIT);
	ck_assert_int_eq(memlock_raise(fd, UID, UINT64_MAX, &now), 0);
	ck_assert_uint_eq(now, UINT64_MAX);
	assert_limits(pid, RLIM_INFINITY, RLIM_INFINITY);
	ck_assert_int_eq(memlock_raise(fd, UID, UNIT, &now), 0);
	assert_limits(pid, RLIM_INFINITY, RLIM_INFINITY);
	child_kill(pid);
}
END_TEST

START_TEST(another_uid)
{
	pid_t pid = process(UID, UNIT / 2, UNIT);
	int fd = pidfd_of(pid), self = pidfd_of(getpid());
	uint64_t now = 77;

	ck_assert_int_eq(memlock_raise(fd, UID + 1, UNIT, &now), -EACCES);
	/* Root's own processes are no ordinary user's. */
	ck_assert_int_eq(memlock_raise(self, UID, 1, &now), -EACCES);
	ck_assert_uint_eq(now, 77);
	child_kill(pid);
}
END_TEST

/* To root all processes are its own. */
START_TEST(root)
{
	pid_t pid = process(UID, UNIT / 2, UNIT);
	int fd = pidfd_of(pid);
	uint64_t now;

	ck_assert_int_eq(memlock_raise(fd, UID + 1, 2 * UNIT, &now), -EACCES);
	assert_limits(pid, UNIT / 2, UNIT);
	ck_assert_int_eq(memlock_raise(fd, 0, 2 * UNIT, &now), 0);
	assert_limits(pid, 2 * UNIT, 2 * UNIT);
	child_kill(pid);
}
END_TEST

START_TEST(gone)
{
	pid_t pid = process(UID, UNIT / 2, UNIT);
	int fd = pidfd_of(pid);
	uint64_t now;

	child_kill(pid);
	ck_assert_int_eq(memlock_raise(fd, UID, 2 * UNIT, &now), -ESRCH);
	ck_assert_int_eq(memlock_raise(fd, 0, 2 * UNIT, &now), -ESRCH);
}
END_TEST

/* Ended and not reaped: nothing of it may be an error that stops a monitor. */
START_TEST(zombie)
{
	pid_t pid = process(UID, UNIT / 2, UNIT);
	int fd = pidfd_of(pid), r;
	uint64_t now;

	ck_assert_int_eq(kill(pid, SIGKILL), 0);
	ck_assert_int_eq(waitid(P_PID, (id_t)pid, NULL, WEXITED | WNOWAIT), 0);
	r = memlock_raise(fd, UID, 2 * UNIT, &now);
	ck_assert_msg(
	    r == 0 || r == -ESRCH || r == -EACCES || r == -EPERM, "%d", r);
	ck_assert_int_eq(child_end(pid), -SIGKILL);
}
END_TEST

START_TEST(no_pidfd)
{
	int fd = open("/dev/null", O_RDONLY);
	uint64_t now;

	ck_assert_int_eq(memlock_raise(fd, 0, UNIT, &now), -EBADF);
	ck_assert_int_eq(memlock_raise(-1, 0, UNIT, &now), -EBADF);
}
END_TEST

int
main(void)
{
	TCase *tc = tcase_create("pidfd"), *limit = tcase_create("limit");
	Suite *s = suite_create("memlock");

	tcase_add_test(tc, other_fds);
	tcase_add_test(tc, pidfds);
	tcase_add_test(tc, discard);
	suite_add_tcase(s, tc);

	tcase_add_test(limit, within);
	tcase_add_test(limit, another_uid);
	tcase_add_test(limit, gone);
	tcase_add_test(limit, zombie);
	tcase_add_test(limit, no_pidfd);
	if (is_capable()) {
		tcase_add_test(limit, raises);
		tcase_add_test(limit, never_lowers);
		tcase_add_test(limit, root);
	} else {
		printf("no CAP_SYS_RESOURCE: others' limits are not tried\n");
		tcase_add_test(limit, refused);
	}
	suite_add_tcase(s, limit);
	return run_suite(s);
}
