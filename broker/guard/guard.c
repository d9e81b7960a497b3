/* SPDX-License-Identifier: ISC */
/*
 * The host-in-use guard: the table of its checks, those about the function
 * itself and its displays, and the few readers that all checks share.
 * vfiobroker-guard calls guard_collect() before the monitor takes a device from
 * a host driver and when somebody asks that to explain; `vfiobroker policy check'
 * calls it as whoever it runs as.
 *
 * It must never write, never open a device node, never touch a path on a mounted
 * file system, and never read an attribute whose show function takes the device
 * lock: a hung probe or reset holds that lock for ever, and the reader would hang
 * with it, where no signal ends it.
 */

#include "broker/guard/guard.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "broker/guard/guard_check.h"

#define PCI "sys/bus/pci/devices/%s"
#define LINKS_MAX 262144 /* of processes: about a third of a second */

void
guard_fail(struct guard *g, int error)
{
	if (g->error == 0)
		g->error = error;
}

void
guard_report(struct guard *g, enum reason reason, const char *fmt, ...)
{
	char what[512];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	if (n < 0 || (size_t)n >= sizeof(what))
		memcpy(what + sizeof(what) - 4, "...", 4);
	/* Mount points, volumes and processes are named by anybody. */
	for (char *c = what; *c != '\0'; c++) {
		if (*c < ' ' || *c > '~')
			*c = '?';
	}
	g->found(g->arg, reason, what);
}

struct guard_item *
guard_add(struct guard *g, const char *name)
{
	struct guard_item *item = &g->item[g->count];

	for (size_t i = 0; i < g->count; i++) {
		if (strcmp(g->item[i].name, name) == 0)
			return NULL;
	}
	if (g->count == GUARD_ITEMS_MAX || strlen(name) >= sizeof(item->name)) {
		guard_fail(g, -E2BIG);
		return NULL;
	}
	memset(item, 0, sizeof(*item));
	memcpy(item->name, name, strlen(name));
	g->count++;
	return item;
}

/* A missing file is no error here, nor is a process that just ended. */
static bool
missing(struct guard *g, int error)
{
	if (error != ENOENT && error != ESRCH)
		guard_fail(g, -error);
	return false;
}

const char *
guard_path(struct guard *g, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(g->path, sizeof(g->path), fmt, ap);
	va_end(ap);
	if (n < 0 || (size_t)n >= sizeof(g->path))
		guard_fail(g, -ENAMETOOLONG);
	return g->path;
}

