/* SPDX-License-Identifier: ISC */
/* The host-in-use guard: each reason, none, many, and hostile trees. */

#include <arpa/inet.h>
#include <net/if.h>

#include <dirent.h>
#include <errno.h>
#include <ifaddrs.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <check.h>

#include "broker/guard/guard.h"
#include "tests/unit/fixture.h"

#define DEV "pci0000:00/0000:00:02.0"
#define VBLK DEV "/virtio1/block/"
#define UP 0x1003U
#define DOWN 0x1002U

struct scene {
	const char *name;
	void (*build)(struct fixture *);
	const char *expect[12]; /* each line once, in any order */
	const char *bdf; /* NULL: 0000:00:02.0 */
	int error;
};

/* The function that most scenes ask about: alone in a group of its own. */
static void
device(struct fixture *f)
{
	fixture_pci(
	    f, &(struct fixture_pci){
		   .bdf = "0000:00:02.0", .driver = "some", .group = 7 });
}

static void
mountinfo(struct fixture *f, const char *line)
{
	fixture_append(f, line, "proc/1/mountinfo");
}

static void
disk(struct fixture *f)
{
	device(f);
	fixture_block(f, VBLK "vda", "254:0");
	fixture_block(f, VBLK "vda/vda1", "254:1");
	fixture_block(f, "virtual/block/loop0", "7:0");
	fixture_file(f, "Filename\tType\tSize\tUsed\tPriority\n", "proc/swaps");
	mountinfo(f, "40 27 7:0 / /loop rw - ext4 /dev/loop0 rw\n");
	mountinfo(f, "41 27 254:16 / /b rw - ext4 /dev/vdb rw\n");
}

static void
disk_root(struct fixture *f)
{
	disk(f);
	mountinfo(f, "27 1 254:1 / / rw - ext4 /dev/root rw\n");
}

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

static void
net(struct fixture *f, unsigned int flags)
{
	device(f);
	fixture_net(f, DEV "/virtio2/net/eth0", 2, flags);
	fixture_net(f, "virtual/net/lo", 1, 0x9);
	fixture_file(f, "", "sys/class/net/bonding_masters");
	fixture_file(
	    f, "1 127.0.0.1\n3 198.51.100.1\n", "proc/net/ipv4_addresses");
	fixture_file(f,
	    "00000000000000000000000000000001 01 80 10 80 lo\n"
	    "fe80000000000000505400fffe123456 02 40 20 80 eth0\n",
	    "proc/net/if_inet6");
	fixture_file(f,
	    "00000000000000000000000000000000 00 "
	    "00000000000000000000000000000000 00 "
	    "00000000000000000000000000000000 ffffffff 00000001 00000000 "
	    "00200200       lo\n",
	    "proc/net/ipv6_route");
}

static void
net_up(struct fixture *f)
{
	net(f, UP);
}

static void
addresses(struct fixture *f)
{
	fixture_append(
	    f, "2 192.0.2.1\n2 192.0.2.2\n", "proc/net/ipv4_addresses");
	fixture_append(f, "20010db8000000000000000000000005 02 40 00 80 eth0\n",
	    "proc/net/if_inet6");
}

static void
net_address(struct fixture *f)
{
	net(f, UP);
	addresses(f);
}

static void
net_down(struct fixture *f)
{
	net(f, DOWN);
	addresses(f);
}

static void
net_master(struct fixture *f)
{
	net(f, DOWN);
	fixture_net(f, "virtual/net/br0", 3, UP);
	fixture_upper(f, "eth0", "br0", 1);
}

/* eth0 in bond0, and a VLAN on that, which has the address and the routes. */
static void
net_stack(struct fixture *f)
{
	net(f, UP);
	fixture_net(f, "virtual/net/bond0", 4, UP);
	fixture_net(f, "virtual/net/bond0.5", 3, UP);
	fixture_upper(f, "eth0", "bond0", 1);
	fixture_upper(f, "bond0", "bond0.5", 0);
	fixture_append(f,
	    "bond0.5\t00000000\t010200C0\t0003\t0\t0\t0\t00000000\t0\t0\t0   \n",
	    "proc/net/route");
}

