/* SPDX-License-Identifier: ISC */
/*
 * Each line against the machine: what is not there, and what the host needs.
 * Called by lint.c.
 */

#include "lint_parts.h"

#include "match.h"
#include "parse/grammar.h"

/* All reasons at once, and whether the guard will refuse. */
static bool
reasons_list(const struct lint *l, size_t i, struct text *t)
{
	const struct policy_machine *m = l->machine;
	bool tolerated = true;

	for (enum reason r = 0; r < REASON_COUNT; r++) {
		if (!reason_tolerable(r) || !m->needs(m->arg, i, r))
			continue;
		text_add(t, "%s%s", t->len > 0 ? ", " : "", reason_text(r));
		if (!policy_tolerates(l->policy, &l->world, &m->devices[i], r))
			tolerated = false;
	}
	return tolerated;
}

/* Whether device i goes along with another one of its group. */
static bool
takes_along(const struct lint *l, const struct policy_rule *rule, size_t i)
{
	const struct policy_device *d = l->machine->devices;

	if (rule->value[FIELD_SIBLINGS] == 0 || d[i].group < 0 ||
	    device_is_bridge(&d[i]))
		return false;
	for (size_t j = 0; j < l->machine->ndevices; j++)
		if (j != i && d[j].group == d[i].group &&
		    lint_hits(l, rule, j) && !lint_denied(l, rule, j))
			return true;
	return false;
}

/* Without `managed` a line takes nothing from a driver but siblings. */
static bool
claims_it(const struct lint *l, const struct policy_rule *rule, size_t i)
{
	return (rule->verb == VERB_CLAIM || rule->value[FIELD_MANAGED] != 0) &&
	       lint_hits(l, rule, i);
}

static void
check_host(const struct lint *l, const struct policy_rule *rule)
{
	const struct policy_machine *m = l->machine;

	for (size_t i = 0; m->needs != NULL && i < m->ndevices; i++) {
		char list[200], name[BDF_STRLEN];
		struct text t = text_in(list, sizeof(list));
		bool claims = claims_it(l, rule, i), tolerated;

		if (!claims && !takes_along(l, rule, i))
			continue;
		/* Nobody gets what is denied; a claim is nobody's. */
		if (rule->verb == VERB_ALLOW && lint_denied(l, rule, i))
			continue;
		tolerated = reasons_list(l, i, &t);
		if (t.len > 0)
			lint_warn(l, rule, "%s %s, which the host needs%s: %s",
			    claims ? "reaches" : "takes along",
			    bdf_format(&m->devices[i].bdf, name),
			    tolerated ? " (tolerated)" : "", list);
	}
}

static bool
target_present(const struct lint *l, const struct target *t)
{
	for (size_t i = 0; i < l->machine->ndevices; i++)
		if (target_match(t, &l->world, &l->machine->devices[i]) !=
		    MATCH_NO)
			return true;
	return false;
}

/* Of a line or of a pool, whose entries are told of once, there. */
static void
check_present(const struct lint *l, const struct policy_rule *rule)
{
	for (const struct target *e = rule->targets; e != NULL; e = e->next) {
		char name[POLICY_RULE_TEXT_MAX];
		struct text t = text_in(name, sizeof(name));

		if (e->kind == TARGET_POOL || target_present(l, e))
			continue;
		target_print(&t, e);
		lint_warn(l, rule, "there is no such device now:%s", name);
	}
}

void
lint_machine(const struct lint *l, const struct policy_rule *rule)
{
	check_present(l, rule);
	if (rule->verb == VERB_ALLOW)
		lint_users(l, rule);
	check_host(l, rule);
}
