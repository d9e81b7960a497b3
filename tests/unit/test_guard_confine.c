/* SPDX-License-Identifier: ISC */
/*
 * The guard's box: never root, no capability that it does not need, and nothing
 * but reading.
 */

#include <linux/capability.h>
#include <net/if.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include <grp.h>
#include <string.h>

#include "broker/guard/confine.h"
#include "broker/guard/filter.h"
#include "broker/guard/guard.h"
#include "tests/unit/test_mon.h"

#define NOBODY 65534

/* A sanitizer has no room in the box. */
#ifdef __SANITIZE_ADDRESS__
#define SANITIZED true
#else
#define SANITIZED false
#endif

static struct __user_cap_data_struct caps[_LINUX_CAPABILITY_U32S_3];

static void
caps_get(void)
{
	struct __user_cap_header_struct head = {
		.version = _LINUX_CAPABILITY_VERSION_3
	};

	ck_assert_int_eq(syscall(SYS_capget, &head, caps), 0);
}

/* As the monitor's child would, but for ambient ones. */
static void
leave_root(void)
{
	ck_assert_int_eq(prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0), 0);
	ck_assert_int_eq(setgroups(0, NULL), 0);
	ck_assert_int_eq(setresgid(NOBODY, NOBODY, NOBODY), 0);
	ck_assert_int_eq(setresuid(NOBODY, NOBODY, NOBODY), 0);
}

START_TEST(not_root)
{
	ck_assert_int_eq(confine(), -EPERM);
	ck_assert_int_eq(setresuid(-1, NOBODY, -1), 0);
	ck_assert_int_eq(confine(), -EPERM);
	ck_assert_int_eq(setresuid(-1, 0, -1), 0);
	ck_assert_int_eq(setresuid(NOBODY, NOBODY, NOBODY), 0);
	ck_assert_int_eq(confine(), -EPERM); /* by its group */
}
END_TEST

START_TEST(capabilities)
{
	leave_root();
	ck_assert_int_eq(confine(), 0);
	caps_get();
	ck_assert_uint_eq(caps[0].effective | caps[0].inheritable, 0);
	ck_assert_uint_ne(caps[0].permitted, 0);
	ck_assert_int_eq(confine_capabilities(_i == 1), 0);
	caps_get();
	ck_assert_uint_eq(caps[0].effective, caps[0].permitted);
	ck_assert_uint_eq(caps[0].inheritable, 0);
	ck_assert_int_eq(caps[0].permitted != 0, _i == 1);
	ck_assert_int_eq(prctl(PR_GET_DUMPABLE), 0);
	ck_assert_int_eq(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), 1);
	if (_i == 0) /* who has all of them is not bounded */
		ck_assert_int_eq(fork(), -1);
}
END_TEST

static bool
fails(long r, int error)
{
	return r == -1 && errno == error;
}

/* What the filter leaves; the child can tell by its status alone. */
static int
try(void)
{
	pid_t parent = getppid();
	char buf[16];
	int fd = open("/proc/self/stat", O_RDONLY | O_CLOEXEC);

	if (fd == -1 || read(fd, buf, sizeof(buf)) <= 0)
		return 1;
	if (filter_install() != 0)
		return 2;
	if (lseek(fd, 0, SEEK_SET) != 0 || read(fd, buf, sizeof(buf)) <= 0)
		return 3;
	if (!fails(open("/dev/null", O_WRONLY), EPERM) ||
	    !fails(open("/proc/self/mem", O_RDWR), EPERM) ||
	    !fails(open("/tmp/x", O_RDONLY | O_CREAT, 0600), EPERM))
		return 4;
	if (!fails(ptrace(PTRACE_SEIZE, parent, NULL, NULL), ENOSYS) ||
	    !fails(kill(parent, 0), ENOSYS) || !fails(fork(), ENOSYS) ||
	    !fails(execl("/bin/true", "true", NULL), ENOSYS))
		return 5;
	if (!fails(socket(AF_UNIX, SOCK_STREAM, 0), EPERM) ||
	    !fails(socket(AF_INET, SOCK_DGRAM, 0), EPERM))
		return 6;
	return 0;
}

START_TEST(reads_only)
{
	pid_t pid = fork();

	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		(void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
		_exit(try());
	}
	ck_assert_int_eq(child_end(pid), 0);
}
END_TEST

static void
count(void *arg, enum reason reason, const char *what)
{
	(void)reason;
	(void)what;
	++*(unsigned *)arg;
}

/* All that guard_collect() does for the functions of this machine, and for
 * none, it does in its box as well. */
START_TEST(enough_to_look)
{
	pid_t pid = fork();

	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		struct bdf none = { .domain = 0xfffe };
		unsigned n = 0;

		(void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
		if (filter_install() != 0)
			_exit(1);
		for (unsigned dev = 0; dev < 32; dev++) {
			struct bdf bdf = { .dev = dev & 31 };
			int r = guard_collect("", &bdf, count, &n);

			if (r != 0 && r != -ENOENT)
				_exit(-r);
		}
		_exit(guard_collect("", &none, count, &n) != -ENOENT);
	}
	ck_assert_int_eq(child_end(pid), 0);
}
END_TEST

int
main(void)
{
	TCase *tc = tcase_create("box");
	Suite *s = suite_create("guard: its box");

	if (geteuid() == 0) {
		tcase_add_test(tc, not_root);
		if (!SANITIZED)
			tcase_add_loop_test(tc, capabilities, 0, 2);
	}
	if (!SANITIZED) {
		tcase_add_test(tc, reads_only);
		tcase_add_test(tc, enough_to_look);
	}
	suite_add_tcase(s, tc);
	return run_suite(s);
}
