/* SPDX-License-Identifier: ISC */
/*
 * Reading and storing attributes, in a tree of the test's own: values, links,
 * and all the ways in which there is none.
 */

#include <sys/stat.h>

#include <limits.h>
#include <stdio.h>

#include "broker/monitor/config.h"
#include "broker/monitor/files.h"
#include "broker/monitor/sysfs.h"
#include "tests/unit/fixture.h"
#include "tests/unit/test_mon.h"

#define NAME "0000:01:10.0"
#define DIR "sys/bus/pci/devices/" NAME "/"

static struct fixture tree;
static const struct bdf device = { .bus = 1, .dev = 0x10 };
static const struct bdf nobody = { .bus = 9 };
static int devfd;

static void
setup(void)
{
	fixture_init(&tree);
	config.sysroot = tree.root;
	fixture_pci(&tree, &(struct fixture_pci){
			       .bdf = NAME, .driver = "igbvf", .group = 42 });
	devfd = sysfs_open(&device);
	ck_assert_int_ge(devfd, 0);
}

static void
teardown(void)
{
	close(devfd);
	fixture_fini(&tree);
}

START_TEST(open_device)
{
	ck_assert_int_eq(fcntl(devfd, F_GETFD), FD_CLOEXEC);
	ck_assert_int_eq(sysfs_open(&nobody), -ENOENT);
	fixture_file(&tree, "", "sys/bus/pci/devices/0000:09:00.0");
	ck_assert_int_eq(sysfs_open(&nobody), -ENOTDIR);
	config.sysroot = "/nonexistent";
	ck_assert_int_eq(sysfs_open(&device), -ENOENT);
}
END_TEST

/* A root too long for a path gives errors, never a shorter path. */
START_TEST(long_root)
{
	static char root[PATH_MAX + 10];
	char driver[SYSFS_NAME_MAX];

	for (size_t n = PATH_MAX - 60; n < sizeof(root) - 1; n++) {
		memset(root, '/', n);
		config.sysroot = root;
		ck_assert_int_lt(sysfs_open(&nobody), 0);
		ck_assert_int_lt(sysfs_driver(&nobody, driver), 0);
		ck_assert_int_lt(sysfs_store_bus("drivers_probe", "x"), 0);
		ck_assert(!sysfs_driver_loaded("igbvf"));
	}
	ck_assert_int_eq(sysfs_open(&nobody), -ENOENT);
}
END_TEST

static const struct {
	const char *content;
	size_t room;
	int result;
	const char *value;
} reads[] = {
	{ "0x8086\n", 32, 0, "0x8086" },
	{ "no newline", 32, 0, "no newline" },
	{ "", 32, 0, "" },
	{ "\n", 32, 0, "" },
	{ "two\nlines\n", 32, 0, "two" },
	{ "with blanks \n", 32, 0, "with blanks " },
	{ "1234567", 8, 0, "1234567" },
	{ "123456\n", 8, 0, "123456" },
	{ "1234567\n", 8, -EFBIG, "" },
	{ "12345678", 8, -EFBIG, "" },
	{ "1234567890", 8, -EFBIG, "" },
	{ "x", 1, -EFBIG, "" },
	{ "", 1, 0, "" },
};

START_TEST(read_value)
{
	/* Of exactly the size that is told, for the sanitizer to watch. */
	char *buf = malloc(reads[_i].room);

	ck_assert_ptr_nonnull(buf);
	memset(buf, 'z', reads[_i].room);
	fixture_file(&tree, reads[_i].content, DIR "attr");
	ck_assert_int_eq(
	    file_line(devfd, "attr", buf, reads[_i].room), reads[_i].result);
	ck_assert_str_eq(buf, reads[_i].value);
	free(buf);
}
END_TEST

