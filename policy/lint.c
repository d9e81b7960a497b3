/* SPDX-License-Identifier: ISC */
/*
 * The warnings of `policy check`.  Called by the client with a policy that has
 * loaded; compares each line with the others and with the machine.
 */

#include "lint.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "lint_cover.h"
#include "match.h"
#include "parse/grammar.h"

struct lint {
	const struct policy *policy;
	const struct policy_machine *machine;
	struct policy_world world;
	void (*warn)(void *arg, const struct policy_warning *);
	void *arg;
	struct reach *reach; /* per device of the machine */
};

/* The allow lines that reach a device; of each subject, the first. */
struct reach {
	const struct policy_rule **rules;
	size_t n;
};

static void warn(const struct lint *, const struct policy_rule *,
    const char *fmt, ...) __attribute__((format(printf, 3, 4)));

static void
warn(const struct lint *l, const struct policy_rule *rule, const char *fmt, ...)
{
	struct policy_warning w = { .file = rule->file, .line = rule->line };
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(w.text, sizeof(w.text), fmt, ap);
	va_end(ap);
	l->warn(l->arg, &w);
}

/* ---- what reaches what ------------------------------------------------- */

static int
machine_group_of(void *arg, const struct bdf *b)
{
	const struct policy_machine *m = arg;

	for (size_t i = 0; i < m->ndevices; i++)
		if (bdf_cmp(&m->devices[i].bdf, b) == 0)
			return m->devices[i].group;
	return -1;
}

static bool
rule_hits(const struct lint *l, const struct policy_rule *rule, size_t i)
{
	return target_match(rule->targets, &l->world,
		   &l->machine->devices[i]) != MATCH_NO;
}

/* Some deny line takes the device from all of the line's subjects. */
static bool
rule_denied(const struct lint *l, const struct policy_rule *rule, size_t i)
{
	const struct policy_rule *deny = l->policy->first[VERB_DENY];

	for (; deny != NULL; deny = deny->next)
		if (subject_covers(deny, rule) && rule_hits(l, deny, i))
			return true;
	return false;
}

static bool
same_subject(const struct policy_rule *a, const struct policy_rule *b)
{
	return subject_covers(a, b) && subject_covers(b, a);
}

static int
reach_add(struct reach *r, const struct policy_rule *rule)
{
	const struct policy_rule **more;

	for (size_t i = 0; i < r->n; i++)
		if (same_subject(r->rules[i], rule))
			return 0;
	more = reallocarray(r->rules, r->n + 1, sizeof(struct policy_rule *));
	if (more == NULL)
		return -ENOMEM;
	r->rules = more;
	r->rules[r->n++] = rule;
	return 0;
}

static int
reach_find(struct lint *l)
{
	const struct policy_rule *rule = l->policy->first[VERB_ALLOW];
	size_t n = l->machine->ndevices;
	int r = 0;

	l->reach = calloc(n + 1, sizeof(struct reach));
	if (l->reach == NULL)
		return -ENOMEM;
	for (; rule != NULL; rule = rule->next)
		for (size_t i = 0; r == 0 && i < n; i++)
			if (rule_hits(l, rule, i) && !rule_denied(l, rule, i))
				r = reach_add(&l->reach[i], rule);
	return r;
}

static bool
reach_has(const struct reach *r, const struct policy_rule *rule)
{
	for (size_t i = 0; i < r->n; i++)
		if (r->rules[i] == rule)
			return true;
	return false;
}

static bool
reach_covers(const struct reach *r, const struct policy_rule *rule)
{
	for (size_t i = 0; i < r->n; i++)
		if (subject_covers(r->rules[i], rule))
			return true;
	return false;
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
		warn(l, rule, "does nothing: %s:%u says as much or more",
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
			warn(l, rule, "allows nothing: %s:%u denies all of it",
			    deny->file, deny->line);
			return true;
		}
	}
	return false;
}

/* By the devices that are there, at least one of which is meant. */
static void
check_denied_now(const struct lint *l, const struct policy_rule *rule)
{
	const struct policy_device *hit = NULL;
	char name[BDF_STRLEN];

	for (size_t i = 0; i < l->machine->ndevices; i++) {
		if (!rule_hits(l, rule, i))
			continue;
		if (!rule_denied(l, rule, i))
			return;
		hit = &l->machine->devices[i];
	}
	if (hit != NULL)
		warn(l, rule,
		    "allows nothing now: deny lines take %s and all else",
		    bdf_format(&hit->bdf, name));
}

