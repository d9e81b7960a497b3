/* SPDX-License-Identifier: ISC */
/*
 * What somebody holds: by his leases, and by those that are over whose devices
 * are not yet proven free.  Counted anew for each question.
 */

#include "usage.h"

#include "inventory.h"
#include "lease.h"

#include <errno.h>
#include <stdlib.h>

static void
count_leases(const struct leases *list, uid_t uid, const struct lease *except,
    struct policy_usage *out)
{
	const struct lease *l;

	TAILQ_FOREACH(l, list, entry) {
		if (l->uid != uid || l == except)
			continue;
		out->leases++;
		if (__builtin_add_overflow(
			out->memlock, l->memlock, &out->memlock))
			out->memlock = UINT64_MAX;
	}
}

/* Whose lease has it, or had it and may not have let go of it. */
static const struct lease *
holder_of(const struct device *d, bool ended)
{
	return d->lease != NULL || !ended ? d->lease : d->held_by;
}

int
usage_of(
    uid_t uid, const struct lease *except, bool ended, struct policy_usage *out)
{
	struct policy_device *devices;
	const struct device *d;
	const struct lease *l;
	size_t n = 0;

	*out = (struct policy_usage){ .ndevices = 0 };
	TAILQ_FOREACH(d, &inventory, entry)
		n++;
	/* Each twice: what is held, and what usage_add() may add to it. */
	devices = calloc(2 * n + 1, sizeof(*devices));
	if (devices == NULL)
		return -ENOMEM;
	out->devices = devices;
	count_leases(&leases, uid, except, out);
	if (ended)
		count_leases(&ended_leases, uid, except, out);
	TAILQ_FOREACH(d, &inventory, entry) {
		l = holder_of(d, ended);
		if (l != NULL && l->uid == uid && l != except)
			usage_add(out, d);
	}
	return 0;
}

void
usage_add(struct policy_usage *u, const struct device *d)
{
	struct policy_device *devices = (void *)(uintptr_t)u->devices;

	devices[u->ndevices++] = d->facts;
}

void
usage_clear(struct policy_usage *u)
{
	free((void *)(uintptr_t)u->devices);
	u->devices = NULL;
}