START_TEST(read_none)
{
	char buf[16] = "old";

	ck_assert_int_eq(file_line(devfd, "none", buf, sizeof(buf)), -ENOENT);
	ck_assert_str_eq(buf, "");
	fixture_dir(&tree, DIR "power");
	ck_assert_int_eq(file_line(devfd, "power", buf, sizeof(buf)), -EISDIR);
	ck_assert_str_eq(buf, "");
	/* An attribute is no link; one that is leads elsewhere. */
	fixture_link(&tree, "vendor", DIR "alias");
	ck_assert_int_eq(file_line(devfd, "alias", buf, sizeof(buf)), -ELOOP);
	ck_assert_int_eq(file_line(-1, "vendor", buf, sizeof(buf)), -EBADF);
}
END_TEST

static const struct {
	const char *content;
	int result;
	long value;
} numbers[] = {
	{ "0x8086\n", 0, 0x8086 },
	{ "0x020000\n", 0, 0x20000 },
	{ "0\n", 0, 0 },
	{ "-1\n", 0, -1 },
	{ "64\n", 0, 64 },
	{ "9223372036854775807\n", 0, 9223372036854775807L },
	{ "9223372036854775808\n", -EINVAL, 0 },
	{ "\n", -EINVAL, 0 },
	{ "", -EINVAL, 0 },
	{ "0x\n", -EINVAL, 0 },
	{ "12 34\n", -EINVAL, 0 },
	{ "12x\n", -EINVAL, 0 },
	{ "none\n", -EINVAL, 0 },
	{ "11111111111111111111111111111111\n", -EFBIG, 0 },
};

START_TEST(read_number)
{
	long n = 4711;
	int r;

	fixture_file(&tree, numbers[_i].content, DIR "attr");
	r = sysfs_read_number(devfd, "attr", &n);
	ck_assert_msg(
	    r == numbers[_i].result, "%s: %d", numbers[_i].content, r);
	if (r == 0)
		ck_assert_int_eq(n, numbers[_i].value);
	ck_assert_int_eq(sysfs_read_number(devfd, "none", &n), -ENOENT);
}
END_TEST

START_TEST(links)
{
	char buf[8];

	ck_assert_int_eq(sysfs_link(devfd, "driver", buf, sizeof(buf)), 0);
	ck_assert_str_eq(buf, "igbvf");
	ck_assert_int_eq(sysfs_link(devfd, "iommu_group", buf, 8), 0);
	ck_assert_str_eq(buf, "42");
	ck_assert_int_eq(sysfs_link(devfd, "none", buf, sizeof(buf)), 0);
	ck_assert_str_eq(buf, "");
	ck_assert_int_eq(sysfs_link(devfd, "vendor", buf, 8), -EINVAL);

	/* Where it leads to need not be there: the name is what is read. */
	fixture_link(&tree, "gone", DIR "link");
	ck_assert_int_eq(sysfs_link(devfd, "link", buf, sizeof(buf)), 0);
	ck_assert_str_eq(buf, "gone");
	fixture_link(&tree, "../drivers/seven77", DIR "link");
	ck_assert_int_eq(sysfs_link(devfd, "link", buf, sizeof(buf)), 0);
	ck_assert_str_eq(buf, "seven77");
	fixture_link(&tree, "../drivers/eight888", DIR "link");
	ck_assert_int_eq(sysfs_link(devfd, "link", buf, 8), -E2BIG);
	fixture_link(&tree, "dir/", DIR "link");
	ck_assert_int_eq(sysfs_link(devfd, "link", buf, sizeof(buf)), 0);
	ck_assert_str_eq(buf, "");
	ck_assert_int_eq(sysfs_link(-1, "driver", buf, 8), -EBADF);
}
END_TEST

START_TEST(driver)
{
	char buf[SYSFS_NAME_MAX];

	ck_assert_int_eq(sysfs_driver(&device, buf), 0);
	ck_assert_str_eq(buf, "igbvf");
	fixture_remove(&tree, DIR "driver");
	ck_assert_int_eq(sysfs_driver(&device, buf), 0);
	ck_assert_str_eq(buf, "");
	ck_assert_int_eq(sysfs_driver(&nobody, buf), -ENODEV);
	ck_assert_str_eq(buf, "");
	fixture_link(&tree, "../0123456789abcdef0123456789abcde", DIR "driver");
	ck_assert_int_eq(sysfs_driver(&device, buf), 0);
	ck_assert_uint_eq(strlen(buf), SYSFS_NAME_MAX - 1);
	fixture_link(
	    &tree, "../0123456789abcdef0123456789abcdef", DIR "driver");
	ck_assert_int_eq(sysfs_driver(&device, buf), -E2BIG);
}
END_TEST

