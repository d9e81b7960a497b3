/* SPDX-License-Identifier: ISC */
/*
 * The guard's look at block devices: which disks and partitions live on the
 * function, what is stacked on them, and whether any of it is mounted or
 * swapped to.  Called from guard.c's table; must never open or stat a device
 * node or a mount point, which could wait for a dead disk or server.
 */

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "broker/guard/guard_check.h"

#define BLOCK "sys/class/block/%s"
#define SUBSYSTEMS "/virtual/nvme-subsystem/"

/*
 * A hidden path of a multipath disk (nvme0c0n1) has no dev attribute: nobody
 * can open it, and 0:0 matches no mount.
 */
static void
disk_add(struct guard *g, const char *name)
{
	struct guard_item *disk = guard_add(g, name);
	char dev[32];

	if (disk == NULL)
		return;
	if (guard_read(
		g, dev, sizeof(dev), guard_path(g, BLOCK "/dev", name)) &&
	    sscanf(dev, "%u:%u", &disk->major, &disk->minor) != 2)
		guard_fail(g, -EBADMSG);
	guard_read(g, disk->note, sizeof(disk->note),
	    guard_path(g, BLOCK "/dm/name", name));
}

/* What people know a disk by. */
static const char *
disk_label(const struct guard_item *disk)
{
	return disk->note[0] != '\0' ? disk->note : disk->name;
}

static void
controller_visit(struct guard *g, char *name)
{
	char target[PATH_MAX];

	if (guard_link(g, target, sizeof(target),
		guard_path(
		    g, "sys/devices" SUBSYSTEMS "%s/%s", g->dir, name)) &&
	    strstr(target, g->below) != NULL)
		g->hit = true;
}

/*
 * With CONFIG_NVME_MULTIPATH the disk that people mount belongs to the
 * subsystem, a virtual device with links to its controllers; the function
 * itself has a hidden path to it only.
 */
static void
block_visit(struct guard *g, char *name)
{
	char target[PATH_MAX], *subsys;

	if (!guard_link(g, target, sizeof(target), guard_path(g, BLOCK, name)))
		return;
	g->hit = strstr(target, g->below) != NULL;
	subsys = strstr(target, SUBSYSTEMS);
	if (subsys != NULL) {
		subsys += strlen(SUBSYSTEMS);
		subsys[strcspn(subsys, "/")] = '\0';
		g->dir = subsys;
		guard_each(g, controller_visit,
		    guard_path(g, "sys/devices" SUBSYSTEMS "%s", subsys));
	}
	if (g->hit)
		disk_add(g, name);
}

/* Partitions are directories in their disk's: md0p1 in md0, sda1 in sda. */
static void
partition_visit(struct guard *g, char *name)
{
	const char *whole = g->item[g->at].name;

	if (strncmp(name, whole, strlen(whole)) == 0)
		disk_add(g, name);
}

static void
holder_visit(struct guard *g, char *name)
{
	char dm[128];

	if (!guard_read(
		g, dm, sizeof(dm), guard_path(g, BLOCK "/dm/name", name)))
		snprintf(dm, sizeof(dm), "%s", name);
	guard_report(
	    g, REASON_DM_MEMBER, "%s in %s", disk_label(&g->item[g->at]), dm);
	disk_add(g, name);
}

static void
peer_visit(struct guard *g, char *name)
{
	disk_add(g, name);
}

/*
 * A btrfs over several disks is mounted by the name of one of them.  Its
 * directory lists all, and exists while it is mounted: they join the set, so
 * that the mount is found under whichever name.
 */
static void
btrfs_visit(struct guard *g, char *uuid)
{
	for (size_t i = 0; i < g->count; i++) {
		const struct guard_item *disk = &g->item[i];

		guard_path(g, "sys/fs/btrfs/%s/devices/%s", uuid, disk->name);
		if (!guard_exists(g, g->path))
			continue;
		guard_report(g, REASON_MOUNTED, "%s in btrfs %s",
		    disk_label(disk), uuid);
		guard_each(g, peer_visit,
		    guard_path(g, "sys/fs/btrfs/%s/devices", uuid));
		return;
	}
}

/* Undoes procfs's \040 in place. */
static char *
unescape(char *s)
{
	char *to = s;

	for (const char *from = s; *from != '\0'; to++) {
		if (*from == '\\' && strspn(from + 1, "01234567") >= 3) {
			*to = (char)((from[1] - '0') << 6 |
				     (from[2] - '0') << 3 | (from[3] - '0'));
			from += 4;
		} else {
			*to = *from++;
		}
	}
	*to = '\0';
	return s;
}

