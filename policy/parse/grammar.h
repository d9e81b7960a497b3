/* SPDX-License-Identifier: ISC */
#ifndef VFIOBROKER_POLICY_GRAMMAR_H
#define VFIOBROKER_POLICY_GRAMMAR_H

/* The grammar as tables, beside the fields of model.h. */

#include "../model.h"

/* What follows a verb; parser and printer have one function for each. */
enum part {
	PART_END,
	PART_SUBJECT,
	PART_USE, /* use TARGET */
	PART_TARGET,
	PART_REASON, /* REASON on */
	PART_OPTIONS,
	PART_LIMITS,
	PART_POOL,
	PART_COUNT,
};

extern const struct keyword verbs[VERB_COUNT];
extern const struct keyword subjects[SUBJECT_COUNT];
extern const struct keyword targets[TARGET_COUNT];
extern const enum part grammar[VERB_COUNT][4];

/* Without the name of a pool, which is the line's. */
void target_print(struct text *, const struct target *);

#endif
