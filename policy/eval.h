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

/*
 * What lines mean for one device: that of the last target is remembered, as
 * lines about the same stand together in an index.
 */
struct meaning {
	const struct policy_device *device;
	const struct target *target;
	enum match means;
};
enum match
eval_meaning(const struct eval *, struct meaning *, const struct index_entry *);

/*
 * What the value of each option must reach for a device.  Of count it is how
 * many the subject would hold of what a line is about, so it is found out per
 * target, and only where it could be too many.
 */
struct needs {
	uint64_t value[FIELD_OPTIONS_END];
	const struct target *counted; /* value[FIELD_COUNT] is of this one */
};
void eval_needs(const struct eval *, size_t i, struct needs *);

/*
 * What an allow line about target lacks: a bit per field; 0: it covers the
 * device.
 */
unsigned eval_lacks(const struct eval *, const struct policy_rule *,
    const struct target *, struct needs *);

/* What the subject would hold of a limited thing; 0: nothing is added. */
uint64_t eval_total(const struct eval *, enum field);

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
void why_identity(
    struct text *, const struct eval *, const struct policy_rule *, size_t i);
void why_short(
    struct text *, const struct eval *, const struct policy_rule *, size_t i);
void why_no_rule(struct text *, const struct eval *, size_t i);
void why_limit(
    struct text *, const struct eval *, const struct policy_rule *, enum field);

#endif
