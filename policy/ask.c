/* SPDX-License-Identifier: ISC */
/*
 * The smaller questions: admins, claims, tolerated reasons, limits.
 * Called by the monitor.  Where an entry expects other ids there is no claim
 * and no tolerance: only a full match counts here.
 */

#include "eval.h"

bool
policy_is_admin(const struct policy *p, const struct policy_subject *s)
{
	const struct policy_rule *rule = p->first[VERB_ADMIN];

	while (rule != NULL && !subject_match(rule, s))
		rule = rule->next;
	return rule != NULL;
}

bool
policy_claims(const struct policy *p, const struct policy_world *w,
    const struct policy_device *d)
{
	const struct policy_rule *rule = p->first[VERB_CLAIM];

	while (rule != NULL && target_match(rule->targets, w, d) != MATCH_YES)
		rule = rule->next;
	return rule != NULL;
}

bool
policy_tolerates(const struct policy *p, const struct policy_world *w,
    const struct policy_device *d, enum reason reason)
{
	const struct policy_rule *rule = p->first[VERB_TOLERATE];

	while (
	    rule != NULL && (rule->reason != reason ||
				target_match(rule->targets, w, d) != MATCH_YES))
		rule = rule->next;
	return rule != NULL;
}

void
policy_limits_of(const struct policy *p, const struct policy_subject *s,
    struct policy_limits *out)
{
	struct limits limits;

	eval_limits(p, s, &limits);
	*out = (struct policy_limits){
		.devices = limits.value[FIELD_MAX_DEVICES],
		.leases = limits.value[FIELD_MAX_LEASES],
		.memlock = limits.value[FIELD_MAX_MEMLOCK],
		.connections = limits.value[FIELD_MAX_CONNECTIONS],
		.requests = limits.value[FIELD_MAX_REQUESTS],
	};
}
