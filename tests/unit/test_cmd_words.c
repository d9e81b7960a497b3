/* SPDX-License-Identifier: ISC */
/*
 * The small readers of the command: sizes, addresses, nodes, options.
 */

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "client/cmd/address.h"
#include "client/cmd/late.h"
#include "client/cmd/node.h"
#include "client/cmd/pciclass.h"
#include "client/cmd/size.h"

static const struct {
	const char *text;
	int r;
	uint64_t size;
} sizes[] = {
	{ "0", 0, 0 },
	{ "1", 0, 1 },
	{ "4096", 0, 4096 },
	{ "64M", 0, 64ULL << 20 },
	{ "64m", 0, 64ULL << 20 },
	{ "2G", 0, 2ULL << 30 },
	{ "1K", 0, 1024 },
	{ "3T", 0, 3ULL << 40 },
	{ "1P", 0, 1ULL << 50 },
	{ "18446744073709551615", 0, UINT64_MAX },
	{ "16383P", 0, 16383ULL << 50 },
	{ "16384P", -ERANGE, 0 },
	{ "18446744073709551616", -ERANGE, 0 },
	{ "17179869184G", -ERANGE, 0 },
	{ "", -EINVAL, 0 },
	{ "G", -EINVAL, 0 },
	{ "-1", -EINVAL, 0 },
	{ "+1", -EINVAL, 0 },
	{ " 1", -EINVAL, 0 },
	{ "1 ", -EINVAL, 0 },
	{ "1.5G", -EINVAL, 0 },
	{ "1GB", -EINVAL, 0 },
	{ "1Q", -EINVAL, 0 },
	{ "0x10", -EINVAL, 0 },
};

START_TEST(size_reads)
{
	uint64_t out = 7;

	ck_assert_int_eq(size_parse(sizes[_i].text, &out), sizes[_i].r);
	if (sizes[_i].r == 0)
		ck_assert_uint_eq(out, sizes[_i].size);
	else
		ck_assert_uint_eq(out, 7);
}
END_TEST

START_TEST(size_prints)
{
	static const struct {
		uint64_t size;
		const char *text;
	} cases[] = {
		{ 0, "0" },
		{ 1, "1" },
		{ 1023, "1023" },
		{ 1024, "1K" },
		{ 1536, "1536" },
		{ 3ULL << 30, "3G" },
		{ (3ULL << 30) + 1, "3221225473" },
		{ 5ULL << 40, "5T" },
		{ 1ULL << 60, "1024P" },
		{ UINT64_MAX, "18446744073709551615" },
	};
	char buf[SIZE_STRLEN];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		ck_assert_str_eq(
		    size_format(cases[i].size, buf), cases[i].text);
}
END_TEST

/* ---- addresses -------------------------------------------------------- */

static char sys[] = "/tmp/vfiobroker-test-XXXXXX";

static void
make_dir(const char *path)
{
	char whole[512], *slash = whole;

	snprintf(whole, sizeof(whole), "%s/%s", sys, path);
	while ((slash = strchr(slash + 1, '/')) != NULL) {
		*slash = '\0';
		mkdir(whole, 0755);
		*slash = '/';
	}
	mkdir(whole, 0755);
}

static void
make_link(const char *to, const char *path)
{
	char whole[512];

	snprintf(whole, sizeof(whole), "%s/%s", sys, path);
	ck_assert_int_eq(symlink(to, whole), 0);
}