static void
check_contradiction(const struct lint *l, const struct policy_rule *rule)
{
	const struct target *t = rule->targets;

	if (rule->value[FIELD_COUNT] == 0)
		warn(l, rule, "allows nothing: count is 0");
	if (t->kind == TARGET_ID && t->expect != VALUE_ABSENT &&
	    t->expect != t->key)
		warn(
		    l, rule, "allows nothing: expects other ids than it names");
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
		warn(l, pool, "%.*s is empty", name, pool->text);
	while (i < l->policy->nrules && !rule_uses(&l->policy->rules[i], pool))
		i++;
	if (i == l->policy->nrules)
		warn(l, pool, "no line uses %.*s", name, pool->text);
}

static void
check_admin(const struct lint *l, const struct policy_rule *rule)
{
	if (rule->subject == SUBJECT_ANY)
		warn(l, rule, "lets everybody revoke everybody's leases");
}

/* ---- users in each other's way ----------------------------------------- */

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
		    reach_covers(other, rule))
			continue;
		warn(l, rule,
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

			if (same_subject(other, rule))
				continue;
			warn(l, rule,
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
		if (reach_has(&l->reach[i], rule) && check(l, rule, i))
			return;
}

/* ---- the machine ------------------------------------------------------- */

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
rule_takes_along(const struct lint *l, const struct policy_rule *rule, size_t i)
{
	const struct policy_device *d = l->machine->devices;

	if (rule->value[FIELD_SIBLINGS] == 0 || d[i].group < 0 ||
	    device_is_bridge(&d[i]))
		return false;
	for (size_t j = 0; j < l->machine->ndevices; j++)
		if (j != i && d[j].group == d[i].group &&
		    rule_hits(l, rule, j) && !rule_denied(l, rule, j))
			return true;
	return false;
}

/* Without `managed` a line takes nothing from a driver but siblings. */
static bool
rule_claims(const struct lint *l, const struct policy_rule *rule, size_t i)
{
	return (rule->verb == VERB_CLAIM || rule->value[FIELD_MANAGED] != 0) &&
	       rule_hits(l, rule, i);
}

static void
check_host(const struct lint *l, const struct policy_rule *rule)
{
	const struct policy_machine *m = l->machine;

	for (size_t i = 0; m->needs != NULL && i < m->ndevices; i++) {
		char list[200], name[BDF_STRLEN];
		struct text t = text_in(list, sizeof(list));
		bool claims = rule_claims(l, rule, i), tolerated;

		if (!claims && !rule_takes_along(l, rule, i))
			continue;
		/* Nobody gets what is denied; a claim is nobody's. */
		if (rule->verb == VERB_ALLOW && rule_denied(l, rule, i))
			continue;
		tolerated = reasons_list(l, i, &t);
		if (t.len > 0)
			warn(l, rule, "%s %s, which the host needs%s: %s",
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
		warn(l, rule, "there is no such device now:%s", name);
	}
}

/* ---- all of it --------------------------------------------------------- */

static void
check_alone(const struct lint *l, const struct policy_rule *rule)
{
	if (rule->verb == VERB_POOL)
		check_pool(l, rule);
	else
		check_covered(l, rule);
	if (rule->verb == VERB_ALLOW) {
		if (!check_denied(l, rule) && l->machine != NULL)
			check_denied_now(l, rule);
		check_contradiction(l, rule);
	}
	if (rule->verb == VERB_ADMIN)
		check_admin(l, rule);
}

static void
check_on_machine(const struct lint *l, const struct policy_rule *rule)
{
	check_present(l, rule);
	if (rule->verb == VERB_ALLOW) {
		check_others(l, rule, warn_split);
		check_others(l, rule, warn_pf);
	}
	check_host(l, rule);
}

static void
lint_clear(struct lint *l)
{
	for (size_t i = 0; l->reach != NULL && i < l->machine->ndevices; i++)
		free(l->reach[i].rules);
	free(l->reach);
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
		l.world = (struct policy_world){ machine_group_of, &copy };
		r = reach_find(&l);
	}
	for (size_t i = 0; r == 0 && i < p->nrules; i++) {
		check_alone(&l, &p->rules[i]);
		if (machine != NULL)
			check_on_machine(&l, &p->rules[i]);
	}
	lint_clear(&l);
	return r;
}
