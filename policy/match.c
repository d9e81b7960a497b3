/* SPDX-License-Identifier: ISC */
/*
 * Matching: the inner loop of every decision.  Pure comparison, except that
 * `group-of` asks the caller's world.
 */

#include "match.h"

#include <stdlib.h>

/* Some have thousands of groups, and there can be as many lines. */
static int
gid_compare(const void *x, const void *y)
{
	const gid_t *a = x, *b = y;

	return *a < *b ? -1 : *a > *b;
}

void
policy_sort_gids(gid_t *gids, size_t n)
{
	qsort(gids, n, sizeof(gid_t), gid_compare);
}

bool
subject_match(const struct policy_rule *rule, const struct policy_subject *s)
{
	switch (rule->subject) {
	case SUBJECT_USER:
	case SUBJECT_UID:
		return rule->id == s->uid;
	case SUBJECT_GROUP:
	case SUBJECT_GID:
		return s->ngids > 0 && bsearch(&rule->id, s->gids, s->ngids,
					   sizeof(gid_t), gid_compare) != NULL;
	default:
		return rule->subject == SUBJECT_ANY;
	}
}

/* A device is in its own group, whatever else is known of it. */
static bool
match_group_of(uint64_t of, const struct policy_world *w,
    const struct policy_device *d, uint64_t address)
{
	struct bdf b = value_bdf(of);

	return of == address || (d->group >= 0 && w != NULL &&
				    w->group_of(w->arg, &b) == d->group);
}

static bool
match_class(uint64_t key, uint32_t class)
{
	uint64_t full = value_class(class);

	return key == full || key == full >> 8 || key == full >> 16;
}

/* address is the device's: found out once, for all entries of a pool. */
static bool
match_one(const struct target *t, const struct policy_world *w,
    const struct policy_device *d, uint64_t address)
{
	switch (t->kind) {
	case TARGET_BDF:
		return t->key == address;
	case TARGET_SLOT:
		return t->key == (address & ~7ULL);
	case TARGET_ID:
		return t->key == value_ids(d->vendor, d->device) &&
		       (t->at == VALUE_ABSENT || t->at == address);
	case TARGET_CLASS:
		return match_class(t->key, d->class);
	case TARGET_VF_OF:
		return d->is_vf && t->key == bdf_number(&d->pf);
	case TARGET_GROUP_OF:
		return match_group_of(t->key, w, d, address);
	default:
		return t->kind == TARGET_ALL;
	}
}

static enum match
match_ids(const struct target *t, const struct policy_device *d)
{
	if (t->expect == VALUE_ABSENT ||
	    t->expect == value_ids(d->vendor, d->device))
		return MATCH_YES;
	return MATCH_IDENTITY;
}

enum match
target_means(const struct target *t, const struct policy_world *w,
    const struct policy_device *d)
{
	uint64_t address = bdf_number(&d->bdf);
	enum match best = MATCH_NO;

	if (t->kind != TARGET_POOL)
		return match_one(t, w, d, address) ? MATCH_YES : MATCH_NO;
	for (const struct target *e = t->pool->targets; e != NULL; e = e->next)
		if (match_one(e, w, d, address) && match_ids(e, d) > best)
			best = match_ids(e, d);
	return best;
}

enum match
target_expect(
    const struct target *t, enum match means, const struct policy_device *d)
{
	return means == MATCH_YES ? match_ids(t, d) : means;
}

enum match
target_match(const struct target *t, const struct policy_world *w,
    const struct policy_device *d)
{
	return target_expect(t, target_means(t, w, d), d);
}

uint64_t
target_expected(const struct target *t, const struct policy_world *w,
    const struct policy_device *d)
{
	const struct target *e = NULL;

	if (t->kind == TARGET_POOL && target_means(t, w, d) != MATCH_YES)
		e = t->pool->targets;
	while (e != NULL && !match_one(e, w, d, bdf_number(&d->bdf)))
		e = e->next;
	return e != NULL ? e->expect : t->expect;
}
