/* SPDX-License-Identifier: ISC */
/*
 * Who holds a group, by its node in /dev: with a /dev of the test's own, which
 * takes a mount namespace.  Where there is none to be had, only that nobody is
 * found, and what a process is called.
 */

#include "broker/monitor/holders.h"
#include "tests/unit/test_mon.h"

#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>

#include <sched.h>
#include <stdio.h>

#define GROUP 987654 /* that no machine has */
#define OTHER 987653

static char buf[512];

static void
make_node(int group)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/dev/vfio/%d", group);
	fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	ck_assert_int_ge(fd, 0);
	close(fd);
}

static bool
put(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	ssize_t n = fd == -1 ? -1 : write(fd, text, strlen(text));

	if (fd != -1)
		close(fd);
	return n == (ssize_t)strlen(text);
}

/* An ordinary user is mapped to himself: nobody else can make files. */
static bool
own_namespace(void)
{
	char uids[32], gids[32];

	snprintf(uids, sizeof(uids), "%u %u 1", getuid(), getuid());
	snprintf(gids, sizeof(gids), "%u %u 1", getgid(), getgid());
	if (unshare(CLONE_NEWNS) == 0)
		return true;
	return unshare(CLONE_NEWUSER | CLONE_NEWNS) == 0 &&
	       put("/proc/self/setgroups", "deny") &&
	       put("/proc/self/uid_map", uids) &&
	       put("/proc/self/gid_map", gids);
}

static bool
own_dev(void)
{
	if (!own_namespace())
		return false;
	if (mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == -1 ||
	    mount("none", "/dev", "tmpfs", 0, NULL) == -1)
		return false;
	ck_assert_int_eq(mkdir("/dev/vfio", 0755), 0);
	make_node(GROUP);
	make_node(OTHER);
	return true;
}

static int
hold(int group)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/dev/vfio/%d", group);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	ck_assert_int_ge(fd, 0);
	return fd;
}

static const char *
holder(pid_t pid, const char *comm)
{
	static char text[128];

	snprintf(text, sizeof(text), "pid %d (%s), uid %u", (int)pid, comm,
	    (unsigned)getuid());
	return text;
}

/* Where nobody has the node, whoever has a VFIO device is named instead. */
static void
assert_not_named(pid_t pid)
{
	char text[32];

	holders_of_group(GROUP, buf, sizeof(buf));
	snprintf(text, sizeof(text), "pid %d ", (int)pid);
	ck_assert_msg(strstr(buf, text) == NULL, "%s", buf);
}

START_TEST(nobody)
{
	strcpy(buf, holder(getpid(), "old"));
	assert_not_named(getpid());
	if (!own_dev())
		return;
	close(hold(GROUP));
	(void)hold(OTHER);
	assert_not_named(getpid());
}
END_TEST

START_TEST(one)
{
	if (!own_dev())
		return;
	ck_assert_int_eq(prctl(PR_SET_NAME, "a holder"), 0);
	(void)hold(GROUP);
	(void)hold(GROUP); /* is still one holder */
	holders_of_group(GROUP, buf, sizeof(buf));
	ck_assert_str_eq(buf, holder(getpid(), "a holder"));
}
END_TEST

START_TEST(all_of_them)
{
	pid_t child;
	int fd;

	if (!own_dev())
		return;
	ck_assert_int_eq(prctl(PR_SET_NAME, "parent"), 0);
	fd = hold(GROUP);
	child = child_idle();
	holders_of_group(GROUP, buf, sizeof(buf));
	ck_assert_ptr_nonnull(strstr(buf, holder(getpid(), "parent")));
	ck_assert_ptr_nonnull(strstr(buf, holder(child, "parent")));
	ck_assert_ptr_nonnull(strstr(buf, "; pid "));
	close(fd);
	holders_of_group(GROUP, buf, sizeof(buf));
	ck_assert_str_eq(buf, holder(child, "parent"));
	child_kill(child);
	assert_not_named(child);
}
END_TEST

/* As much as there is room for, and no byte more. */
START_TEST(no_room)
{
	char *small;

	if (!own_dev())
		return;
	(void)hold(GROUP);
	for (size_t len = 1; len < 20; len++) {
		small = exact_copy(buf, len);
		holders_of_group(GROUP, small, len);
		ck_assert_uint_eq(strlen(small), len - 1);
		ck_assert(strncmp(small, holder(getpid(), ""), len - 1) == 0 ||
			  len > 10);
		free(small);
	}
}
END_TEST

/* A process chooses its name: nothing in it may write to a terminal. */
START_TEST(names)
{
	pid_t child = child_idle();

	ck_assert_int_eq(prctl(PR_SET_NAME, "a\033[2J\n\177\303\244 b"), 0);
	process_name(getpid(), buf, sizeof(buf));
	ck_assert_msg(
	    strcmp(buf, "a?[2J") == 0 || strcmp(buf, "a?[2J????? b") == 0, "%s",
	    buf);
	process_name(getpid(), buf, 3);
	ck_assert_str_eq(buf, "a?");
	ck_assert_int_eq(prctl(PR_SET_NAME, ""), 0);
	process_name(getpid(), buf, sizeof(buf));
	ck_assert_str_eq(buf, "");
	child_kill(child);
	process_name(child, buf, sizeof(buf));
	ck_assert_str_eq(buf, "?");
}
END_TEST

int
main(void)
{
	const TTest *const tests[] = { nobody, one, all_of_them, no_room,
		names };
	TCase *tc = tcase_create("holders");
	Suite *s = suite_create("holders");

	for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++)
		tcase_add_test(tc, tests[i]);
	suite_add_tcase(s, tc);
	return run_suite(s);
}