START_TEST(names)
{
	ck_assert(driver_is_vfio("vfio-pci"));
	ck_assert(driver_is_vfio("mlx5_vfio_pci"));
	ck_assert(driver_is_vfio("nvgrace-gpu-vfio-pci"));
	ck_assert(!driver_is_vfio(""));
	ck_assert(!driver_is_vfio("igbvf"));
	ck_assert(!driver_is_vfio("virtio-pci"));
	ck_assert(!driver_is_vfio("pci-stub"));

	ck_assert(sysfs_driver_loaded("igbvf"));
	ck_assert(!sysfs_driver_loaded("vfio-pci"));
	fixture_dir(&tree, "sys/bus/pci/drivers/vfio-pci");
	ck_assert(sysfs_driver_loaded("vfio-pci"));
}
END_TEST

static void
assert_content(const char *path, const char *want)
{
	char buf[64] = "";
	int fd = openat(tree.rootfd, path, O_RDONLY | O_CLOEXEC);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_ge(read(fd, buf, sizeof(buf) - 1), 0);
	ck_assert_str_eq(buf, want);
	close(fd);
}

/* One write of just that, into what is there: a store makes no file. */
START_TEST(stores)
{
	fixture_file(&tree, "", DIR "attr");
	ck_assert_int_eq(sysfs_store(devfd, "attr", "\n"), 0);
	assert_content(DIR "attr", "\n");
	ck_assert_int_eq(sysfs_store(devfd, "attr", "vfio-pci"), 0);
	assert_content(DIR "attr", "vfio-pci");
	ck_assert_int_eq(sysfs_store(devfd, "none", "x"), -ENOENT);
	ck_assert_int_eq(faccessat(tree.rootfd, DIR "none", F_OK, 0), -1);
	ck_assert_int_eq(sysfs_store(devfd, "driver/unbind", NAME), -ENOENT);

	ck_assert_int_eq(sysfs_store_bus("drivers_probe", NAME), -ENOENT);
	fixture_file(&tree, "", "sys/bus/pci/drivers_probe");
	ck_assert_int_eq(sysfs_store_bus("drivers_probe", NAME), 0);
	assert_content("sys/bus/pci/drivers_probe", NAME);
	ck_assert_int_eq(sysfs_store_bus("devices", "x"), -EISDIR);
}
END_TEST

/* What the kernel says to a store comes back as it was said. */
START_TEST(store_refused)
{
	/* Every write to it says so. */
	fixture_link(&tree, "/dev/full", DIR "attr");
	ck_assert_int_eq(sysfs_store(devfd, "attr", "x"), -ENOSPC);
}
END_TEST

START_TEST(devices)
{
	char want[128], path[PATH_MAX];

	snprintf(want, sizeof(want), "%s/sys/bus/pci/devices", tree.root);
	ck_assert_str_eq(sysfs_path(path, "/sys/bus/pci/devices"), want);
	config.sysroot = "";
	ck_assert_str_eq(
	    sysfs_path(path, "/sys/bus/pci/devices"), "/sys/bus/pci/devices");
}
END_TEST

int
main(void)
{
	TCase *tc = tcase_create("sysfs");
	Suite *s = suite_create("sysfs");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, open_device);
	tcase_add_test(tc, long_root);
	tcase_add_loop_test(
	    tc, read_value, 0, sizeof(reads) / sizeof(reads[0]));
	tcase_add_test(tc, read_none);
	tcase_add_loop_test(
	    tc, read_number, 0, sizeof(numbers) / sizeof(numbers[0]));
	tcase_add_test(tc, links);
	tcase_add_test(tc, driver);
	tcase_add_test(tc, names);
	tcase_add_test(tc, stores);
	tcase_add_test(tc, store_refused);
	tcase_add_test(tc, devices);
	suite_add_tcase(s, tc);
	return run_suite(s);
}
