/* SPDX-License-Identifier: ISC */
/*
 * Device records.  Written by the monitor when no worker runs for the device,
 * by the device's worker while one does: never two writers at once.
 */

#include "record.h"

#include "fault.h"
#include "keyfile.h"
#include "rundir.h"

#include <errno.h>
#include <string.h>

#define RECORD_MAGIC "vfiobroker-device 1"

#define KEY(name, type, member) KEYFILE_KEY(name, type, struct record, member)

static const struct keyfile_key keys[] = {
	KEY("bdf", KEY_BDF, bdf),
	KEY("step", KEY_NAME, step),
	KEY("driver", KEY_NAME, driver),
	KEY("override", KEY_NAME, override),
	KEY("lease", KEY_NUMBER, lease),
	KEY("taken", KEY_NUMBER, taken),
	KEY("reset-none", KEY_NUMBER, reset_none),
	KEY("why", KEY_TEXT, why),
	KEYFILE_ADDED("cdev", KEY_NUMBER, struct record, cdev),
	KEYFILE_ADDED("rebind", KEY_NUMBER, struct record, rebind),
	KEYFILE_ADDED("vfs", KEY_NUMBER, struct record, vfs),
	{ .name = NULL },
};

size_t
record_format(const struct record *r, char *buf, size_t len)
{
	return keyfile_format(buf, len, RECORD_MAGIC, keys, r);
}

int
record_parse(const char *text, size_t len, struct record *out)
{
	struct record r = { .lease = 0 };
	int e = keyfile_parse(text, len, RECORD_MAGIC, keys, &r);

	if (e != 0 || !bdf_valid(&r.bdf))
		return -EBADMSG;
	*out = r;
	return 0;
}

int
record_write(const struct record *r)
{
	char text[RECORD_MAX], name[BDF_STRLEN];
	size_t len = record_format(r, text, sizeof(text));
	int e;

	FAULT_RECORD(r->step, "before");
	e = rundir_replace(
	    RUNDIR_DEVICES, bdf_format(&r->bdf, name), text, len);
	FAULT_RECORD(r->step, "after");
	return e;
}

int
record_read(const struct bdf *bdf, struct record *out)
{
	char text[RECORD_MAX], name[BDF_STRLEN];
	ssize_t n = rundir_read(
	    RUNDIR_DEVICES, bdf_format(bdf, name), text, sizeof(text));
	int e;

	if (n < 0)
		return n == -EFBIG ? -EBADMSG : (int)n;
	e = record_parse(text, (size_t)n, out);
	return e == 0 && bdf_cmp(&out->bdf, bdf) != 0 ? -EBADMSG : e;
}

int
record_remove(const struct bdf *bdf)
{
	char name[BDF_STRLEN];
	int e;

	FAULT_RECORD("remove", "before");
	e = rundir_remove(RUNDIR_DEVICES, bdf_format(bdf, name));
	FAULT_RECORD("remove", "after");
	return e == -ENOENT ? 0 : e;
}

bool
record_named(const char *name, struct bdf *out)
{
	char canonical[BDF_STRLEN];

	return bdf_parse(name, out) == 0 &&
	       strcmp(bdf_format(out, canonical), name) == 0;
}
