/* SPDX-License-Identifier: ISC */
/*
 * Device records from a disk that cannot be trusted: reading stays within the
 * text, what is taken can be written and read again without a change, and no
 * name in it can become a path.
 */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "broker/monitor/record.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
must(int ok)
{
	if (!ok)
		abort();
}

static void
must_be_name(const char name[SYSFS_NAME_MAX])
{
	must(memchr(name, '\0', SYSFS_NAME_MAX) != NULL);
	must(strchr(name, '/') == NULL && strchr(name, '\n') == NULL);
}

static void
must_equal(const struct record *a, const struct record *b)
{
	must(bdf_cmp(&a->bdf, &b->bdf) == 0);
	must(strcmp(a->step, b->step) == 0);
	must(strcmp(a->driver, b->driver) == 0);
	must(strcmp(a->override, b->override) == 0);
	must(a->lease == b->lease);
	must(a->taken == b->taken && a->reset_none == b->reset_none);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	char text[RECORD_MAX];
	struct record r, again;
	size_t n;

	if (record_parse((const char *)data, len, &r) != 0)
		return 0;
	must(bdf_valid(&r.bdf));
	must_be_name(r.step);
	must_be_name(r.driver);
	must_be_name(r.override);
	n = record_format(&r, text, sizeof(text));
	must(n > 0 && n < sizeof(text));
	must(record_parse(text, n, &again) == 0);
	must_equal(&r, &again);
	return 0;
}
