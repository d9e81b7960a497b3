/* SPDX-License-Identifier: ISC */
#ifndef VFIOBROKER_POLICY_INDEX_H
#define VFIOBROKER_POLICY_INDEX_H

/*
 * The lines of one verb as decide.c goes through them: small, side by side,
 * and those about the same target next to each other with one and the same
 * pointer to it.  So what a target means for a request is found out once,
 * however many lines name it.
 */

#include <stddef.h>

struct policy_rule;
struct target;

struct index_entry {
	const struct policy_rule *rule;
	const struct target *target; /* the rule's, but for what it expects */
};

struct index {
	struct index_entry *entries;
	size_t n;
};

/*
 * Of the line first and its next ones.  *index is all zero before.  0 or
 * -ENOMEM; what entries points to is the caller's, to free().
 */
int index_make(struct index *index, const struct policy_rule *first);

#endif
