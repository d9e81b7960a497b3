/* SPDX-License-Identifier: ISC */
/*
 * Builds the fake host of fixture.h.  Used by unit tests only.  Must never
 * write outside its own temporary directory.
 */

#include "tests/unit/fixture.h"

#include <sys/stat.h>

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FORMAT_PATH(path, fmt)              \
	do {                                \
		va_list ap;                 \
		va_start(ap, fmt);          \
		path_format(path, fmt, ap); \
		va_end(ap);                 \
	} while (0)

static void __attribute__((format(printf, 2, 0)))
path_format(char path[PATH_MAX], const char *fmt, va_list ap)
{
	int n = vsnprintf(path, PATH_MAX, fmt, ap);

	if (n <= 0 || n >= PATH_MAX || path[0] == '/')
		errx(1, "fixture: bad path %s", path);
}

/* Makes the directories above path. */
static void
make_parents(struct fixture *f, char *path)
{
	for (char *slash = strchr(path, '/'); slash != NULL;
	     slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (mkdirat(f->rootfd, path, 0755) != 0 && errno != EEXIST)
			err(1, "fixture: mkdir %s", path);
		*slash = '/';
	}
}

static void
write_file(struct fixture *f, char *path, int flags, const char *content)
{
	int filefd;

	make_parents(f, path);
	filefd = openat(
	    f->rootfd, path, O_WRONLY | O_CREAT | O_CLOEXEC | flags, 0644);
	if (filefd < 0 ||
	    write(filefd, content, strlen(content)) != (ssize_t)strlen(content))
		err(1, "fixture: write %s", path);
	close(filefd);
}

void
fixture_init(struct fixture *f)
{
	fixture_init_in(f, "/tmp");
}

void
fixture_init_in(struct fixture *f, const char *dir)
{
	snprintf(f->root, sizeof(f->root), "%s/vfiobroker-fixture.XXXXXX", dir);
	if (mkdtemp(f->root) == NULL)
		err(1, "fixture: mkdtemp");
	f->rootfd = open(f->root, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (f->rootfd < 0)
		err(1, "fixture: %s", f->root);
	fixture_dir(f, "sys/bus/pci/devices");
	fixture_file(
	    f, "22 27 0:21 / /proc rw - proc proc rw\n", "proc/1/mountinfo");
	fixture_file(f, "Iface\tDestination\n", "proc/net/route");
}

static int
remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	(void)st;
	(void)flag;
	(void)ftw;
	return remove(path);
}

void
fixture_fini(struct fixture *f)
{
	int tries = 0;

	close(f->rootfd);
	f->rootfd = -1;
	/* A child of the test may be writing into it still: what it makes or
	 * takes away in the middle of this is no error. */
	while (nftw(f->root, remove_one, 16, FTW_DEPTH | FTW_PHYS) != 0) {
		if (++tries == 100 || (errno != ENOTEMPTY && errno != ENOENT))
			err(1, "fixture: removing %s", f->root);
	}
}

void
fixture_dir(struct fixture *f, const char *fmt, ...)
{
	char path[PATH_MAX];

	FORMAT_PATH(path, fmt);
	make_parents(f, path);
	if (mkdirat(f->rootfd, path, 0755) != 0 && errno != EEXIST)
		err(1, "fixture: mkdir %s", path);
}

void
fixture_file(struct fixture *f, const char *content, const char *fmt, ...)
{
	char path[PATH_MAX];

	FORMAT_PATH(path, fmt);
	write_file(f, path, O_TRUNC, content);
}

void
fixture_append(struct fixture *f, const char *content, const char *fmt, ...)
{
	char path[PATH_MAX];

	FORMAT_PATH(path, fmt);
	write_file(f, path, O_APPEND, content);
}

void
fixture_link(struct fixture *f, const char *target, const char *fmt, ...)
{
	char path[PATH_MAX];

	FORMAT_PATH(path, fmt);
	make_parents(f, path);
	(void)unlinkat(f->rootfd, path, 0); /* fails when there is none */
	if (symlinkat(target, f->rootfd, path) != 0)
		err(1, "fixture: link %s", path);
}

void
fixture_remove(struct fixture *f, const char *fmt, ...)
{
	char path[PATH_MAX], full[PATH_MAX + sizeof(f->root)];

	FORMAT_PATH(path, fmt);
	snprintf(full, sizeof(full), "%s/%s", f->root, path);
	if (nftw(full, remove_one, 16, FTW_DEPTH | FTW_PHYS) != 0)
		err(1, "fixture: removing %s", full);
}

