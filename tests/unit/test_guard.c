/* SPDX-License-Identifier: ISC */
/* The guard: the function itself, its displays, its group; and all at once. */

#include "tests/unit/guard_scene.h"

static void
vfs(struct fixture *f)
{
	device(f);
	fixture_pci(
	    f, &(struct fixture_pci){
		   .bdf = "0000:00:02.1", .driver = "igbvf", .group = 8 });
	fixture_pci(f, &(struct fixture_pci){ .bdf = "0000:00:02.2" });
	fixture_pci(
	    f, &(struct fixture_pci){
		   .bdf = "0000:00:02.3", .driver = "vfio-pci", .group = 9 });
	fixture_vf(f, "0000:00:02.0", "0000:00:02.1", 0);
	fixture_vf(f, "0000:00:02.0", "0000:00:02.2", 1);
	fixture_vf(f, "0000:00:02.0", "0000:00:02.3", 12);
}

static void
gpu(struct fixture *f)
{
	fixture_pci(f, &(struct fixture_pci){ .bdf = "0000:00:02.0",
			   .class = "0x030000",
			   .driver = "gpu",
			   .group = 7 });
	fixture_file(f, "0\n", "sys/devices/" DEV "/boot_vga");
	fixture_class(f, "drm", DEV "/drm/card1");
	fixture_class(f, "drm", DEV "/drm/card1/card1-DP-1");
	fixture_class(f, "drm", DEV "/drm/renderD129");
	fixture_class(f, "drm", "pci0000:00/0000:00:09.0/drm/card10");
	fixture_file(f, "drm 1.1.0 20060810\n", "sys/class/drm/version");
	fixture_class(f, "graphics", DEV "/graphics/fb1");
	fixture_class(f, "graphics", "virtual/graphics/fbcon");
	fixture_file(
	    f, "(S) dummy device\n", "sys/class/vtconsole/vtcon0/name");
	fixture_file(f, "1\n", "sys/class/vtconsole/vtcon0/bind");
	fixture_file(
	    f, "(M) frame buffer device\n", "sys/class/vtconsole/vtcon1/name");
	fixture_file(f, "0\n", "sys/class/vtconsole/vtcon1/bind");
	fixture_link(f, "/dev/dri/card10", "proc/10/fd/3");
	fixture_link(f, "/dev/dri/card1", "proc/self/fd/3");
	fixture_dir(f, "proc/11");
	fixture_dir(f, "proc/12/fd");
}

static void
boot_vga(struct fixture *f)
{
	gpu(f);
	fixture_file(f, "1\n", "sys/devices/" DEV "/boot_vga");
}

static void
console(struct fixture *f)
{
	gpu(f);
	fixture_file(f, "1\n", "sys/class/vtconsole/vtcon1/bind");
}

static void
drm(struct fixture *f)
{
	gpu(f);
	fixture_link(f, "/dev/dri/card1", "proc/4711/fd/3");
	fixture_link(f, "/dev/dri/card1", "proc/4711/fd/7");
	fixture_link(f, "/dev/dri/renderD129", "proc/4711/fd/8");
	fixture_link(f, "socket:[17]", "proc/4711/fd/9");
	fixture_file(f, "Xorg\x1b[2J\n", "proc/4711/comm");
	fixture_link(f, "/dev/dri/card1", "proc/4712/fd/0"); /* no comm */
}

static void
noiommu(struct fixture *f)
{
	device(f);
	fixture_file(f, "vfio-noiommu\n", "sys/kernel/iommu_groups/7/name");
}

static void
group_named(struct fixture *f)
{
	device(f);
	fixture_file(f, "other\n", "sys/kernel/iommu_groups/7/name");
}

static void
ungrouped(struct fixture *f)
{
	fixture_pci(f, &(struct fixture_pci){ .bdf = "0000:00:02.0" });
}

/* 0000:01:10.0 behind the bridge 0000:00:02.0, with all that is possible. */
static void
behind(struct fixture *f)
{
	fixture_pci(f, &(struct fixture_pci){ .bdf = "0000:00:02.0",
			   .class = "0x060400",
			   .driver = "pcieport" });
	fixture_pci(f, &(struct fixture_pci){
			   .bdf = "0000:01:10.0", .parent = DEV, .group = 3 });
	fixture_pci(f, &(struct fixture_pci){
			   .bdf = "0000:01:10.1", .parent = DEV, .group = 4 });
	fixture_pci(
	    f, &(struct fixture_pci){ .bdf = "0001:01:10.0", .group = 5 });
	fixture_block(f, DEV "/0000:01:10.0/block/sda", "8:0");
	mountinfo(f, "27 1 8:0 / / rw - ext4 /dev/sda rw\n");
	/* Names that only look like the address. */
	fixture_block(f, DEV "/0000:01:10.00/block/sdb", "8:16");
	fixture_block(f, DEV "/x0000:01:10.1/block/sdc", "8:32");
	fixture_block(f, DEV "/0000:01:10.1x/block/sdd", "8:48");
	mountinfo(f, "28 1 8:16 / /b rw - ext4 /dev/sdb rw\n");
	mountinfo(f, "29 1 8:32 / /c rw - ext4 /dev/sdc rw\n");
	mountinfo(f, "30 1 8:48 / /d rw - ext4 /dev/sdd rw\n");
}

static void
host_bridge(struct fixture *f)
{
	fixture_pci(f, &(struct fixture_pci){
			   .bdf = "0000:00:02.0", .class = "0x060000" });
}

