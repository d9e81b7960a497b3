/* SPDX-License-Identifier: ISC */
#ifndef VFIOBROKER_POLICY_EVAL_H
#define VFIOBROKER_POLICY_EVAL_H

/*
 * One question in evaluation.  policy_decide() and policy_explain() share it,
 * so that they can not disagree.
 */

#include "match.h"

struct eval {
	const struct policy *policy;
	const struct policy_world *world;
	const struct policy_subject *subject;
	const struct policy_usage *usage;
	const struct policy_request *request;
};

/* What the value of a field must reach for device i of the request. */
uint64_t eval_need(
    const struct eval *, const struct policy_rule *, size_t i, enum field);

/* What of that an allow line lacks: a bit per field; 0: it covers device i. */
unsigned eval_lacks(const struct eval *, const struct policy_rule *, size_t i);

/* The smallest limit of each field and the line it stands on, or NULL. */
struct limits {
	uint64_t value[FIELD_END];
	const struct policy_rule *rule[FIELD_END];
};
void eval_limits(
    const struct policy *, const struct policy_subject *, struct limits *);

/* The decision, in decide.c; and its words, in why.c. */
void eval_decide(
    const struct eval *, struct policy_decision *, struct policy_terms *);
void why_deny(struct text *, const struct policy_rule *);
void why_identity(struct text *, const struct eval *, size_t i);
void why_short(
    struct text *, const struct eval *, const struct policy_rule *, size_t i);
void why_no_rule(struct text *, const struct eval *, size_t i);
void why_limit(
    struct text *, const struct eval *, const struct policy_rule *, enum field);

#endif
