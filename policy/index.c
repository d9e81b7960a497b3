/* SPDX-License-Identifier: ISC */
/*
 * Brings lines about the same target together.  Called by read.c, once per
 * policy.  Must never change what a line means: order is all that is made here,
 * and decide.c lets none choose.
 */

#include "index.h"

#include <errno.h>
#include <stdlib.h>

#include "model.h"

static int
target_cmp(const struct target *a, const struct target *b)
{
	const uint64_t x[] = { a->kind, a->key, a->at, (uintptr_t)a->pool };
	const uint64_t y[] = { b->kind, b->key, b->at, (uintptr_t)b->pool };

	for (size_t i = 0; i < sizeof(x) / sizeof(x[0]); i++)
		if (x[i] != y[i])
			return x[i] < y[i] ? -1 : 1;
	return 0;
}

/* Of the same target, the line that stands first comes first. */
static int
entry_cmp(const void *a, const void *b)
{
	const struct index_entry *x = a, *y = b;
	int c = target_cmp(x->target, y->target);

	return c != 0 ? c : (x->rule > y->rule) - (x->rule < y->rule);
}

int
index_make(struct index *index, const struct policy_rule *first)
{
	const struct policy_rule *rule;
	struct index_entry *e;

	for (rule = first; rule != NULL; rule = rule->next)
		index->n++;
	/* One more: there may be none, and NULL would mean failure. */
	e = calloc(index->n + 1, sizeof(*e));
	index->entries = e;
	if (e == NULL)
		return -ENOMEM;
	for (rule = first; rule != NULL; rule = rule->next)
		*e++ = (struct index_entry){ rule, rule->targets };
	e = index->entries;
	qsort(e, index->n, sizeof(*e), entry_cmp);
	for (size_t i = 1; i < index->n; i++)
		if (target_cmp(e[i - 1].target, e[i].target) == 0)
			e[i].target = e[i - 1].target;
	return 0;
}
