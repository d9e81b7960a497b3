/* SPDX-License-Identifier: ISC */
/*
 * Weighs single lines against a request.  Called by decide.c, explain.c and
 * why.c.  Allocates nothing.
 */

#include "eval.h"

static uint64_t
count_matches(const struct eval *e, const struct policy_rule *rule,
    const struct policy_device *devices, size_t n)
{
	uint64_t count = 0;

	for (size_t i = 0; i < n; i++)
		count += target_match(rule->targets, e->world, &devices[i]) !=
			 MATCH_NO;
	return count;
}

/* How many of the rule's devices the subject would hold. */
static uint64_t
count_total(const struct eval *e, const struct policy_rule *rule)
{
	const struct policy_usage *have = e->usage;
	const struct policy_request *want = e->request;

	if (rule == NULL || rule->value[FIELD_COUNT] == POLICY_UNLIMITED)
		return 0;
	return count_matches(e, rule, have->devices, have->ndevices) +
	       count_matches(e, rule, want->devices, want->ndevices);
}

/* A limit that the request does not touch needs nothing, exceeded or not. */
uint64_t
eval_need(const struct eval *e, const struct policy_rule *rule, size_t i,
    enum field field)
{
	const struct policy_usage *have = e->usage;
	const struct policy_request *want = e->request;
	uint64_t sum;

	switch (field) {
	case FIELD_MANAGED:
		return want->managed != NULL && want->managed[i];
	case FIELD_SIBLINGS:
		return want->siblings != NULL && want->siblings[i];
	case FIELD_RESET:
		return want->no_reset != NULL && want->no_reset[i];
	case FIELD_MEMLOCK:
		return want->memlock;
	case FIELD_COUNT:
		return count_total(e, rule);
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

unsigned
eval_lacks(const struct eval *e, const struct policy_rule *rule, size_t i)
{
	unsigned lacks = 0;

	for (enum field f = 0; f < FIELD_OPTIONS_END; f++)
		if (rule->value[f] < eval_need(e, rule, i, f))
			lacks |= 1U << f;
	return lacks;
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