bool
guard_read(struct guard *g, char *buf, size_t size, const char *path)
{
	int attrfd = openat(g->rootfd, path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	buf[0] = '\0';
	if (attrfd < 0)
		return missing(g, errno);
	n = read(attrfd, buf, size - 1);
	if (n < 0)
		missing(g, errno);
	close(attrfd);
	if (n < 0)
		return false;
	buf[n] = '\0';
	if ((size_t)n == size - 1 && buf[n - 1] != '\n')
		guard_fail(g, -EMSGSIZE);
	buf[strcspn(buf, "\n")] = '\0';
	return true;
}

bool
guard_link(struct guard *g, char *buf, size_t size, const char *path)
{
	ssize_t n = readlinkat(g->rootfd, path, buf, size);

	if (n < 0 && errno == EINVAL) /* no link, so a link is missing */
		return false;
	if (n < 0 || (size_t)n == size)
		return missing(g, n < 0 ? errno : ENAMETOOLONG);
	buf[n] = '\0';
	return true;
}

bool
guard_exists(struct guard *g, const char *path)
{
	return faccessat(g->rootfd, path, F_OK, 0) == 0 || missing(g, errno);
}

/*
 * The address is a whole component of the link's target.  It is one of all
 * that is behind a bridge, too, so nobody asks this about a bridge.  An
 * endpoint has functions below it only as a VMD has: they go when it goes.
 */
bool
guard_owns(struct guard *g, const char *class, const char *name)
{
	char target[PATH_MAX];

	guard_path(g, "sys/class/%s/%s", class, name);
	if (!guard_link(g, target, sizeof(target), g->path))
		return false;
	return strstr(target, g->below) != NULL;
}

void
guard_each(struct guard *g, guard_visit *visit, const char *path)
{
	int dirfd = openat(g->rootfd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = dirfd < 0 ? NULL : fdopendir(dirfd);
	struct dirent *entry;

	if (dir == NULL) {
		missing(g, errno);
		if (dirfd >= 0)
			close(dirfd);
		return;
	}
	while (errno = 0, (entry = readdir(dir)) != NULL) {
		if (entry->d_name[0] != '.')
			visit(g, entry->d_name);
	}
	if (errno != 0)
		missing(g, errno);
	closedir(dir);
}

bool
guard_lines(struct guard *g, guard_visit *visit, const char *path)
{
	int filefd = openat(g->rootfd, path, O_RDONLY | O_CLOEXEC);
	FILE *file = filefd < 0 ? NULL : fdopen(filefd, "r");
	char *line = NULL;
	size_t size = 0;

	if (file == NULL) {
		missing(g, errno);
		if (filefd >= 0)
			close(filefd);
		return false;
	}
	while (errno = 0, getline(&line, &size, file) >= 0) {
		line[strcspn(line, "\n")] = '\0';
		visit(g, line);
	}
	if (!feof(file))
		guard_fail(g, errno != 0 ? -errno : -EIO);
	free(line);
	fclose(file);
	return true;
}

static void
vf_visit(struct guard *g, char *name)
{
	char driver[PATH_MAX], vf[PATH_MAX];

	/* A VF without a driver is in nobody's hands. */
	if (strncmp(name, "virtfn", strlen("virtfn")) == 0 &&
	    guard_link(
		g, vf, sizeof(vf), guard_path(g, PCI "/%s", g->bdf, name)) &&
	    guard_link(g, driver, sizeof(driver),
		guard_path(g, PCI "/%s/driver", g->bdf, name)))
		guard_report(g, REASON_VFS_IN_USE, "%s bound to %s",
		    basename(vf), basename(driver));
}

static void
check_vfs(struct guard *g)
{
	guard_each(g, vf_visit, guard_path(g, PCI, g->bdf));
}

/* The attribute exists for functions of the VGA class only. */
static void
check_boot_vga(struct guard *g)
{
	char value[16];

	if (guard_read(g, value, sizeof(value),
		guard_path(g, PCI "/boot_vga", g->bdf)) &&
	    strcmp(value, "1") == 0)
		guard_report(g, REASON_BOOT_VGA, "%s", g->bdf);
}

static void
fb_visit(struct guard *g, char *name)
{
	if (guard_owns(g, "graphics", name))
		guard_add(g, name);
}

/* "(M) frame buffer device"; bound when a console or more is on it. */
static void
vtcon_visit(struct guard *g, char *name)
{
	char text[64], bound[16];

	if (!guard_read(g, text, sizeof(text),
		guard_path(g, "sys/class/vtconsole/%s/name", name)) ||
	    strstr(text, "frame buffer") == NULL)
		return;
	if (!guard_read(g, bound, sizeof(bound),
		guard_path(g, "sys/class/vtconsole/%s/bind", name)))
		guard_fail(g, -ENOENT);
	else if (strcmp(bound, "0") != 0)
		guard_report(
		    g, REASON_CONSOLE, "%s under %s", g->item[0].name, name);
}

/*
 * The bind attribute takes the console lock, the one lock in the guard that
 * another driver may hold for long: read for a function with a frame buffer
 * only, and only when the frame buffer console is there.
 */
static void
check_console(struct guard *g)
{
	guard_each(g, fb_visit, "sys/class/graphics");
	if (g->count > 0)
		guard_each(g, vtcon_visit, "sys/class/vtconsole");
}

/* card0-DP-1 is a connector: it has no node. */
static void
drm_visit(struct guard *g, char *name)
{
	if (strchr(name, '-') == NULL && guard_owns(g, "drm", name))
		guard_add(g, name);
}

/* By the end of the path: a container may have its /dev elsewhere. */
static void
fd_visit(struct guard *g, char *name)
{
	char target[PATH_MAX], comm[64];
	const char *node;

	if (g->links++ >= LINKS_MAX) {
		guard_fail(g, -E2BIG);
		return;
	}
	if (!guard_link(g, target, sizeof(target),
		guard_path(g, "proc/%s/fd/%s", g->dir, name)) ||
	    (node = strstr(target, "/dri/")) == NULL)
		return;
	for (struct guard_item *i = g->item; i < g->item + g->count; i++) {
		if (i->mark || strcmp(node + strlen("/dri/"), i->name) != 0)
			continue;
		i->mark = true;
		if (!guard_read(g, comm, sizeof(comm),
			guard_path(g, "proc/%s/comm", g->dir)))
			strcpy(comm, "?");
		guard_report(g, REASON_DRM_IN_USE, "%s open in %s (%s)",
		    i->name, g->dir, comm);
	}
}

/* Says of each process once that it has a node open. */
static void
process_visit(struct guard *g, char *name)
{
	if (name[strspn(name, "0123456789")] != '\0' || g->links > LINKS_MAX)
		return;
	for (size_t i = 0; i < g->count; i++)
		g->item[i].mark = false;
	g->dir = name;
	guard_each(g, fd_visit, guard_path(g, "proc/%s/fd", name));
}

static void
check_drm(struct guard *g)
{
	guard_each(g, drm_visit, "sys/class/drm");
	if (g->count > 0)
		guard_each(g, process_visit, "proc");
}

/* A group has a name only when VFIO made it up for want of an IOMMU. */
static void
check_group(struct guard *g)
{
	char group[PATH_MAX], name[64];

	if (!guard_link(g, group, sizeof(group),
		guard_path(g, PCI "/iommu_group", g->bdf)))
		guard_report(g, REASON_NO_IOMMU_GROUP, "%s", g->bdf);
	else if (guard_read(g, name, sizeof(name),
		     guard_path(g, PCI "/iommu_group/name", g->bdf)) &&
		 strcmp(name, "vfio-noiommu") == 0)
		guard_report(g, REASON_NOIOMMU, "group %s", basename(group));
}

static void (*const checks[])(struct guard *) = {
	guard_block,
	guard_net,
	check_vfs,
	check_boot_vga,
	check_console,
	check_drm,
	check_group,
};

/*
 * A bridge (base class 06) is never given out, whatever stands behind it, and
 * its address is part of the path of all that does: it is asked nothing more.
 */
static void
guard_run(struct guard *g)
{
	char class[16];

	if (!guard_read(
		g, class, sizeof(class), guard_path(g, PCI "/class", g->bdf))) {
		guard_fail(g, -ENOENT);
		return;
	}
	if (strncmp(class, "0x06", 4) == 0) {
		guard_report(g, REASON_NOT_ENDPOINT, "class %.4s", class + 2);
		return;
	}
	for (size_t i = 0; i < sizeof(checks) / sizeof(checks[0]); i++) {
		g->count = 0;
		checks[i](g);
	}
}

static void
guard_open(struct guard *g, const char *sysroot, const struct bdf *bdf)
{
	g->live = sysroot[0] == '\0';
	bdf_format(bdf, g->bdf);
	snprintf(g->below, sizeof(g->below), "/%s/", g->bdf);
	g->rootfd =
	    open(g->live ? "/" : sysroot, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (g->rootfd < 0)
		g->error = -errno;
	g->item = calloc(GUARD_ITEMS_MAX, sizeof(*g->item));
	if (g->item == NULL)
		g->error = -ENOMEM;
}

static void
guard_close(struct guard *g)
{
	if (g->rootfd >= 0)
		close(g->rootfd);
	free(g->item);
}

int
guard_collect(const char *sysroot, const struct bdf *bdf,
    void (*found)(void *arg, enum reason, const char *what), void *arg)
{
	struct guard g = { .found = found, .arg = arg };

	guard_open(&g, sysroot, bdf);
	if (g.error == 0)
		guard_run(&g);
	guard_close(&g);
	return g.error;
}

bool
guard_draws(const char *sysroot, const struct bdf *bdf)
{
	struct guard g = { .error = 0 };

	guard_open(&g, sysroot, bdf);
	if (g.error == 0)
		guard_each(&g, drm_visit, "sys/class/drm");
	guard_close(&g);
	return g.count > 0 || g.error != 0;
}
