/* SPDX-License-Identifier: ISC */
/* The guard's look at disks: each reason, none, many, and hostile trees. */

#include "tests/unit/guard_scene.h"

static void
disk_mounted(struct fixture *f)
{
	disk(f);
	mountinfo(f, "50 27 254:0 / /srv rw shared:1 master:2 - xfs x rw\n");
	mountinfo(f, "51 27 254:1 /sub /usr rw - ext4 /dev/vda1 rw\n");
}

static void
disk_hostile(struct fixture *f)
{
	disk(f);
	mountinfo(
	    f, "50 27 254:0 / /a\\040b\\012c\\134\xc3\xa4\\9 rw - e s r\n");
	mountinfo(f, "51 27 254:1 / / rw - ext4  rw\n"); /* empty source */
}

static void
disk_swap(struct fixture *f)
{
	disk(f);
	fixture_append(f, "/dev/vda1 partition\t1 0 -2\n", "proc/swaps");
	fixture_append(f, "/dev/vda10 partition\t1 0 -2\n", "proc/swaps");
	fixture_append(f, "/swap\\040file file\t1 0 -2\n", "proc/swaps");
}

static void
disk_cciss(struct fixture *f)
{
	device(f);
	fixture_block(f, DEV "/host0/block/cciss!c0d0", "104:0");
	fixture_file(f, "/dev/cciss/c0d0 partition 1 0 -2\n", "proc/swaps");
}

/* vda1 -> dm-0 (a crypt) -> dm-1 (LVM, root) and md0 -> its partition. */
static void
disk_stack(struct fixture *f)
{
	disk(f);
	fixture_block(f, "virtual/block/dm-0", "253:0");
	fixture_file(f, "crypt\n", "sys/devices/virtual/block/dm-0/dm/name");
	fixture_block(f, "virtual/block/dm-1", "253:1");
	fixture_file(f, "vg-root\n", "sys/devices/virtual/block/dm-1/dm/name");
	fixture_block(f, "virtual/block/md0", "9:0");
	fixture_block(f, "virtual/block/md0/md0p1", "259:0");
	fixture_holder(f, "vda1", "dm-0");
	fixture_holder(f, "dm-0", "dm-1");
	fixture_holder(f, "vda1", "md0");
	fixture_holder(f, "dm-1", "dm-0"); /* a ring, which cannot be */
	mountinfo(f, "27 1 253:1 / / rw - ext4 /dev/mapper/vg-root rw\n");
	mountinfo(f, "28 1 259:0 / /data rw - ext4 /dev/md0p1 rw\n");
	fixture_append(f, "/dev/mapper/crypt partition 1 0 -2\n", "proc/swaps");
}

static void
disk_btrfs(struct fixture *f)
{
	disk(f);
	fixture_block(f, "pci0000:00/0000:00:05.0/ata1/block/sda", "8:0");
	fixture_link(f, "x", "sys/fs/btrfs/UUID/devices/sda");
	fixture_link(f, "x", "sys/fs/btrfs/OTHER/devices/sdz");
	fixture_file(f, "", "sys/fs/btrfs/features/raid56");
	fixture_file(f, "", "sys/fs/btrfs/UUID/devices/vda");
	mountinfo(f, "27 1 0:30 /@ / rw - btrfs /dev/sda rw\n");
	mountinfo(f, "28 1 0:30 /@ /b rw - btrfs /dev/vda rw\n");
}

static void
disk_anonymous(struct fixture *f)
{
	disk(f);
	mountinfo(f, "27 1 0:30 / /bc rw - bcachefs /dev/sdx:/dev/vda1 rw\n");
	/* Anybody may name a source so. */
	mountinfo(f, "28 1 0:31 / /f rw - fuse.evil /dev/vda rw\n");
	mountinfo(f, "29 1 0:32 / /t rw - tmpfs vda rw\n");
	mountinfo(f, "30 1 0:33 / /n rw - nfs vda:/dev/vda1/x rw\n");
}