static void
everything(struct fixture *f)
{
	disk_root(f);
	net_address(f);
	vfs(f);
	drm(f);
	console(f);
	boot_vga(f);
	fixture_file(f, "1\n", "sys/class/vtconsole/vtcon1/bind");
	fixture_remove(f, "sys/devices/" DEV "/iommu_group");
}

static void
nothing(struct fixture *f)
{
	(void)f;
}

static void
bad_class(struct fixture *f)
{
	device(f);
	fixture_remove(f, "sys/devices/" DEV "/class");
	fixture_dir(f, "sys/devices/" DEV "/class");
}

static void
no_bind(struct fixture *f)
{
	gpu(f);
	fixture_remove(f, "sys/class/vtconsole/vtcon1/bind");
}

static void
loop_driver(struct fixture *f)
{
	vfs(f);
	fixture_link(f, "virtfn3", "sys/bus/pci/devices/0000:00:02.0/virtfn3");
}

static const struct scene scenes[] = {
	{ "clean", device, { NULL }, NULL, 0 },
	{ "VFs", vfs,
	    { "VFS_IN_USE 0000:00:02.1 bound to igbvf",
		"VFS_IN_USE 0000:00:02.3 bound to vfio-pci" },
	    NULL, 0 },
	{ "a VF", vfs, { NULL }, "0000:00:02.1", 0 },
	{ "gpu unused", gpu, { NULL }, NULL, 0 },
	{ "boot vga", boot_vga, { "BOOT_VGA 0000:00:02.0" }, NULL, 0 },
	{ "console", console, { "CONSOLE fb1 under vtcon1" }, NULL, 0 },
	{ "drm", drm,
	    { "DRM_IN_USE card1 open in 4711 (Xorg?[2J)",
		"DRM_IN_USE renderD129 open in 4711 (Xorg?[2J)",
		"DRM_IN_USE card1 open in 4712 (?)" },
	    NULL, 0 },
	{ "noiommu", noiommu, { "NOIOMMU group 7" }, NULL, 0 },
	{ "a named group", group_named, { NULL }, NULL, 0 },
	{ "no group", ungrouped, { "NO_IOMMU_GROUP 0000:00:02.0" }, NULL, 0 },
	{ "bridge", behind, { "NOT_ENDPOINT class 0604" }, NULL, 0 },
	{ "behind a bridge", behind, { "ROOT_FS sda on /" }, "0000:01:10.0",
	    0 },
	{ "its neighbour", behind, { NULL }, "0000:01:10.1", 0 },
	{ "another domain", behind, { NULL }, "0001:01:10.0", 0 },
	{ "host bridge", host_bridge, { "NOT_ENDPOINT class 0600" }, NULL, 0 },
	{ "everything", everything,
	    { "ROOT_FS vda1 on /", "NET_ADDRESS eth0 192.0.2.1",
		"NET_ADDRESS eth0 192.0.2.2", "NET_ADDRESS eth0 2001:db8::5",
		"VFS_IN_USE 0000:00:02.1 bound to igbvf",
		"VFS_IN_USE 0000:00:02.3 bound to vfio-pci",
		"BOOT_VGA 0000:00:02.0", "CONSOLE fb1 under vtcon1",
		"DRM_IN_USE card1 open in 4711 (Xorg?[2J)",
		"DRM_IN_USE renderD129 open in 4711 (Xorg?[2J)",
		"DRM_IN_USE card1 open in 4712 (?)",
		"NO_IOMMU_GROUP 0000:00:02.0" },
	    NULL, 0 },
	{ "no device", nothing, { NULL }, NULL, -ENOENT },
	{ "bad class", bad_class, { NULL }, NULL, -EISDIR },
	{ "no bind", no_bind, { NULL }, NULL, -ENOENT },
	{ "loop", loop_driver,
	    { "VFS_IN_USE 0000:00:02.1 bound to igbvf",
		"VFS_IN_USE 0000:00:02.3 bound to vfio-pci" },
	    NULL, -ELOOP },
};

START_TEST(scene)
{
	scene_check(&scenes[_i]);
}
END_TEST

START_TEST(no_such_function)
{
	char *found;

	ck_assert_int_eq(collect("", "fffe:ff:1f.7", &found), -ENOENT);
	ck_assert_str_eq(found, "");
	free(found);
	ck_assert_int_eq(
	    collect("/nonexistent", "0000:00:02.0", &found), -ENOENT);
	free(found);
}
END_TEST

static bool
draws(const char *root, const char *text)
{
	struct bdf bdf;

	ck_assert_int_eq(bdf_parse(text, &bdf), 0);
	return guard_draws(root, &bdf);
}

/* Who has no node is never a matter of what processes have open. */
START_TEST(nodes)
{
	struct fixture f;

	fixture_init(&f);
	gpu(&f);
	ck_assert(draws(f.root, "0000:00:02.0"));
	ck_assert(draws(f.root, "0000:00:09.0"));
	ck_assert(!draws(f.root, "0000:00:03.0"));
	fixture_remove(&f, "sys/class/drm/renderD129");
	fixture_remove(&f, "sys/class/drm/card1");
	ck_assert(!draws(f.root, "0000:00:02.0")); /* but a connector */
	ck_assert(draws("/nonexistent", "0000:00:02.0"));
	fixture_fini(&f);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("guard");
	TCase *tc = tcase_create("guard");

	suite_add_tcase(s, tc);
	tcase_add_loop_test(tc, scene, 0, sizeof(scenes) / sizeof(scenes[0]));
	tcase_add_test(tc, no_such_function);
	tcase_add_test(tc, nodes);
	return run_suite(s);
}
