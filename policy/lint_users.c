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
		    other->n == 0 || lint_reach_covers(other, rule))
			continue;
		lint_warn(l, rule,
		    "IOMMU group %d is split: %s is for others at %s:%u",
		    d[i].group, bdf_format(&d[j].bdf, name),
		    other->rules[0]->file, other->rules[0]->line);
		return true;
	}
	return false;
}

/* What other users can have of the VFs, by a line that need not be another. */
static void
say_pf(const struct lint *l, const struct policy_rule *rule,
    const struct policy_device *pf, const struct policy_rule *other)
{
	char name[BDF_STRLEN];

	bdf_format(&pf->bdf, name);
	if (!subject_same(other, rule))
		lint_warn(l, rule,
		    "allows PF %s, whose VFs are for others at %s:%u", name,
		    other->file, other->line);
	else if (other == rule)
		lint_warn(l, rule,
		    "lets one user have PF %s and others its VFs", name);
	else
		lint_warn(l, rule,
		    "lets one user have PF %s and others its VFs at %s:%u",
		    name, other->file, other->line);
}

/*
 * Who has the PF rules the VFs, whoever has those.  Users of one group, or any
 * two, are as different as those of two lines.
 */
static bool
warn_pf(const struct lint *l, const struct policy_rule *rule, size_t pf)
{
	const struct policy_device *d = l->machine->devices;

	for (size_t j = 0; j < l->machine->ndevices; j++) {
		if (!d[j].is_vf || bdf_cmp(&d[j].pf, &d[pf].bdf) != 0)
			continue;
		for (size_t k = 0; k < l->reach[j].n; k++) {
			const struct policy_rule *other = l->reach[j].rules[k];

			if (subject_same(other, rule) && subject_is_user(rule))
				continue;
			say_pf(l, rule, &d[pf], other);
			return true;
		}
	}
	return false;
}

/* One warning about a group is enough for a line; each PF has one. */
void
lint_users(const struct lint *l, const struct policy_rule *rule)
{
	bool split = false;

	for (size_t i = 0; i < l->machine->ndevices; i++) {
		if (!lint_reach_has(&l->reach[i], rule))
			continue;
		split = split || warn_split(l, rule, i);
		warn_pf(l, rule, i);
	}
}
