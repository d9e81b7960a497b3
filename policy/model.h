/* SPDX-License-Identifier: ISC */
#ifndef VFIOBROKER_POLICY_MODEL_H
#define VFIOBROKER_POLICY_MODEL_H

/*
 * A policy in memory, as the files of policy/ see it: what a line means, and
 * its text beside it for people.  Private to policy/.  Made by read.c alone,
 * and never changed.
 */

#include "index.h"
#include "policy.h"
#include "value.h"

/* What a line is: the first word of it. */
enum verb {
	VERB_POOL,
	VERB_ALLOW,
	VERB_DENY,
	VERB_LIMIT,
	VERB_CLAIM,
	VERB_TOLERATE,
	VERB_ADMIN,
	VERB_COUNT,
};

enum subject_kind {
	SUBJECT_USER,
	SUBJECT_GROUP,
	SUBJECT_UID,
	SUBJECT_GID,
	SUBJECT_ANY,
	SUBJECT_COUNT,
};

enum target_kind {
	TARGET_BDF,
	TARGET_SLOT,
	TARGET_ID,
	TARGET_CLASS,
	TARGET_VF_OF,
	TARGET_GROUP_OF,
	TARGET_POOL, /* from here on, not in a pool */
	TARGET_ALL,
	TARGET_COUNT,
};

/* Options of allow, then what limit limits. */
enum field {
	FIELD_MANAGED,
	FIELD_MEMLOCK,
	FIELD_COUNT,
	FIELD_SIBLINGS,
	FIELD_EXPECT,
	FIELD_RESET,
	FIELD_OPTIONS_END,
	FIELD_MAX_DEVICES = FIELD_OPTIONS_END,
	FIELD_MAX_LEASES,
	FIELD_MAX_MEMLOCK,
	FIELD_MAX_CONNECTIONS,
	FIELD_MAX_REQUESTS,
	FIELD_END,
};

struct keyword {
	const char *word;
	enum value_type type; /* of the value behind it */
	uint64_t absent; /* the value where the word is not written */
};

extern const struct keyword fields[FIELD_END];

/* " word value", for what value_print() can print. */
void keyword_print(struct text *, const struct keyword *, uint64_t value);

struct target {
	struct target *next; /* in a pool */
	enum target_kind kind;
	uint64_t key; /* what the words behind the kind say; see value.h */
	uint64_t at; /* an address, or VALUE_ABSENT */
	uint64_t expect; /* ids, or VALUE_ABSENT */
	const struct policy_rule *pool;
};

/* One line; a pool is one too. */
struct policy_rule {
	struct policy_rule *next; /* line of the same verb */
	enum verb verb;
	enum subject_kind subject;
	uint32_t id; /* of the subject */
	enum reason reason;
	struct target *targets; /* one, or the entries of a pool */
	uint64_t value[FIELD_END];
	const char *text; /* canonical; of a pool with all entries */
	const char *file;
	unsigned line;
};

struct policy {
	struct policy_rule *rules; /* in order of reading */
	size_t nrules;
	struct policy_rule *first[VERB_COUNT];
	struct index deny, allow; /* the same lines, by what they are about */
	struct target *targets;
	char *strings; /* what text and file point into */
};

#endif
