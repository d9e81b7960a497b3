/* SPDX-License-Identifier: ISC */
/*
 * The warnings of `policy check`.  Called by the client with a policy that has
 * loaded; compares each line with the others, and lets the other files compare
 * it with the machine.
 */

#include "lint.h"

#include <stdarg.h>
#include <string.h>

#include "lint_cover.h"
#include "lint_parts.h"

void
lint_warn(
    const struct lint *l, const struct policy_rule *rule, const char *fmt, ...)
{
	struct policy_warning w = { .file = rule->file, .line = rule->line };
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(w.text, sizeof(w.text), fmt, ap);
	va_end(ap);
	l->warn(l->arg, &w);
}

/* ---- lines that do nothing --------------------------------------------- */

/* Of two lines that say the same, the later one is too much. */
static void
check_covered(const struct lint *l, const struct policy_rule *rule)
{
	const struct policy_rule *a = l->policy->first[rule->verb];
	bool earlier = true;

	for (; a != NULL; a = a->next) {
		if (a == rule) {
			earlier = false;
			continue;
		}
		if (!rule_covers(a, rule) || (!earlier && rule_covers(rule, a)))
			continue;
		lint_warn(l, rule, "does nothing: %s:%u says as much or more",
		    a->file, a->line);
		return;
	}
}

/* By what the lines say. */
static bool
check_denied(const struct lint *l, const struct policy_rule *rule)
{
	const struct policy_rule *deny = l->policy->first[VERB_DENY];

	for (; deny != NULL; deny = deny->next) {
		if (subject_covers(deny, rule) &&
		    target_covers(deny->targets, rule->targets)) {
			lint_warn(l, rule,
			    "allows nothing: %s:%u denies all of it",
			    deny->file, deny->line);
			return true;
		}
	}
	return false;
}

static bool
check_contradiction(const struct lint *l, const struct policy_rule *rule)
{
	const struct target *t = rule->targets;
	bool count = rule->value[FIELD_COUNT] == 0;
	bool ids = t->kind == TARGET_ID && t->expect != VALUE_ABSENT &&
		   t->expect != t->key;

	if (count)
		lint_warn(l, rule, "allows nothing: count is 0");
	if (ids)
		lint_warn(
		    l, rule, "allows nothing: expects other ids than it names");
	return count || ids;
}

/* A limit of nothing is a way to say no, but then the line is too much. */
static bool
check_limited(const struct lint *l, const struct policy_rule *rule)
{
	static const enum field none[] = { FIELD_MAX_DEVICES, FIELD_MAX_LEASES,
		FIELD_MAX_CONNECTIONS };
	const struct policy_rule *a = l->policy->first[VERB_LIMIT];

	for (; a != NULL; a = a->next) {
		if (!subject_covers(a, rule))
			continue;
		for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
			if (a->value[none[i]] > 0)
				continue;
			lint_warn(l, rule,
			    "allows nothing: %s:%u limits %s to 0", a->file,
			    a->line, fields[none[i]].word);
			return true;
		}
	}
	return false;
}

/* Of memory; who writes unlimited leaves it to the limit. */
static void
check_memlock(const struct lint *l, const struct policy_rule *rule)
{
	const struct policy_rule *a = l->policy->first[VERB_LIMIT];
	const struct policy_rule *least = NULL;
	uint64_t left = rule->value[FIELD_MEMLOCK];
	char size[32];
	struct text t = text_in(size, sizeof(size));

	if (left == POLICY_UNLIMITED)
		return;
	for (; a != NULL; a = a->next) {
		if (!subject_covers(a, rule) ||
		    a->value[FIELD_MAX_MEMLOCK] >= left)
			continue;
		left = a->value[FIELD_MAX_MEMLOCK];
		least = a;
	}
	if (least == NULL)
		return;
	value_print(&t, VALUE_SIZE, left);
	lint_warn(l, rule, "allows more memlock than %s:%u leaves: %s",
	    least->file, least->line, size);
}

static bool
rule_uses(const struct policy_rule *rule, const struct policy_rule *pool)
{
	return rule->targets != NULL && rule->targets->pool == pool;
}

static void
check_pool(const struct lint *l, const struct policy_rule *pool)
{
	int name = (int)strcspn(pool->text, "{") - 1; /* pool NAME { */
	size_t i = 0;

	if (pool->targets == NULL)
		lint_warn(l, pool, "%.*s is empty", name, pool->text);
	while (i < l->policy->nrules && !rule_uses(&l->policy->rules[i], pool))
		i++;
	if (i == l->policy->nrules)
		lint_warn(l, pool, "no line uses %.*s", name, pool->text);
}

static void
check_admin(const struct lint *l, const struct policy_rule *rule)
{
	if (rule->subject == SUBJECT_ANY)
		lint_warn(l, rule, "lets everybody revoke everybody's leases");
}

/* ---- all of it --------------------------------------------------------- */

/* Of what makes it allow nothing, one is enough. */
static void
check_allow(const struct lint *l, const struct policy_rule *rule)
{
	if (check_denied(l, rule) || check_contradiction(l, rule) ||
	    check_limited(l, rule))
		return;
	check_memlock(l, rule);
	if (l->machine != NULL)
		lint_nothing_now(l, rule);
}

static void
check_alone(const struct lint *l, const struct policy_rule *rule)
{
	if (rule->verb == VERB_POOL)
		check_pool(l, rule);
	else
		check_covered(l, rule);
	if (rule->verb == VERB_ALLOW)
		check_allow(l, rule);
	if (rule->verb == VERB_ADMIN)
		check_admin(l, rule);
}

int
policy_lint(const struct policy *p, const struct policy_machine *machine,
    void (*report)(void *arg, const struct policy_warning *), void *arg)
{
	struct policy_machine copy;
	struct lint l = {
		.policy = p, .machine = machine, .warn = report, .arg = arg
	};
	int r = 0;

	if (machine != NULL) {
		copy = *machine;
		l.world = (struct policy_world){ lint_group_of, &copy };
		r = lint_reach_find(&l);
	}
	for (size_t i = 0; r == 0 && i < p->nrules; i++) {
		check_alone(&l, &p->rules[i]);
		if (machine != NULL)
			lint_machine(&l, &p->rules[i]);
	}
	lint_reach_clear(&l);
	return r;
}