/* As the kernel makes links: up from the link's place, and down again. */
static void __attribute__((format(printf, 3, 4)))
link_up(struct fixture *f, const char *to, const char *fmt, ...)
{
	char path[PATH_MAX], target[PATH_MAX] = "";

	FORMAT_PATH(path, fmt);
	/* Both are below sys/, whence the link goes down. */
	for (const char *c = strchr(path, '/') + 1;
	     (c = strchr(c, '/')) != NULL; c++)
		strcat(target, "../");
	strcat(target, strchr(to, '/') + 1);
	fixture_link(f, target, "%s", path);
}

static const char *
base(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash != NULL ? slash + 1 : path;
}

static const char *
either(const char *value, const char *otherwise)
{
	return value != NULL ? value : otherwise;
}

static void
pci_attributes(struct fixture *f, const char *dir, const struct fixture_pci *p)
{
	const struct {
		const char *name, *value;
	} attributes[] = {
		{ "class", either(p->class, "0x020000") },
		{ "vendor", either(p->vendor, "0x8086") },
		{ "device", either(p->device, "0x10ca") },
		{ "subsystem_vendor", "0x0000" },
		{ "subsystem_device", "0x0000" },
		{ "revision", "0x01" },
		{ "numa_node", "-1" },
		{ "driver_override", "(null)" },
	};

	for (size_t i = 0; i < sizeof(attributes) / sizeof(attributes[0]);
	     i++) {
		fixture_file(
		    f, attributes[i].value, "%s/%s", dir, attributes[i].name);
		fixture_append(f, "\n", "%s/%s", dir, attributes[i].name);
	}
}

void
fixture_pci(struct fixture *f, const struct fixture_pci *p)
{
	char dir[512], other[512], domain[32];

	snprintf(domain, sizeof(domain), "pci%.*s:00",
	    (int)strcspn(p->bdf, ":"), p->bdf);
	snprintf(dir, sizeof(dir), "sys/devices/%s/%s",
	    either(p->parent, domain), p->bdf);
	pci_attributes(f, dir, p);
	link_up(f, dir, "sys/bus/pci/devices/%s", p->bdf);
	link_up(f, "sys/bus/pci", "%s/subsystem", dir);
	if (p->driver != NULL) {
		snprintf(
		    other, sizeof(other), "sys/bus/pci/drivers/%s", p->driver);
		link_up(f, other, "%s/driver", dir);
		link_up(f, dir, "%s/%s", other, p->bdf);
	}
	if (p->group != 0) {
		snprintf(other, sizeof(other), "sys/kernel/iommu_groups/%d",
		    p->group);
		link_up(f, other, "%s/iommu_group", dir);
		link_up(f, dir, "%s/devices/%s", other, p->bdf);
	}
}

void
fixture_vf(struct fixture *f, const char *pf, const char *vf, int n)
{
	char target[64];

	snprintf(target, sizeof(target), "../%s", vf);
	fixture_link(f, target, "sys/bus/pci/devices/%s/virtfn%d", pf, n);
	snprintf(target, sizeof(target), "../%s", pf);
	fixture_link(f, target, "sys/bus/pci/devices/%s/physfn", vf);
}

void
fixture_class(struct fixture *f, const char *class, const char *devpath)
{
	char dir[512];

	snprintf(dir, sizeof(dir), "sys/devices/%s", devpath);
	fixture_dir(f, "%s", dir);
	link_up(f, dir, "sys/class/%s/%s", class, base(devpath));
}

void
fixture_block(struct fixture *f, const char *devpath, const char *dev)
{
	fixture_class(f, "block", devpath);
	fixture_dir(f, "sys/devices/%s/holders", devpath);
	fixture_file(f, dev, "sys/devices/%s/dev", devpath);
	fixture_append(f, "\n", "sys/devices/%s/dev", devpath);
}

/* Where the link goes does not matter to anybody: the name is what is read. */
void
fixture_holder(struct fixture *f, const char *disk, const char *holder)
{
	char target[512];

	snprintf(target, sizeof(target), "../../%s", holder);
	fixture_link(f, target, "sys/class/block/%s/holders/%s", disk, holder);
}

void
fixture_net(
    struct fixture *f, const char *devpath, int index, unsigned int flags)
{
	char value[32];

	fixture_class(f, "net", devpath);
	snprintf(value, sizeof(value), "%d\n", index);
	fixture_file(f, value, "sys/devices/%s/ifindex", devpath);
	snprintf(value, sizeof(value), "0x%x\n", flags);
	fixture_file(f, value, "sys/devices/%s/flags", devpath);
}

void
fixture_upper(
    struct fixture *f, const char *lower, const char *upper, int is_master)
{
	char target[512];

	snprintf(target, sizeof(target), "../../../virtual/net/%s", upper);
	fixture_link(f, target, "sys/class/net/%s/upper_%s", lower, upper);
	if (is_master)
		fixture_link(f, target, "sys/class/net/%s/master", lower);
}
