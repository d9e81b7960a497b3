/* SPDX-License-Identifier: ISC */
/*
 * policy_decide(): the one place where a request becomes yes or no.  Called by
 * the monitor for every lease.  Refuses whatever is not said to be allowed, an
 * empty request too.  Linear in the lines; must never let their order choose
 * anything but which of equal lines is named.
 */

#include "eval.h"

/* Fills in a refusal; the text is for the reason. */
static struct text
refuse(struct policy_decision *d, enum policy_verdict verdict, size_t device,
    const struct policy_rule *rule)
{
	d->verdict = verdict;
	d->device = device;
	d->rule = rule;
	return text_in(d->why, sizeof(d->why));
}

/* Of lines that say the same, the first is named. */
static bool
is_earlier(const struct policy_rule *rule, const struct policy_rule *than)
{
	return than == NULL || rule < than;
}

/* A changed card stays denied: any match counts. */
static bool
deny(const struct eval *e, size_t i, struct policy_decision *d)
{
	const struct index *index = &e->policy->deny;
	const struct policy_rule *denies = NULL;
	struct meaning m = { .device = &e->request->devices[i] };
	struct text why;

	for (size_t j = 0; j < index->n; j++) {
		const struct index_entry *entry = &index->entries[j];

		if (subject_match(entry->rule, e->subject) &&
		    eval_meaning(e, &m, entry) != MATCH_NO &&
		    is_earlier(entry->rule, denies))
			denies = entry->rule;
	}
	if (denies == NULL)
		return false;
	why = refuse(d, POLICY_DENIED, i, denies);
	why_deny(&why, denies);
	return true;
}

/*
 * Only for which line is named: the one that explains most of the terms, then
 * the first.
 */
static bool
allows_more(const struct policy_rule *a, const struct policy_rule *b)
{
	static const enum field order[] = { FIELD_SIBLINGS, FIELD_RESET,
		FIELD_MANAGED, FIELD_MEMLOCK };

	for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++)
		if (a->value[order[i]] != b->value[order[i]])
			return a->value[order[i]] > b->value[order[i]];
	return a < b;
}

/* The allow lines that come closest to a device; NULL where there is none. */
struct candidates {
	const struct policy_rule *best; /* matches subject and device */
	int lacks; /* how much of that best lacks; 0: it covers all */
	struct policy_terms terms; /* of all that lack nothing */
	const struct policy_rule *identity;
};

static void
weigh(struct candidates *c, const struct policy_rule *rule, int lacks)
{
	if (c->best == NULL || lacks < c->lacks ||
	    (lacks == c->lacks && allows_more(rule, c->best))) {
		c->best = rule;
		c->lacks = lacks;
	}
	if (lacks == 0) {
		c->terms.siblings_take |= rule->value[FIELD_SIBLINGS] != 0;
		c->terms.reset_none |= rule->value[FIELD_RESET] != 0;
	}
}

static struct candidates
find_candidates(const struct eval *e, size_t i)
{
	const struct index *index = &e->policy->allow;
	struct meaning m = { .device = &e->request->devices[i] };
	struct candidates c = { 0 };
	struct needs needs;
	enum match match;

	eval_needs(e, i, &needs);
	for (size_t j = 0; j < index->n; j++) {
		const struct index_entry *entry = &index->entries[j];
		const struct policy_rule *rule = entry->rule;

		if (!subject_match(rule, e->subject))
			continue;
		match = eval_meaning(e, &m, entry);
		if (match == MATCH_YES)
			weigh(&c, rule,
			    __builtin_popcount(
				eval_lacks(e, rule, entry->target, &needs)));
		else if (match == MATCH_IDENTITY &&
			 is_earlier(rule, c.identity))
			c.identity = rule;
	}
	return c;
}

/* The line that covers device i; NULL: it is refused. */
static const struct policy_rule *
allow(const struct eval *e, size_t i, struct policy_decision *d,
    struct policy_terms *terms)
{
	struct candidates c = find_candidates(e, i);
	struct text why;

	if (terms != NULL)
		terms[i] = c.terms;
	if (c.best != NULL && c.lacks == 0)
		return c.best;
	if (c.identity != NULL) {
		why = refuse(d, POLICY_IDENTITY, i, c.identity);
		why_identity(&why, e, c.identity, i);
	} else if (c.best != NULL) {
		why = refuse(d, POLICY_SHORT, i, c.best);
		why_short(&why, e, c.best, i);
	} else {
		why = refuse(d, POLICY_NO_RULE, i, NULL);
		why_no_rule(&why, e, i);
	}
	return NULL;
}

static bool
limit(const struct eval *e, const struct limits *limits,
    struct policy_decision *d)
{
	struct text why;

	for (enum field f = FIELD_OPTIONS_END; f < FIELD_END; f++) {
		if (limits->value[f] >= eval_total(e, f))
			continue;
		why = refuse(d, POLICY_LIMIT, 0, limits->rule[f]);
		why_limit(&why, e, limits->rule[f], f);
		return true;
	}
	return false;
}

void
eval_decide(
    const struct eval *e, struct policy_decision *d, struct policy_terms *terms)
{
	size_t n = e->request->ndevices;
	const struct policy_rule *rule, *first = NULL;
	struct limits limits;

	*d = (struct policy_decision){ .verdict = POLICY_NO_RULE,
		.why = "no device was asked for" };
	for (size_t i = 0; i < n; i++)
		if (deny(e, i, d))
			return;
	for (size_t i = 0; i < n; i++) {
		rule = allow(e, i, d, terms);
		if (rule == NULL)
			return;
		if (i == 0)
			first = rule;
	}
	eval_limits(e->policy, e->subject, &limits);
	if (n > 0 && !limit(e, &limits, d))
		*d = (struct policy_decision){ .verdict = POLICY_ALLOW,
			.rule = first };
}

void
policy_decide(const struct policy *policy, const struct policy_world *world,
    const struct policy_subject *subject, const struct policy_usage *usage,
    const struct policy_request *request, struct policy_decision *d,
    struct policy_terms *terms)
{
	const struct eval e = { policy, world, subject, usage, request };

	eval_decide(&e, d, terms);
}
