/* SPDX-License-Identifier: ISC */
#ifndef VFIOBROKER_POLICY_MODEL_H
#define VFIOBROKER_POLICY_MODEL_H

/*
 * The language as tables and a loaded policy as the files of policy/ see it.
 * Private to policy/.  A policy is written while loading and never again.
 */

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

/* What follows it; parser and printer have one function for each. */
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

extern const struct keyword verbs[VERB_COUNT];
extern const struct keyword subjects[SUBJECT_COUNT];
extern const struct keyword targets[TARGET_COUNT];
extern const struct keyword fields[FIELD_END];
extern const enum part grammar[VERB_COUNT][4];

/* " word value"; either may be missing. */
void keyword_print(struct text *, const struct keyword *, uint64_t value);

struct target {
	struct target *next; /* in a pool */
	enum target_kind kind;
	uint64_t key; /* what the words behind the kind say; see value.h */
	uint64_t at; /* an address, or VALUE_ABSENT */
	uint64_t expect; /* ids, or VALUE_ABSENT */
	const struct policy_rule *pool;
};

/* Without the name of a pool, which is the line's. */
void target_print(struct text *, const struct target *);

/* One line; a pool is one too.  Decisions read the upper part. */
struct policy_rule {
	struct policy_rule *next; /* line of the same verb */
	enum subject_kind subject;
	uint32_t id; /* of the subject */
	struct target *targets; /* one, or the entries of a pool */
	enum reason reason;
	uint64_t value[FIELD_END];

	struct policy_rule *after; /* the next line of any verb */
	enum verb verb;
	unsigned given; /* bit per field that is written */
	const char *file;
	unsigned source; /* index of the file */
	unsigned line;
	unsigned column; /* of the pool's name */
	char name[POLICY_NAME_MAX + 1]; /* of a user or group */
	char pool[POLICY_NAME_MAX + 1]; /* of this pool or the target's */
};

struct file {
	struct file *next;
	char name[];
};

struct policy {
	struct policy_rule *lines; /* in order of reading */
	struct policy_rule **tail; /* where the next goes */
	struct policy_rule *first[VERB_COUNT];
	void *pools; /* tsearch() tree of the VERB_POOL lines, by name */
	struct file *files; /* the one that is read, and those before */
};

/* The pool of that name, NULL if there is none. */
const struct policy_rule *policy_pool(const struct policy *, const char *name);

#endif
