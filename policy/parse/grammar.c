/* SPDX-License-Identifier: ISC */
/*
 * The grammar as tables.  The parser reads by them and the printer writes by
 * them, so that the two cannot drift apart.
 */

#include "grammar.h"

const struct keyword verbs[VERB_COUNT] = {
	[VERB_POOL] = { .word = "pool" },
	[VERB_ALLOW] = { .word = "allow" },
	[VERB_DENY] = { .word = "deny" },
	[VERB_LIMIT] = { .word = "limit" },
	[VERB_CLAIM] = { .word = "claim" },
	[VERB_TOLERATE] = { .word = "tolerate" },
	[VERB_ADMIN] = { .word = "admin" },
};

const enum part grammar[VERB_COUNT][4] = {
	[VERB_POOL] = { PART_POOL },
	[VERB_ALLOW] = { PART_SUBJECT, PART_USE, PART_OPTIONS },
	[VERB_DENY] = { PART_SUBJECT, PART_USE },
	[VERB_LIMIT] = { PART_SUBJECT, PART_LIMITS },
	[VERB_CLAIM] = { PART_TARGET },
	[VERB_TOLERATE] = { PART_REASON, PART_TARGET },
	[VERB_ADMIN] = { PART_SUBJECT },
};

/* Names are no values: the parser makes ids of them. */
const struct keyword subjects[SUBJECT_COUNT] = {
	[SUBJECT_USER] = { .word = "user" },
	[SUBJECT_GROUP] = { .word = "group" },
	[SUBJECT_UID] = { .word = "uid", .type = VALUE_NUMBER },
	[SUBJECT_GID] = { .word = "gid", .type = VALUE_NUMBER },
	[SUBJECT_ANY] = { .word = "any" },
};

const struct keyword targets[TARGET_COUNT] = {
	[TARGET_BDF] = { .word = "", .type = VALUE_ADDRESS },
	[TARGET_SLOT] = { .word = "slot", .type = VALUE_SLOT },
	[TARGET_ID] = { .word = "id", .type = VALUE_IDS },
	[TARGET_CLASS] = { .word = "class", .type = VALUE_CLASS },
	[TARGET_VF_OF] = { .word = "vf-of", .type = VALUE_ADDRESS },
	[TARGET_GROUP_OF] = { .word = "group-of", .type = VALUE_ADDRESS },
	[TARGET_POOL] = { .word = "pool" },
	[TARGET_ALL] = { .word = "all" },
};