/* Whether a path that somebody gave to mount or swapon is the disk's node. */
static bool
disk_at(const struct guard_item *disk, const char *path)
{
	static const char mapper[] = "/dev/mapper/";
	char node[sizeof("/dev/") + sizeof(disk->name)];

	if (disk->note[0] != '\0' && strncmp(path, mapper, strlen(mapper)) == 0)
		return strcmp(path + strlen(mapper), disk->note) == 0;
	snprintf(node, sizeof(node), "/dev/%s", disk->name);
	for (char *c = node; *c != '\0'; c++)
		*c = *c == '!' ? '/' : *c; /* as in cciss!c0d0 */
	return strcmp(path, node) == 0;
}

/* By the number, or without one (major 0) by a node among the sources. */
static void
mount_match(struct guard *g, unsigned int major, unsigned int minor,
    const char *node, const char *point)
{
	for (struct guard_item *d = g->item; d < g->item + g->count; d++) {
		if (major != 0 ? d->major != major || d->minor != minor
			       : !disk_at(d, node))
			continue;
		d->mark = true;
		guard_report(g,
		    strcmp(point, "/") == 0 ? REASON_ROOT_FS : REASON_MOUNTED,
		    "%s on %s", disk_label(d), point);
	}
}

/*
 * "36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw": a mount
 * is known by its device number, and only a file system that may be on many
 * disks (btrfs /dev/sda, bcachefs /dev/sda:/dev/sdb; major 0) by its source.
 * FUSE has major 0, too, with a source that any user chose: never believed.
 */
static void
mount_visit(struct guard *g, char *line)
{
	char *field[6], *token, *fstype, *source, *node;
	unsigned int major, minor;

	for (size_t i = 0; i < sizeof(field) / sizeof(field[0]); i++)
		field[i] = strsep(&line, " ");
	do
		token = strsep(&line, " ");
	while (token != NULL && strcmp(token, "-") != 0);
	fstype = strsep(&line, " ");
	source = strsep(&line, " ");
	if (source == NULL || sscanf(field[2], "%u:%u", &major, &minor) != 2) {
		guard_fail(g, -EBADMSG);
		return;
	}
	unescape(field[4]);
	unescape(source);
	if (major == 0 && strncmp(fstype, "fuse", 4) == 0)
		return;
	while ((node = strsep(&source, ":")) != NULL && major == 0)
		mount_match(g, 0, 0, node, field[4]);
	if (major != 0)
		mount_match(g, major, minor, "", field[4]);
}

/*
 * These file systems have a directory by the disk's name while they are
 * mounted anywhere: in a container's namespace, or lazily unmounted and busy.
 */
static void
mounts_unseen(struct guard *g)
{
	static const char *const types[] = { "ext4", "xfs", "f2fs", "erofs" };

	for (struct guard_item *d = g->item; d < g->item + g->count; d++) {
		for (size_t t = 0; t < sizeof(types) / sizeof(types[0]); t++) {
			if (!d->mark &&
			    guard_exists(g, guard_path(g, "sys/fs/%s/%s",
						types[t], d->name)))
				guard_report(g, REASON_MOUNTED,
				    "%s with %s, out of sight", disk_label(d),
				    types[t]);
		}
	}
}

/* "/dev/sda2 partition 1000 0 -2"; a swap file is found by its mount. */
static void
swap_visit(struct guard *g, char *line)
{
	const char *path = unescape(strsep(&line, " \t"));

	for (size_t i = 0; i < g->count; i++) {
		if (disk_at(&g->item[i], path))
			guard_report(
			    g, REASON_SWAP, "%s", disk_label(&g->item[i]));
	}
}

/* In that order: each step may add disks or marks that the next one needs. */
void
guard_block(struct guard *g)
{
	guard_each(g, block_visit, "sys/class/block");
	if (g->count == 0)
		return;
	/* Each is looked at once: rings and depth are no matter. */
	for (g->at = 0; g->at < g->count; g->at++) {
		guard_each(g, partition_visit,
		    guard_path(g, BLOCK, g->item[g->at].name));
		guard_each(g, holder_visit,
		    guard_path(g, BLOCK "/holders", g->item[g->at].name));
	}
	guard_each(g, btrfs_visit, "sys/fs/btrfs");
	/* Not our own: a unit may hide /home and more from us.  An ordinary
	 * user's check of a policy may not see pid 1 (hidepid). */
	if (!guard_lines(g, mount_visit, "proc/1/mountinfo") &&
	    !guard_lines(g, mount_visit, "proc/self/mountinfo"))
		guard_fail(g, -ENOENT);
	mounts_unseen(g);
	guard_lines(g, swap_visit, "proc/swaps");
}
