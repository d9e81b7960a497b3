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

static void
check_host(const struct lint *l, const struct policy_rule *rule)
{
	const struct policy_machine *m = l->machine;

	for (size_t i = 0; m->needs != NULL && i < m->ndevices; i++) {
		char list[200], name[BDF_STRLEN];
		struct text t = text_in(list, sizeof(list));
		bool claims = lint_claims(l, rule, i), tolerated;

		if (!claims && !lint_takes_along(l, rule, i))
			continue;
		tolerated = reasons_list(l, i, &t);
		if (t.len > 0)
			lint_warn(l, rule, "%s %s, which the host needs%s: %s",
			    claims ? "reaches" : "takes along",
			    bdf_format(&m->devices[i].bdf, name),
			    tolerated ? " (tolerated)" : "", list);
	}
}

/* ---- lines that do nothing now ----------------------------------------- */

/* Devices that have something in common: the first, and how many. */
struct some {
	const struct policy_device *first;
	size_t n;
};

static void
some_add(struct some *s, const struct policy_device *d)
{
	if (s->n++ == 0)
		s->first = d;
}

static void
some_print(struct text *t, const struct some *s)
{
	char name[BDF_STRLEN];

	text_add(t, "%s", bdf_format(&s->first->bdf, name));
	if (s->n > 1)
		text_add(t, " and %zu more", s->n - 1);
}

static void
losses_print(struct text *t, const struct some losses[LOSS_COUNT])
{
	static const char *const words[LOSS_COUNT] = {
		[LOSS_DENIED] = "denied",
		[LOSS_IDS] = "of other ids than expected",
		[LOSS_BRIDGE] = "a bridge",
		[LOSS_GROUP] = "in no IOMMU group",
	};

	for (enum loss w = 0; w < LOSS_COUNT; w++) {
		const struct policy_device *d = losses[w].first;

		if (d == NULL)
			continue;
		text_add(t, "%s%s: ", t->len > 0 ? "; " : "", words[w]);
		some_print(t, &losses[w]);
		if (w == LOSS_IDS && losses[w].n == 1)
			text_add(t, " is %04x:%04x", d->vendor, d->device);
	}
}

/* By the devices that are there, at least one of which is meant. */
void
lint_nothing_now(const struct lint *l, const struct policy_rule *rule)
{
	struct some losses[LOSS_COUNT] = { 0 };
	char why[200];
	struct text t = text_in(why, sizeof(why));

	for (size_t i = 0; i < l->machine->ndevices; i++) {
		enum loss loss;

		if (!lint_hits(l, rule, i))
			continue;
		loss = lint_loss(l, rule, i);
		if (loss == LOSS_NONE)
			return;
		some_add(&losses[loss], &l->machine->devices[i]);
	}
	losses_print(&t, losses);
	if (t.len > 0)
		lint_warn(l, rule, "%s nothing now (%s)",
		    rule->verb == VERB_CLAIM ? "claims" : "allows", why);
}

/* A reason is asked for only where something is taken from the host. */
static void
check_tolerate(const struct lint *l, const struct policy_rule *rule)
{
	struct some meant = { 0 };
	char list[64];
	struct text t = text_in(list, sizeof(list));

	for (size_t i = 0; i < l->machine->ndevices; i++) {
		if (!lint_hits(l, rule, i))
			continue;
		if (l->reach[i].taken)
			return;
		some_add(&meant, &l->machine->devices[i]);
	}
	if (meant.n == 0)
		return;
	some_print(&t, &meant);
	lint_warn(
	    l, rule, "does nothing now: no line lets the broker take %s", list);
}

/* ---- what is not there ------------------------------------------------- */

/* The best match; of that kind, the first device. */
static enum match
target_best(const struct lint *l, const struct target *t,
    const struct policy_device **first)
{
	enum match best = MATCH_NO;

	for (size_t i = 0; i < l->machine->ndevices; i++) {
		const struct policy_device *d = &l->machine->devices[i];
		enum match match = target_match(t, &l->world, d);

		if (match > best) {
			best = match;
			*first = d;
		}
	}
	return best;
}

static void
say_absent(const struct lint *l, const struct policy_rule *rule,
    const struct target *target)
{
	char name[POLICY_RULE_TEXT_MAX];
	struct text t = text_in(name, sizeof(name));

	target_print(&t, target);
	lint_warn(l, rule, "there is no such device now:%s", name);
}

static void
say_other(const struct lint *l, const struct policy_rule *rule,
    const struct policy_device *d)
{
	char name[BDF_STRLEN];

	lint_warn(l, rule, "another device is there now: %s is %04x:%04x",
	    bdf_format(&d->bdf, name), d->vendor, d->device);
}

/*
 * Of a line or of a pool, whose entries are told of once, there.  Where a line
 * itself expects other ids, lint_nothing_now() says so.
 */
static void
check_present(const struct lint *l, const struct policy_rule *rule)
{
	for (const struct target *e = rule->targets; e != NULL; e = e->next) {
		const struct policy_device *d = NULL;
		enum match best = target_best(l, e, &d);

		if (best == MATCH_NO && e->kind != TARGET_POOL)
			say_absent(l, rule, e);
		if (best == MATCH_IDENTITY && rule->verb == VERB_POOL)
			say_other(l, rule, d);
	}
}

void
lint_machine(const struct lint *l, const struct policy_rule *rule)
{
	check_present(l, rule);
	if (rule->verb == VERB_CLAIM)
		lint_nothing_now(l, rule);
	if (rule->verb == VERB_TOLERATE)
		check_tolerate(l, rule);
	if (rule->verb == VERB_ALLOW)
		lint_users(l, rule);
	if (rule->verb == VERB_ALLOW || rule->verb == VERB_CLAIM)
		check_host(l, rule);
}