static void
disk_unseen(struct fixture *f)
{
	disk(f);
	fixture_dir(f, "sys/fs/ext4/vda");
	fixture_dir(f, "sys/fs/xfs/vda1");
	fixture_dir(f, "sys/fs/ext4/vdb");
	mountinfo(f, "51 27 254:1 / /seen rw - xfs /dev/vda1 rw\n");
}

/* The disk of two controllers, of which 0000:00:02.0 has one. */
static void
disk_multipath(struct fixture *f)
{
	static const char subsys[] = "virtual/nvme-subsystem/nvme-subsys3";

	device(f);
	fixture_dir(f, "sys/devices/" DEV "/nvme/nvme0");
	fixture_class(f, "block", DEV "/nvme/nvme0/nvme3c0n1");
	fixture_block(
	    f, "virtual/nvme-subsystem/nvme-subsys3/nvme3n1", "259:0");
	fixture_block(f,
	    "virtual/nvme-subsystem/nvme-subsys3/nvme3n1/nvme3n1p2", "259:2");
	fixture_file(f, "nqn\n", "sys/devices/%s/subsysnqn", subsys);
	fixture_link(f, "../../../pci0000:00/0000:00:09.0/nvme/nvme7",
	    "sys/devices/%s/nvme7", subsys);
	fixture_link(
	    f, "../../../" DEV "/nvme/nvme0", "sys/devices/%s/nvme0", subsys);
	fixture_block(
	    f, "virtual/nvme-subsystem/nvme-subsys4/nvme4n1", "259:9");
	fixture_link(f, "../../../pci0000:00/0000:00:09.0/nvme/nvme8",
	    "sys/devices/virtual/nvme-subsystem/nvme-subsys4/nvme8");
	mountinfo(f, "50 27 259:2 / /srv rw - ext4 /dev/nvme3n1p2 rw\n");
	mountinfo(f, "51 27 259:9 / /no rw - ext4 /dev/nvme4n1 rw\n");
	mountinfo(f, "52 27 0:0 / /hidden rw - none none rw\n");
}

/* A VMD is an endpoint, and its domain's disks go with it. */
static void
vmd(struct fixture *f)
{
	fixture_pci(
	    f, &(struct fixture_pci){
		   .bdf = "0000:00:02.0", .class = "0x010400", .group = 1 });
	fixture_block(f,
	    DEV "/pci10000:e0/10000:e0:01.0/10000:e1:00.0/nvme/nvme0/nvme0n1",
	    "259:0");
	mountinfo(f, "27 1 259:0 / /v rw - ext4 /dev/nvme0n1 rw\n");
}

static void
bad_mountinfo(struct fixture *f)
{
	disk(f);
	mountinfo(f, "27 1 254:1 / /x rw shared:1\n");
	mountinfo(f, "27 1 254:1 / / rw - ext4 /dev/root rw\n");
}

static void
bad_mount_number(struct fixture *f)
{
	disk(f);
	mountinfo(f, "27 1 254 / /x rw - ext4 /dev/root rw\n");
}

static void
no_mountinfo(struct fixture *f)
{
	disk_swap(f);
	fixture_remove(f, "proc/1/mountinfo");
}

static void
bad_dev(struct fixture *f)
{
	disk_root(f);
	fixture_file(f, "junk\n", "sys/class/block/vda/dev");
}

static void
long_dev(struct fixture *f)
{
	disk_root(f);
	fixture_file(f, "0123456789012345678901234567890123456789",
	    "sys/class/block/vda/dev");
}

static void
bad_holders(struct fixture *f)
{
	disk_root(f);
	fixture_remove(f, "sys/class/block/vda/holders");
	fixture_file(f, "", "sys/class/block/vda/holders");
}

