/* SPDX-License-Identifier: ISC */
/*
 * Users in each other's way: what one has, another may need or rule.  Called by
 * lint.c for each allow line.
 */

#include "lint_parts.h"

#include "lint_cover.h"

/* What line rule may take with device i, another subject may hold. */
static bool
warn_split(const struct lint *l, const struct policy_rule *rule, size_t i)
{
	const struct policy_device *d = l->machine->devices;
	char name[BDF_STRLEN];

	for (size_t j = 0; j < l->machine->ndevices; j++) {
		const struct reach *other = &l->reach[j];

		if (d[i].group < 0 || d[j].group != d[i].group || j == i ||
		    device_is_bridge(&d[j]) || other->n == 0 ||
		    lint_reach_covers(other, rule))
			continue;
		lint_warn(l, rule,
		    "IOMMU group %d is split: %s is for others at %s:%u",
		    d[i].group, bdf_format(&d[j].bdf, name),
		    other->rules[0]->file, other->rules[0]->line);
		return true;
	}
	return false;
}

/* Who has the PF rules the VFs, whoever has those. */
static bool
warn_pf(const struct lint *l, const struct policy_rule *rule, size_t pf)
{
	const struct policy_device *d = l->machine->devices;
	char name[BDF_STRLEN];

	for (size_t j = 0; j < l->machine->ndevices; j++) {
		if (!d[j].is_vf || bdf_cmp(&d[j].pf, &d[pf].bdf) != 0)
			continue;
		for (size_t k = 0; k < l->reach[j].n; k++) {
			const struct policy_rule *other = l->reach[j].rules[k];

			if (subject_same(other, rule))
				continue;
			lint_warn(l, rule,
			    "allows PF %s, whose VFs are for others at %s:%u",
			    bdf_format(&d[pf].bdf, name), other->file,
			    other->line);
			return true;
		}
	}
	return false;
}

/* One warning of a kind is enough for a line. */
static void
check_others(const struct lint *l, const struct policy_rule *rule,
    bool (*check)(const struct lint *, const struct policy_rule *, size_t))
{
	for (size_t i = 0; i < l->machine->ndevices; i++)
		if (lint_reach_has(&l->reach[i], rule) && check(l, rule, i))
			return;
}

void
lint_users(const struct lint *l, const struct policy_rule *rule)
{
	check_others(l, rule, warn_split);
	check_others(l, rule, warn_pf);
}
