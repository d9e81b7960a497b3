/* SPDX-License-Identifier: ISC */
/*
 * Lease files as the broker finds them at its start: reading stays within the
 * text, texts stay within their fields, and what is taken can be written and
 * read again without a change.
 */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "broker/monitor/lease.h"
#include "broker/monitor/leasefile.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
must(int ok)
{
	if (!ok)
		abort();
}

static void
must_be_line(const char *text, size_t size)
{
	must(memchr(text, '\0', size) != NULL);
	must(strchr(text, '\n') == NULL);
}

static void
must_equal(const struct lease *a, const struct lease *b)
{
	must(a->id == b->id && a->uid == b->uid && a->pid == b->pid);
	must(a->since == b->since && a->memlock == b->memlock);
	must(strcmp(a->comm, b->comm) == 0);
	must(strcmp(a->label, b->label) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct lease l = { .probefd = -1 }, again = l;
	char text[LEASE_TEXT_MAX];
	size_t n;

	if (lease_parse((const char *)data, len, &l) != 0)
		return 0;
	must_be_line(l.comm, sizeof(l.comm));
	must_be_line(l.label, sizeof(l.label));
	n = lease_format(&l, text, sizeof(text));
	must(n > 0 && n < sizeof(text));
	if (l.pid < 0)
		return 0; /* no process has such a number */
	must(lease_parse(text, n, &again) == 0);
	must_equal(&l, &again);
	return 0;
}
