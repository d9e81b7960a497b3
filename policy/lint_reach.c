/* SPDX-License-Identifier: ISC */
/*
 * What reaches what: the lines against the devices that are there.  Called by
 * the other files of lint.
 */

#include "lint_parts.h"

#include <errno.h>
#include <stdlib.h>

#include "lint_cover.h"
#include "match.h"

int
lint_group_of(void *arg, const struct bdf *b)
{
	const struct policy_machine *m = arg;

	for (size_t i = 0; i < m->ndevices; i++)
		if (bdf_cmp(&m->devices[i].bdf, b) == 0)
			return m->devices[i].group;
	return -1;
}

bool
lint_hits(const struct lint *l, const struct policy_rule *rule, size_t i)
{
	return target_match(rule->targets, &l->world,
		   &l->machine->devices[i]) != MATCH_NO;
}

/* Some deny line takes the device from all of the line's subjects. */
bool
lint_denied(const struct lint *l, const struct policy_rule *rule, size_t i)
{
	const struct policy_rule *deny = l->policy->first[VERB_DENY];

	for (; deny != NULL; deny = deny->next)
		if (subject_covers(deny, rule) && lint_hits(l, deny, i))
			return true;
	return false;
}

static int
reach_add(struct reach *r, const struct policy_rule *rule)
{
	const struct policy_rule **more;

	for (size_t i = 0; i < r->n; i++)
		if (subject_same(r->rules[i], rule))
			return 0;
	more = reallocarray(r->rules, r->n + 1, sizeof(struct policy_rule *));
	if (more == NULL)
		return -ENOMEM;
	r->rules = more;
	r->rules[r->n++] = rule;
	return 0;
}

int
lint_reach_find(struct lint *l)
{
	const struct policy_rule *rule = l->policy->first[VERB_ALLOW];
	size_t n = l->machine->ndevices;
	int r = 0;

	l->reach = calloc(n + 1, sizeof(struct reach));
	if (l->reach == NULL)
		return -ENOMEM;
	for (; rule != NULL; rule = rule->next)
		for (size_t i = 0; r == 0 && i < n; i++)
			if (lint_hits(l, rule, i) && !lint_denied(l, rule, i))
				r = reach_add(&l->reach[i], rule);
	return r;
}

bool
lint_reach_has(const struct reach *r, const struct policy_rule *rule)
{
	for (size_t i = 0; i < r->n; i++)
		if (r->rules[i] == rule)
			return true;
	return false;
}

bool
lint_reach_covers(const struct reach *r, const struct policy_rule *rule)
{
	for (size_t i = 0; i < r->n; i++)
		if (subject_covers(r->rules[i], rule))
			return true;
	return false;
}

void
lint_reach_clear(struct lint *l)
{
	for (size_t i = 0; l->reach != NULL && i < l->machine->ndevices; i++)
		free(l->reach[i].rules);
	free(l->reach);
}