static void
make_sys(void)
{
	strcpy(sys + sizeof("/tmp/vfiobroker-test-") - 1, "XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(sys));
	make_dir("devices/pci0000:00/0000:01:10.0");
	make_dir("devices/pci0000:00/0000:00:03.0/virtio1");
	make_dir("devices/pci0000:00/0000:02:00.0");
	make_dir("devices/virtual/dummy");
	make_dir("class/net/eth0");
	make_dir("class/net/virt0");
	make_dir("class/net/lo");
	make_dir("class/net/usb0");
	make_dir("class/nvme/nvme0");
	make_link("../../../devices/pci0000:00/0000:01:10.0",
	    "class/net/eth0/device");
	make_link("../../../devices/pci0000:00/0000:00:03.0/virtio1",
	    "class/net/virt0/device");
	make_link("../../../devices/virtual/dummy", "class/net/usb0/device");
	make_link("../../../devices/pci0000:00/0000:02:00.0",
	    "class/nvme/nvme0/device");
}

static void
remove_sys(void)
{
	char command[sizeof(sys) + 16];

	snprintf(command, sizeof(command), "rm -rf %s", sys);
	ck_assert_int_eq(system(command), 0);
}

static const struct {
	const char *text;
	int r;
	const char *bdf;
} addresses[] = {
	{ "0000:01:10.0", 0, "0000:01:10.0" },
	{ "01:10.0", 0, "0000:01:10.0" },
	{ "10000:e1:00.7", 0, "10000:e1:00.7" },
	{ "AF:1f.3", 0, "0000:af:1f.3" },
	{ "eth0", 0, "0000:01:10.0" },
	{ "virt0", 0, "0000:00:03.0" },
	{ "nvme0", 0, "0000:02:00.0" },
	{ "nvme0n1", 0, "0000:02:00.0" },
	{ "usb0", -ENODEV, NULL },
	{ "lo", -ENOENT, NULL },
	{ "eth1", -ENOENT, NULL },
	{ "nvme1", -ENOENT, NULL },
	{ "", -EINVAL, NULL },
	{ ".", -EINVAL, NULL },
	{ "..", -EINVAL, NULL },
	{ "../net/eth0", -EINVAL, NULL },
	{ "eth0/x", -EINVAL, NULL },
	{ "1:10.0", -EINVAL, NULL },
	{ "01:20.0", -EINVAL, NULL },
	{ "01:10.8", -EINVAL, NULL },
	{ "01:10.0 ", -EINVAL, NULL },
	{ "0000:01:10", -EINVAL, NULL },
	{ "an-interface-name-that-is-much-longer-than-any-kernel-would-take-it",
	    -EINVAL, NULL },
};

START_TEST(address_reads)
{
	struct vfiobroker_bdf bdf = { 0 };
	char buf[BDF_STRLEN], text[256];
	int r;

	make_sys();
	r = address_parse_at(sys, addresses[_i].text, &bdf);
	remove_sys();
	ck_assert_int_eq(r, addresses[_i].r);
	if (r == 0)
		ck_assert_str_eq(address_format(&bdf, buf), addresses[_i].bdf);
	else
		ck_assert_ptr_nonnull(strchr(
		    address_error(r, addresses[_i].text, text, sizeof(text)),
		    '\''));
}
END_TEST

/* ---- groups ----------------------------------------------------------- */

static void
make_file(const char *path, const char *text)
{
	char whole[512];
	FILE *f;

	snprintf(whole, sizeof(whole), "%s/%s", sys, path);
	f = fopen(whole, "we");
	ck_assert_ptr_nonnull(f);
	fputs(text, f);
	ck_assert_int_eq(fclose(f), 0);
}

START_TEST(group_members)
{
	struct device_list list = { .n = 0 };
	char bdf[BDF_STRLEN];
	int r, none;

	make_sys();
	make_dir("bus/pci/devices/0000:05:00.0");
	make_dir("bus/pci/devices/0000:05:01.0");
	make_file("bus/pci/devices/0000:05:00.0/class", "0x060400\n");
	make_file("bus/pci/devices/0000:05:01.0/class", "0x020000\n");
	make_dir("kernel/iommu_groups/9/devices/0000:05:00.0");
	make_dir("kernel/iommu_groups/9/devices/0000:05:01.0");
	make_dir("kernel/iommu_groups/10/devices/0000:05:00.0");
	r = late_devices_at(sys, 9, &list);
	none = late_devices_at(sys, 11, &list);
	ck_assert_int_eq(none, -ENOENT);
	ck_assert_int_eq(r, 0);
	ck_assert_uint_eq(list.n, 1);
	ck_assert_str_eq(address_format(&list.v[0], bdf), "0000:05:01.0");
	list.n = 0;
	r = late_devices_at(sys, 10, &list);
	remove_sys();
	ck_assert_int_eq(r, -ENODEV);
}
END_TEST

/* ---- nodes ------------------------------------------------------------ */

static const struct {
	const char *path;
	enum node_kind kind;
	int number;
} nodes[] = {
	{ "/dev/vfio/vfio", NODE_CONTAINER, -1 },
	{ "/dev/vfio/0", NODE_GROUP, 0 },
	{ "/dev/vfio/7", NODE_GROUP, 7 },
	{ "/dev/vfio/12345", NODE_GROUP, 12345 },
	{ "//dev//vfio///7", NODE_GROUP, 7 },
	{ "/dev/./vfio/./7", NODE_GROUP, 7 },
	{ "/dev/../dev/vfio/7", NODE_GROUP, 7 },
	{ "/dev/vfio/x/../7", NODE_GROUP, 7 },
	{ "/../dev/vfio/vfio", NODE_CONTAINER, -1 },
	{ "/dev/shm/../vfio/vfio", NODE_CONTAINER, -1 },
	{ "/dev/vfio", NODE_NONE, -1 },
	{ "/dev/vfio/", NODE_NONE, -1 },
	{ "/dev/vfio/7/", NODE_NONE, -1 },
	{ "/dev/vfio/vfio/", NODE_NONE, -1 },
	{ "/dev/vfio/07", NODE_NONE, -1 },
	{ "/dev/vfio/-1", NODE_NONE, -1 },
	{ "/dev/vfio/+7", NODE_NONE, -1 },
	{ "/dev/vfio/7a", NODE_NONE, -1 },
	{ "/dev/vfio/1234567890123", NODE_NONE, -1 },
	{ "/dev/vfio/vfio0", NODE_NONE, -1 },
	{ "/dev/vfio/noiommu-0", NODE_NONE, -1 },
	{ "/dev/vfio/devices/vfio0", NODE_CDEV, 0 },
	{ "/dev/vfio/./devices//vfio12", NODE_CDEV, 12 },
	{ "/dev/vfio/devices/vfio", NODE_NONE, -1 },
	{ "/dev/vfio/devices/vfio01", NODE_NONE, -1 },
	{ "/dev/vfio/devices/vfio7/x", NODE_NONE, -1 },
	{ "/dev/devices/vfio7", NODE_NONE, -1 },
	{ "/dev/vfio/devices/7", NODE_NONE, -1 },
	{ "/dev/vfio2/7", NODE_NONE, -1 },
	{ "/dev/vfi/7", NODE_NONE, -1 },
	{ "/7", NODE_NONE, -1 },
	{ "/vfio", NODE_NONE, -1 },
	{ "/x/dev/vfio/7", NODE_NONE, -1 },
	{ "dev/vfio/7", NODE_NONE, -1 },
	{ "7", NODE_NONE, -1 },
	{ "vfio", NODE_NONE, -1 },
	{ "", NODE_NONE, -1 },
	{ "/", NODE_NONE, -1 },
	{ "/dev/null", NODE_NONE, -1 },
	{ "/dev/iommu", NODE_IOMMUFD, -1 },
	{ "/dev/vfio/../iommu", NODE_IOMMUFD, -1 },
	{ "/dev/vfio/iommu", NODE_NONE, -1 },
	{ "/dev/iommu/0", NODE_NONE, -1 },
	{ "/dev/iommu0", NODE_NONE, -1 },
};

START_TEST(node_reads)
{
	struct node node = node_of_path("/dev", nodes[_i].path);

	ck_assert_int_eq(node.kind, nodes[_i].kind);
	ck_assert_int_eq(node.number, nodes[_i].number);
}
END_TEST

START_TEST(node_long_path)
{
	char path[5000];

	memset(path, '/', sizeof(path));
	strcpy(path + 4000, "dev/vfio/7");
	ck_assert_int_eq(node_of_path("/dev", path).kind, NODE_NONE);
	ck_assert_int_eq(node_of_path("/dev", path + 3500).kind, NODE_GROUP);
}
END_TEST

START_TEST(class_names)
{
	ck_assert_str_eq(pciclass_name(0x020000), "ethernet");
	ck_assert_str_eq(pciclass_name(0x028000), "network");
	ck_assert_str_eq(pciclass_name(0x010802), "nvme");
	ck_assert_str_eq(pciclass_name(0x060400), "pci-bridge");
	ck_assert_str_eq(pciclass_name(0x030000), "vga");
	ck_assert_str_eq(pciclass_name(0xff0000), "other");
}
END_TEST

#define COUNT(a) ((int)(sizeof(a) / sizeof((a)[0])))

int
main(void)
{
	Suite *s = suite_create("cmd_words");
	TCase *t = tcase_create("words");
	SRunner *r = srunner_create(s);
	int failed;

	tcase_add_loop_test(t, size_reads, 0, COUNT(sizes));
	tcase_add_test(t, size_prints);
	tcase_add_loop_test(t, address_reads, 0, COUNT(addresses));
	tcase_add_test(t, group_members);
	tcase_add_loop_test(t, node_reads, 0, COUNT(nodes));
	tcase_add_test(t, node_long_path);
	tcase_add_test(t, class_names);
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_ENV);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
