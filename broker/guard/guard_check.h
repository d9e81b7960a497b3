/* SPDX-License-Identifier: ISC */
#ifndef VFIOBROKER_GUARD_CHECK_H
#define VFIOBROKER_GUARD_CHECK_H

/*
 * What guard*.c share: the question, and how its checks read the tree and
 * report.  A check goes on after an error, which is kept: what was found still
 * counts, but the answer is incomplete.
 */

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

#include "broker/common/bdf.h"
#include "broker/common/reason.h"

#define GUARD_ITEMS_MAX 2048

/* A disk, an interface or a node of the function, or one stacked on it. */
struct guard_item {
	char name[64];
	char note[128]; /* a disk's dm name; an interface's lowest */
	unsigned int major, minor; /* of a disk */
	unsigned int index; /* of an interface */
	bool mark; /* a disk is mounted, an interface up, a node reported */
};

struct guard {
	int rootfd; /* "/", or a test's tree */
	bool live; /* "/": the kernel can be asked by netlink */
	int error; /* the first, as -errno */
	char bdf[BDF_STRLEN];
	char below[BDF_STRLEN + 2]; /* "/0000:01:10.0/" */
	struct guard_item *item; /* of the check that runs, each name once */
	size_t count;
	size_t at; /* the one being looked at */
	char path[PATH_MAX]; /* guard_path()'s */
	const char *dir; /* the directory being looked at in a visit */
	bool hit; /* what a visit looked for was there */
	size_t links; /* of processes, read so far */
	void (*found)(void *, enum reason, const char *);
	void *arg;
};

/* Called with each name in a directory, or each line of a file. */
typedef void guard_visit(struct guard *, char *);

/* The checks of the other files. */
void guard_block(struct guard *);
void guard_net(struct guard *);

/* Keeps the first error. */
void guard_fail(struct guard *, int error);

/* Reports a place, as printable ASCII. */
void guard_report(struct guard *, enum reason, const char *, ...)
    __attribute__((format(printf, 3, 4)));

/* Adds an item.  NULL when it is there already or there is no room. */
struct guard_item *guard_add(struct guard *, const char *name);

/* Formats a path below the root; valid until the next call. */
const char *guard_path(struct guard *, const char *, ...)
    __attribute__((format(printf, 2, 3)));

/*
 * A file's first line, a link's target, whether a path exists: false also when
 * it cannot be read, and that is an error unless it just does not exist.
 */
bool guard_read(struct guard *, char *buf, size_t size, const char *path);
bool guard_link(struct guard *, char *buf, size_t size, const char *path);
bool guard_exists(struct guard *, const char *path);

/* Whether the entry of /sys/class is a device of the function. */
bool guard_owns(struct guard *, const char *class, const char *name);

/* Visit all.  What does not exist has none; guard_lines tells. */
void guard_each(struct guard *, guard_visit *, const char *path);
bool guard_lines(struct guard *, guard_visit *, const char *path);

#endif
