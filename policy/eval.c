/* SPDX-License-Identifier: ISC */
/*
 * Weighs single lines against a request.  Called by decide.c, explain.c and
 * why.c.  Allocates nothing.
 */

#include "eval.h"

enum match
eval_meaning(
    const struct eval *e, struct meaning *m, const struct index_entry *entry)
{
	if (m->target != entry->target) {
		m->target = entry->target;
		m->means = target_means(m->target, e->world, m->device);
	}
	return target_expect(entry->rule->targets, m->means, m->device);
}

static uint64_t
count_matches(const struct eval *e, const struct target *target,
    const struct policy_device *devices, size_t n)
{
	uint64_t count = 0;

	for (size_t i = 0; i < n; i++)
		count +=
		    target_means(target, e->world, &devices[i]) != MATCH_NO;
	return count;
}

static void
needs_count(const struct eval *e, const struct target *target, struct needs *n)
{
	const struct policy_usage *have = e->usage;
	const struct policy_request *want = e->request;

	if (n->counted == target)
		return;
	n->counted = target;
	n->value[FIELD_COUNT] =
	    count_matches(e, target, have->devices, have->ndevices) +
	    count_matches(e, target, want->devices, want->ndevices);
}

void
eval_needs(const struct eval *e, size_t i, struct needs *n)
{
	const struct policy_request *want = e->request;

	*n = (struct needs){ 0 };
	n->value[FIELD_MANAGED] = want->managed != NULL && want->managed[i];
	n->value[FIELD_MEMLOCK] = want->memlock;
}

unsigned
eval_lacks(const struct eval *e, const struct policy_rule *rule,
    const struct target *target, struct needs *n)
{
	unsigned lacks = 0;

	/*
	 * Counting is dear; mostly all devices together are few enough, and
	 * then so is the count of whichever target was counted last.
	 */
	if (rule->value[FIELD_COUNT] <
	    e->usage->ndevices + e->request->ndevices)
		needs_count(e, target, n);
	for (enum field f = 0; f < FIELD_OPTIONS_END; f++)
		lacks |= (unsigned)(rule->value[f] < n->value[f]) << f;
	return lacks;
}

uint64_t
eval_total(const struct eval *e, enum field field)
{
	const struct policy_usage *have = e->usage;
	const struct policy_request *want = e->request;
	uint64_t sum;

	switch (field) {
	case FIELD_MAX_DEVICES:
		return have->ndevices + want->ndevices;
	case FIELD_MAX_LEASES:
		return want->new_lease ? have->leases + 1ULL : 0;
	case FIELD_MAX_MEMLOCK:
		if (want->memlock == 0)
			return 0;
		if (__builtin_add_overflow(have->memlock, want->memlock, &sum))
			return UINT64_MAX;
		return sum;
	default:
		return 0;
	}
}

void
eval_limits(const struct policy *policy, const struct policy_subject *s,
    struct limits *out)
{
	const struct policy_rule *rule = policy->first[VERB_LIMIT];

	for (enum field f = 0; f < FIELD_END; f++) {
		out->value[f] = POLICY_UNLIMITED;
		out->rule[f] = NULL;
	}
	for (; rule != NULL; rule = rule->next) {
		if (!subject_match(rule, s))
			continue;
		for (enum field f = FIELD_OPTIONS_END; f < FIELD_END; f++) {
			if (rule->value[f] < out->value[f]) {
				out->value[f] = rule->value[f];
				out->rule[f] = rule;
			}
		}
	}
}
