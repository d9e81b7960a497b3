/* SPDX-License-Identifier: ISC */
#ifndef VFIOBROKER_POLICY_DRAFT_H
#define VFIOBROKER_POLICY_DRAFT_H

/*
 * A policy while it is read: its lines as they were written, and how they were
 * written.  write.c compiles it when all of it is right.
 */

#include "grammar.h"

struct draft_line {
	struct draft_line *after; /* the next line of any verb */
	uint32_t index; /* in order of reading */
	enum verb verb;
	enum subject_kind subject;
	uint32_t id; /* of the subject */
	struct target *targets; /* one, or the entries of a pool */
	const struct draft_line *uses; /* the pool that is the target */
	enum reason reason;
	uint64_t value[FIELD_END];
	unsigned given; /* bit per field that is written */
	unsigned source; /* index of the file */
	unsigned line;
	unsigned column; /* of the pool's name */
	char name[POLICY_NAME_MAX + 1]; /* of a user or group */
	char pool[POLICY_NAME_MAX + 1]; /* of this pool or the target's */
};

struct draft {
	struct draft_line *lines; /* in order of reading */
	struct draft_line **tail; /* where the next goes */
	uint32_t nlines;
	void *pools; /* tsearch() tree of the VERB_POOL lines, by name */
};

void draft_init(struct draft *);
void draft_clear(struct draft *);

/* Appends a line on which nothing is given yet; 0 or -ENOMEM. */
int draft_add_line(
    struct draft *, unsigned source, unsigned line, struct draft_line **out);

/* Makes the line's pool known; -EEXIST: *first has its name, or -ENOMEM. */
int draft_add_pool(
    struct draft *, struct draft_line *, const struct draft_line **first);

/* The pool of that name, NULL if there is none. */
const struct draft_line *draft_pool(const struct draft *, const char *name);

/* A line in canonical form, of a pool with its entries; in print.c. */
void draft_print(const struct draft_line *, FILE *);

#endif