static void
net_routes(struct fixture *f)
{
	net(f, DOWN);
	fixture_append(f,
	    "eth0\t00000000\t010200C0\t0003\t0\t0\t0\t00000000\t0\t0\t0   \n"
	    "eth0\t000200C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0   \n"
	    "eth0\t00000000\t00000000\t0001\t0\t0\t0\t00000080\t0\t0\t0   \n"
	    "eth1\t00000000\t010200C0\t0003\t0\t0\t9\t00000000\t0\t0\t0   \n"
	    "*\t00000000\t00000000\t0201\t0\t0\t9\t00000000\t0\t0\t0   \n",
	    "proc/net/route");
	fixture_append(f,
	    "00000000000000000000000000000000 00 "
	    "00000000000000000000000000000000 00 "
	    "fd000000000000000000000000000001 00000400 00000002 00000000 "
	    "00000003     eth0\n"
	    "fe800000000000000000000000000000 40 "
	    "00000000000000000000000000000000 00 "
	    "00000000000000000000000000000000 00000400 00000002 00000000 "
	    "00000001     eth0\n"
	    "00000000000000000000000000000000 00 "
	    "00000000000000000000000000000000 00 "
	    "00000000000000000000000000000000 00000400 00000002 00000000 "
	    "00200200     eth0\n",
	    "proc/net/ipv6_route");
}

static void
net_elsewhere(struct fixture *f)
{
	device(f);
	fixture_dir(f, "sys/devices/" DEV "/net");
}

static void
net_no_ipv6(struct fixture *f)
{
	net(f, UP);
	fixture_remove(f, "proc/net/if_inet6");
	fixture_remove(f, "proc/net/ipv6_route");
}

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

static void
no_flags(struct fixture *f)
{
	net_address(f);
	fixture_remove(f, "sys/class/net/eth0/flags");
}

static void
bad_index(struct fixture *f)
{
	net(f, UP);
	fixture_file(f, "2x\n", "sys/class/net/eth0/ifindex");
}

static void
no_route(struct fixture *f)
{
	net_address(f);
	fixture_remove(f, "proc/net/route");
}

static void
bad_routes(struct fixture *f)
{
	net_address(f);
	fixture_append(f, "eth0\t0000\n", "proc/net/route");
}

static void
bad_inet6(struct fixture *f)
{
	net_up(f);
	fixture_append(f, "zz 02 40 00 80 eth0\n", "proc/net/if_inet6");
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
	{ "net up", net_up, { NULL }, NULL, 0 },
	{ "net address", net_address,
	    { "NET_ADDRESS eth0 192.0.2.1", "NET_ADDRESS eth0 192.0.2.2",
		"NET_ADDRESS eth0 2001:db8::5" },
	    NULL, 0 },
	{ "net down", net_down, { NULL }, NULL, 0 },
	{ "net master", net_master, { "NET_MASTER eth0 in br0" }, NULL, 0 },
	{ "net stack", net_stack,
	    { "NET_MASTER eth0 in bond0",
		"NET_ADDRESS bond0.5 above eth0 198.51.100.1",
		"NET_ROUTE bond0.5 above eth0 has the IPv4 default route" },
	    NULL, 0 },
	{ "net routes", net_routes,
	    { "NET_ROUTE eth0 has the IPv4 default route",
		"NET_ROUTE eth0 has the IPv6 default route" },
	    NULL, 0 },
	{ "net elsewhere", net_elsewhere,
	    { "NET_ADDRESS an interface in another network namespace" }, NULL,
	    0 },
	{ "no IPv6", net_no_ipv6, { NULL }, NULL, 0 },
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
	{ "VMD", vmd, { "MOUNTED nvme0n1 on /v" }, NULL, 0 },
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
	{ "bad mountinfo", bad_mountinfo, { "ROOT_FS vda1 on /" }, NULL,
	    -EBADMSG },
	{ "bad mount number", bad_mount_number, { NULL }, NULL, -EBADMSG },
	{ "no mountinfo", no_mountinfo, { "SWAP vda1" }, NULL, -ENOENT },
	{ "bad dev", bad_dev, { "ROOT_FS vda1 on /" }, NULL, -EBADMSG },
	{ "long dev", long_dev, { "ROOT_FS vda1 on /" }, NULL, -EMSGSIZE },
	{ "bad holders", bad_holders, { "ROOT_FS vda1 on /" }, NULL, -ENOTDIR },
	{ "no flags", no_flags, { NULL }, NULL, -ENOENT },
	{ "bad index", bad_index, { NULL }, NULL, -EBADMSG },
	{ "no route", no_route,
	    { "NET_ADDRESS eth0 192.0.2.1", "NET_ADDRESS eth0 192.0.2.2",
		"NET_ADDRESS eth0 2001:db8::5" },
	    NULL, -ENOENT },
	{ "bad routes", bad_routes,
	    { "NET_ADDRESS eth0 192.0.2.1", "NET_ADDRESS eth0 192.0.2.2",
		"NET_ADDRESS eth0 2001:db8::5" },
	    NULL, -EBADMSG },
	{ "bad inet6", bad_inet6, { NULL }, NULL, -EBADMSG },
	{ "no bind", no_bind, { NULL }, NULL, -ENOENT },
	{ "loop", loop_driver,
	    { "VFS_IN_USE 0000:00:02.1 bound to igbvf",
		"VFS_IN_USE 0000:00:02.3 bound to vfio-pci" },
	    NULL, -ELOOP },
};