static const struct scene scenes[] = {
	{ "disk unused", disk, { NULL }, NULL, 0 },
	{ "root", disk_root, { "ROOT_FS vda1 on /" }, NULL, 0 },
	{ "mounted", disk_mounted,
	    { "MOUNTED vda on /srv", "MOUNTED vda1 on /usr" }, NULL, 0 },
	{ "hostile mount point", disk_hostile,
	    { "MOUNTED vda on /a b?c\\??\\9", "ROOT_FS vda1 on /" }, NULL, 0 },
	{ "swap", disk_swap, { "SWAP vda1" }, NULL, 0 },
	{ "name with a slash", disk_cciss, { "SWAP cciss!c0d0" }, NULL, 0 },
	{ "stacked", disk_stack,
	    { "DM_MEMBER vda1 in crypt", "DM_MEMBER crypt in vg-root",
		"DM_MEMBER vg-root in crypt", "DM_MEMBER vda1 in md0",
		"ROOT_FS vg-root on /", "MOUNTED md0p1 on /data",
		"SWAP crypt" },
	    NULL, 0 },
	{ "btrfs", disk_btrfs,
	    { "MOUNTED vda in btrfs UUID", "ROOT_FS sda on /",
		"MOUNTED vda on /b" },
	    NULL, 0 },
	{ "by source", disk_anonymous, { "MOUNTED vda1 on /bc" }, NULL, 0 },
	{ "mounted elsewhere", disk_unseen,
	    { "MOUNTED vda with ext4, out of sight", "MOUNTED vda1 on /seen" },
	    NULL, 0 },
	{ "nvme multipath", disk_multipath, { "MOUNTED nvme3n1p2 on /srv" },
	    NULL, 0 },
	{ "VMD", vmd, { "MOUNTED nvme0n1 on /v" }, NULL, 0 },
	{ "bad mountinfo", bad_mountinfo, { "ROOT_FS vda1 on /" }, NULL,
	    -EBADMSG },
	{ "bad mount number", bad_mount_number, { NULL }, NULL, -EBADMSG },
	{ "no mountinfo", no_mountinfo, { "SWAP vda1" }, NULL, -ENOENT },
	{ "bad dev", bad_dev, { "ROOT_FS vda1 on /" }, NULL, -EBADMSG },
	{ "long dev", long_dev, { "ROOT_FS vda1 on /" }, NULL, -EMSGSIZE },
	{ "bad holders", bad_holders, { "ROOT_FS vda1 on /" }, NULL, -ENOTDIR },
};

START_TEST(scene)
{
	scene_check(&scenes[_i]);
}
END_TEST

/* No line is longer than can be passed on, and a cut one says so. */
START_TEST(long_place)
{
	char point[3000], line[4000], *found;
	struct fixture f;

	memset(point, 'x', sizeof(point));
	point[sizeof(point) - 1] = '\0';
	snprintf(line, sizeof(line), "9 1 254:0 / /%s rw - e s r\n", point);
	fixture_init(&f);
	disk(&f);
	mountinfo(&f, line);
	ck_assert_int_eq(collect(f.root, "0000:00:02.0", &found), 0);
	ck_assert_uint_lt(strlen(found), 540);
	ck_assert_ptr_nonnull(strstr(found, "xxx...\n"));
	free(found);
	fixture_fini(&f);
}
END_TEST

/* More than the guard looks at: it says so instead of looking away. */
START_TEST(too_many)
{
	struct fixture f;
	char path[128], *found;

	fixture_init(&f);
	device(&f);
	for (int i = 0; i < 2100; i++) {
		snprintf(path, sizeof(path), DEV "/block/d%d", i);
		fixture_class(&f, "block", path);
	}
	ck_assert_int_eq(collect(f.root, "0000:00:02.0", &found), -E2BIG);
	free(found);
	fixture_fini(&f);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("guard: disks");
	TCase *tc = tcase_create("guard: disks");

	tcase_set_timeout(tc, 60);
	suite_add_tcase(s, tc);
	tcase_add_loop_test(tc, scene, 0, sizeof(scenes) / sizeof(scenes[0]));
	tcase_add_test(tc, long_place);
	tcase_add_test(tc, too_many);
	return run_suite(s);
}
