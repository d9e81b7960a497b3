/* SPDX-License-Identifier: ISC */
/*
 * The machine, for `policy check` and `policy generate`, which have no broker
 * to ask.  Reads /sys and /proc without privilege; what may not be seen is
 * said, and taken as not there, so nothing here may ever decide a grant.
 */

#include "machine.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "broker/guard/guard.h"
#include "pciclass.h"
#include "pciids.h"
#include "say.h"

/* "<sysroot>/sys/bus/pci/devices/<bdf>/<name>" */
static void
attribute_path(char *buf, size_t size, const char *sysroot,
    const struct bdf *bdf, const char *name)
{
	char text[BDF_STRLEN];

	snprintf(buf, size, "%s/sys/bus/pci/devices/%s/%s", sysroot,
	    bdf_format(bdf, text), name);
}

/* A number in hexadecimal or decimal; 0 when it cannot be read. */
static unsigned long
read_number(const char *sysroot, const struct bdf *bdf, const char *name)
{
	char path[PATH_MAX], text[32] = "";
	FILE *f;

	attribute_path(path, sizeof(path), sysroot, bdf, name);
	f = fopen(path, "re");
	if (f == NULL)
		return 0;
	if (fgets(text, sizeof(text), f) == NULL)
		text[0] = '\0';
	fclose(f);
	return strtoul(text, NULL, 0);
}

/* The last component of where a link leads, or "". */
static const char *
read_link(const char *sysroot, const struct bdf *bdf, const char *name,
    char buf[PATH_MAX])
{
	char path[PATH_MAX];
	const char *slash;
	ssize_t n;

	attribute_path(path, sizeof(path), sysroot, bdf, name);
	n = readlink(path, buf, PATH_MAX - 1);
	if (n <= 0)
		return "";
	buf[n] = '\0';
	slash = strrchr(buf, '/');
	return slash != NULL ? slash + 1 : buf;
}

static void
device_read(const char *sysroot, const struct bdf *bdf, struct policy_device *d)
{
	char link[PATH_MAX];
	const char *group;

	*d = (struct policy_device){ .bdf = *bdf, .group = -1 };
	d->vendor = (uint16_t)read_number(sysroot, bdf, "vendor");
	d->device = (uint16_t)read_number(sysroot, bdf, "device");
	d->class = (uint32_t)read_number(sysroot, bdf, "class");
	d->is_vf =
	    bdf_parse(read_link(sysroot, bdf, "physfn", link), &d->pf) == 0;
	group = read_link(sysroot, bdf, "iommu_group", link);
	if (group[0] != '\0')
		d->group = atoi(group);
}

static int
machine_add(struct machine *m, const struct bdf *bdf)
{
	struct policy_device *v = realloc(m->devices, (m->n + 1) * sizeof(*v));

	if (v == NULL)
		return -ENOMEM;
	m->devices = v;
	device_read(m->sysroot, bdf, &v[m->n++]);
	return 0;
}

static int
compare_devices(const void *a, const void *b)
{
	const struct policy_device *x = a, *y = b;

	return bdf_cmp(&x->bdf, &y->bdf);
}

int
machine_read(const char *sysroot, struct machine *m)
{
	struct dirent *entry;
	char path[PATH_MAX];
	struct bdf bdf;
	int r = 0;
	DIR *dir;

	*m = (struct machine){ .sysroot = sysroot };
	snprintf(path, sizeof(path), "%s/sys/bus/pci/devices", sysroot);
	dir = opendir(path);
	if (dir == NULL)
		return -errno;
	while (r == 0 && (entry = readdir(dir)) != NULL)
		if (bdf_parse(entry->d_name, &bdf) == 0)
			r = machine_add(m, &bdf);
	closedir(dir);
	if (m->n > 0)
		qsort(m->devices, m->n, sizeof(*m->devices), compare_devices);
	m->reasons = calloc(m->n + 1, sizeof(*m->reasons));
	return m->reasons == NULL ? -ENOMEM : r;
}

void
machine_free(struct machine *m)
{
	free(m->devices);
	free(m->reasons);
	*m = (struct machine){ .n = 0 };
}

/* ---- advice ----------------------------------------------------------- */

#define REASONS_KNOWN (1U << 31)

static_assert(REASON_COUNT < 31, "a bit for each reason, and one");

static void
found_reason(void *arg, enum reason reason, const char *what)
{
	uint32_t *reasons = arg;

	(void)what;
	*reasons |= 1U << reason;
}

/*
 * What others have open only root may see, so who uses a graphics card mostly
 * can not be told: silence would be taken for "nobody".
 */
static void
collect(const struct machine *m, const struct bdf *bdf, uint32_t *reasons)
{
	int r = guard_collect(m->sysroot, bdf, found_reason, reasons);
	char name[BDF_STRLEN];

	if (r != 0)
		say("cannot tell whether the host needs %s: %s",
		    bdf_format(bdf, name), strerror(-r));
	*reasons |= REASONS_KNOWN;
}

/* The guard reads much of /sys, and most devices are never asked about. */
static bool
needs(void *arg, size_t i, enum reason reason)
{
	struct machine *m = arg;
	uint32_t *reasons = &m->reasons[i];

	if ((*reasons & REASONS_KNOWN) == 0)
		collect(m, &m->devices[i].bdf, reasons);
	return (*reasons & 1U << reason) != 0;
}

/* "ethernet, igb": class and driver, or the name that pci.ids has. */
static const char *
label(void *arg, size_t i)
{
	static char text[MACHINE_LABEL_MAX];
	const struct machine *m = arg;
	const struct policy_device *d = &m->devices[i];
	char link[PATH_MAX];
	const char *driver = read_link(m->sysroot, &d->bdf, "driver", link);

	if (!pciids_name(d->vendor, d->device, text, sizeof(text)))
		snprintf(text, sizeof(text), "%s%s%.32s",
		    pciclass_name(d->class), driver[0] != '\0' ? ", " : "",
		    driver);
	return text;
}

struct policy_machine
machine_for_policy(struct machine *m)
{
	return (struct policy_machine){ .devices = m->devices,
		.ndevices = m->n,
		.needs = needs,
		.label = label,
		.arg = m };
}
