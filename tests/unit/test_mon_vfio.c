/* SPDX-License-Identifier: ISC */
/*
 * Nodes are compared with what sysfs says of them before anybody gets one: with
 * a /dev and a /sys of the test's own, in which /dev/null and its neighbours stand
 * for VFIO's.  Making device nodes takes root; without, only what is missing.
 */

#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "broker/monitor/config.h"
#include "broker/monitor/sysfs.h"
#include "broker/monitor/vfio.h"
#include "tests/unit/fixture.h"
#include "tests/unit/test_mon.h"

#define NAME "0000:01:00.0"
#define VFIO_DEV "sys/bus/pci/devices/" NAME "/vfio-dev/"
#define NULL_DEV makedev(1, 3)
#define ZERO_DEV makedev(1, 5)

static const struct bdf bdf = { .bus = 1 };
static struct fixture tree;
static int lowest; /* fd that is free: none may be left behind */
static bool nodes; /* can be made */

static int
lowest_fd(void)
{
	int fd = dup(STDIN_FILENO);

	close(fd);
	return fd;
}

static void
setup(void)
{
	fixture_init(&tree);
	config.sysroot = tree.root;
	fixture_pci(&tree, &(struct fixture_pci){
			       .bdf = NAME, .driver = "vfio-pci", .group = 7 });
	fixture_dir(&tree, "dev/vfio/devices");
	nodes = mknodat(tree.rootfd, "dev/null", S_IFCHR | 0600, NULL_DEV) == 0;
	lowest = lowest_fd();
}

static void
teardown(void)
{
	ck_assert_int_eq(lowest_fd(), lowest);
	fixture_fini(&tree);
}

static void
node(const char *path, dev_t number)
{
	ck_assert_int_eq(mknodat(tree.rootfd, path, S_IFCHR | 0600, number), 0);
}

static void
assert_opens(int fd)
{
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(fcntl(fd, F_GETFD), FD_CLOEXEC);
	close(fd);
}

START_TEST(nothing_there)
{
	ck_assert_int_eq(vfio_open_container(), -ENODEV);
	ck_assert_int_eq(vfio_open_group(7), -ENODEV);
	ck_assert_int_eq(vfio_open_iommufd(), -ENODEV);
	ck_assert_int_eq(vfio_open_cdev(&bdf), -ENODEV);
	ck_assert(!vfio_has_iommufd());
	ck_assert_int_eq(vfio_group_unheld(7), 0); /* no node, nobody */
	ck_assert_int_eq(vfio_group_unheld(-1), -EINVAL);
}
END_TEST

/* As kernels from 6.1 on make the directory, with cdevs or without. */
START_TEST(kernel_without_cdevs)
{
	char name[SYSFS_NAME_MAX];
	dev_t number;

	fixture_dir(&tree, VFIO_DEV "vfio3");
	ck_assert_int_eq(sysfs_cdev(&bdf, name, &number), -ENODEV);
	ck_assert_int_eq(vfio_open_cdev(&bdf), -ENODEV);
}
END_TEST

START_TEST(cdev)
{
	char name[SYSFS_NAME_MAX];
	dev_t number;

	fixture_file(&tree, "1:3\n", VFIO_DEV "vfio3/dev");
	ck_assert_int_eq(sysfs_cdev(&bdf, name, &number), 0);
	ck_assert_str_eq(name, "vfio3");
	ck_assert(number == NULL_DEV);
	ck_assert_int_eq(vfio_open_cdev(&bdf), -ENOENT);
	if (!nodes)
		return;
	node("dev/vfio/devices/vfio3", NULL_DEV);
	assert_opens(vfio_open_cdev(&bdf));
}
END_TEST

/* In a child, while the number is being read: it is another's cdev by then. */
static void
leave_cdev(bool for_another)
{
	int fd =
	    openat(tree.rootfd, VFIO_DEV "vfio3/dev", O_WRONLY | O_CLOEXEC);

	if (fd == -1 ||
	    renameat(tree.rootfd, VFIO_DEV "vfio3", tree.rootfd, "old") != 0)
		_exit(1);
	if (for_another)
		fixture_file(&tree, "1:3\n", VFIO_DEV "vfio4/dev");
	_exit(write(fd, "1:3\n", 4) == 4 ? 0 : 1);
}

/* A name and number that were good when they were looked up are not enough. */
START_TEST(cdev_of_another)
{
	pid_t pid;

	if (!nodes)
		return;
	fixture_dir(&tree, VFIO_DEV "vfio3");
	ck_assert_int_eq(mkfifoat(tree.rootfd, VFIO_DEV "vfio3/dev", 0600), 0);
	node("dev/vfio/devices/vfio3", NULL_DEV);
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0)
		leave_cdev(_i == 1);
	ck_assert_int_eq(vfio_open_cdev(&bdf), -ENODEV);
	ck_assert_int_eq(child_end(pid), 0);
}
END_TEST

/* Somebody has put something else in the node's place. */
START_TEST(other_nodes)
{
	fixture_file(&tree, "1:3\n", VFIO_DEV "vfio3/dev");
	fixture_file(&tree, "1:3\n", "sys/class/misc/iommu/dev");
	fixture_file(&tree, "1:3\n", "sys/class/misc/vfio/dev");
	fixture_file(&tree, "1:3\n", "sys/class/vfio/7/dev");
	fixture_file(&tree, "", "dev/vfio/devices/vfio3");
	fixture_file(&tree, "", "dev/iommu");
	ck_assert_int_eq(vfio_open_cdev(&bdf), -EBADF);
	ck_assert_int_eq(vfio_open_iommufd(), -EBADF);
	fixture_link(&tree, "../null", "dev/vfio/vfio");
	ck_assert_int_eq(vfio_open_container(), -ELOOP);
	if (!nodes)
		return;
	node("dev/vfio/7", ZERO_DEV);
	ck_assert_int_eq(vfio_open_group(7), -EBADF);
	ck_assert_int_eq(vfio_group_unheld(7), -EBADF); /* proves nothing */
}
END_TEST

/* The right number, but the kernel does not do what is asked of it. */
START_TEST(refusing_nodes)
{
	if (!nodes)
		return;
	fixture_file(&tree, "1:3\n", "sys/class/misc/iommu/dev");
	fixture_file(&tree, "1:3\n", "sys/class/misc/vfio/dev");
	fixture_file(&tree, "1:3\n", "sys/class/vfio/7/dev");
	node("dev/iommu", NULL_DEV);
	node("dev/vfio/vfio", NULL_DEV);
	node("dev/vfio/7", NULL_DEV);
	ck_assert(vfio_has_iommufd());
	assert_opens(vfio_open_container());
	ck_assert_int_eq(vfio_open_group(7), -ENOTTY);
	ck_assert_int_eq(vfio_open_iommufd(), -ENOTTY);
	ck_assert_int_eq(vfio_group_unheld(7), 0);
}
END_TEST

int
main(void)
{
	TCase *tc = tcase_create("vfio");
	Suite *s = suite_create("vfio");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, nothing_there);
	tcase_add_test(tc, kernel_without_cdevs);
	tcase_add_test(tc, cdev);
	tcase_add_loop_test(tc, cdev_of_another, 0, 2);
	tcase_add_test(tc, other_nodes);
	tcase_add_test(tc, refusing_nodes);
	suite_add_tcase(s, tc);
	return run_suite(s);
}
