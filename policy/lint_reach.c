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

/*
 * Without any group there is no IOMMU that is on, or the machine is not all
 * there, as in a container: that is not the fault of a line.
 */
enum loss
lint_loss(const struct lint *l, const struct policy_rule *rule, size_t i)
{
	const struct policy_device *d = &l->machine->devices[i];

	/* A claim is nobody's, so nobody can be denied it. */
	if (rule->verb == VERB_ALLOW && lint_denied(l, rule, i))
		return LOSS_DENIED;
	if (target_match(rule->targets, &l->world, d) == MATCH_IDENTITY)
		return LOSS_IDS;
	if (device_is_bridge(d))
		return LOSS_BRIDGE;
	return l->grouped && d->group < 0 ? LOSS_GROUP : LOSS_NONE;
}

bool
lint_gives(const struct lint *l, const struct policy_rule *rule, size_t i)
{
	return lint_hits(l, rule, i) && lint_loss(l, rule, i) == LOSS_NONE;
}

/* Without `managed` a line takes nothing from a driver but siblings. */
bool
lint_claims(const struct lint *l, const struct policy_rule *rule, size_t i)
{
	return (rule->verb == VERB_CLAIM || rule->value[FIELD_MANAGED] != 0) &&
	       lint_gives(l, rule, i);
}

/* With another one of its group; what is denied is left, and so is the rest. */
bool
lint_takes_along(const struct lint *l, const struct policy_rule *rule, size_t i)
{
	const struct policy_device *d = l->machine->devices;

	if (rule->value[FIELD_SIBLINGS] == 0 || d[i].group < 0 ||
	    device_is_bridge(&d[i]) || lint_denied(l, rule, i))
		return false;
	for (size_t j = 0; j < l->machine->ndevices; j++)
		if (j != i && d[j].group == d[i].group &&
		    lint_gives(l, rule, j))
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

static int
reach_line(struct lint *l, const struct policy_rule *rule)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < l->machine->ndevices; i++) {
		struct reach *reach = &l->reach[i];

		if (rule->verb == VERB_ALLOW && lint_gives(l, rule, i))
			r = reach_add(reach, rule);
		reach->taken = reach->taken || lint_claims(l, rule, i) ||
			       lint_takes_along(l, rule, i);
	}
	return r;
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
	for (size_t i = 0; i < n; i++)
		l->grouped = l->grouped || l->machine->devices[i].group >= 0;
	for (; r == 0 && rule != NULL; rule = rule->next)
		r = reach_line(l, rule);
	rule = l->policy->first[VERB_CLAIM];
	for (; r == 0 && rule != NULL; rule = rule->next)
		r = reach_line(l, rule);
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