static void
append_line(void *arg, enum reason reason, const char *what)
{
	FILE *out = arg;

	fprintf(out, "\n%s %s\n", reason_name(reason), what);
}

/* All that was found, each as "\nline\n". */
static int
collect(const char *root, const char *text, char **found)
{
	struct bdf bdf;
	size_t size;
	FILE *out = open_memstream(found, &size);
	int error;

	ck_assert_ptr_nonnull(out);
	ck_assert_int_eq(bdf_parse(text, &bdf), 0);
	error = guard_collect(root, &bdf, append_line, out);
	ck_assert_int_eq(fclose(out), 0);
	return error;
}

START_TEST(scene)
{
	const struct scene *s = &scenes[_i];
	struct fixture f;
	char *found, *at, line[256];
	int error;

	fixture_init(&f);
	s->build(&f);
	error =
	    collect(f.root, s->bdf != NULL ? s->bdf : "0000:00:02.0", &found);
	fixture_fini(&f);

	ck_assert_msg(
	    error == s->error, "%s: error %d%s", s->name, error, found);
	for (size_t i = 0; i < 12 && s->expect[i] != NULL; i++) {
		snprintf(line, sizeof(line), "\n%s\n", s->expect[i]);
		at = strstr(found, line);
		ck_assert_msg(
		    at != NULL, "%s: no %sin:%s", s->name, line + 1, found);
		memmove(at, at + strlen(line), strlen(at + strlen(line)) + 1);
	}
	ck_assert_msg(*found == '\0', "%s: too much:%s", s->name, found);
	free(found);
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

/* Whether a function of this machine has an interface of that name. */
static bool
on_pci(const char *name)
{
	char path[64 + IFNAMSIZ], target[PATH_MAX];

	snprintf(path, sizeof(path), "/sys/class/net/%s", name);
	return realpath(path, target) != NULL && strstr(target, "/pci") != NULL;
}

/* Netlink's answer for this machine against the C library's. */
START_TEST(live_addresses)
{
	static char all[65536];
	char line[128], text[INET_ADDRSTRLEN], *found;
	struct ifaddrs *list, *a;
	struct dirent *entry;
	DIR *dir = opendir("/sys/bus/pci/devices");

	while (dir != NULL && (entry = readdir(dir)) != NULL) {
		if (entry->d_name[0] == '.')
			continue;
		ck_assert_int_eq(collect("", entry->d_name, &found), 0);
		strncat(all, found, sizeof(all) - 1 - strlen(all));
		free(found);
	}
	ck_assert_int_eq(getifaddrs(&list), 0);
	for (a = list; a != NULL; a = a->ifa_next) {
		struct sockaddr_in sin;

		if (a->ifa_addr == NULL || a->ifa_addr->sa_family != AF_INET ||
		    !(a->ifa_flags & IFF_UP) || !on_pci(a->ifa_name))
			continue;
		memcpy(&sin, a->ifa_addr, sizeof(sin));
		inet_ntop(AF_INET, &sin.sin_addr, text, sizeof(text));
		snprintf(line, sizeof(line), "\nNET_ADDRESS %s %s\n",
		    a->ifa_name, text);
		ck_assert_msg(strstr(all, line) != NULL, "no %s", line);
	}
	freeifaddrs(list);
	if (dir != NULL)
		closedir(dir);
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
	TCase *tc = tcase_create("guard");
	Suite *s = suite_create("guard");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, scene, 0, sizeof(scenes) / sizeof(scenes[0]));
	tcase_add_test(tc, long_place);
	tcase_add_test(tc, no_such_function);
	if (geteuid() == 0) /* the links of others' fds */
		tcase_add_test(tc, live_addresses);
	tcase_add_test(tc, too_many);
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
