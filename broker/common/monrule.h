/* SPDX-License-Identifier: ISC */
#ifndef VFIOBROKER_MONRULE_H
#define VFIOBROKER_MONRULE_H

/*
 * The rules of a canonical record: one row for each of its members that has a
 * rule.  Those of requests are in monrequest.c, those of answers with the only
 * one who hears answers (session/monanswer.c), all sizes in monmsg.c.
 */

#include "monmsg.h"

enum rule {
	RULE_END,
	RULE_U32, /* from min to max */
	RULE_I32, /* -1 or more */
	RULE_MASK, /* u32 with no bit outside max */
	RULE_BDF, /* max addresses in a row; an unused one is zero, so valid */
	RULE_TEXT, /* printable ASCII, in max bytes all NUL from the first on */
	RULE_COUNT, /* RULE_U32, and entries at array beyond it are zero */
};

struct member {
	uint8_t rule; /* enum rule */
	uint8_t entry; /* RULE_COUNT: bytes in an entry of the array */
	uint16_t array; /* RULE_COUNT: where the array is */
	uint16_t at;
	uint32_t min;
	uint32_t max;
};

#define MEMBER(s, m) ((struct s *)NULL)->m
#define AT(s, m) .at = offsetof(struct s, m)
#define U32(s, m, lo, hi) .rule = RULE_U32, AT(s, m), .min = (lo), .max = (hi)
#define ZERO(s, m) U32(s, m, 0, 0)
#define I32(s, m) .rule = RULE_I32, AT(s, m)
#define MASK(s, m, bits) .rule = RULE_MASK, AT(s, m), .max = (bits)
#define TEXT(s, m) .rule = RULE_TEXT, AT(s, m), .max = sizeof(MEMBER(s, m))
#define BDF(s, m)                   \
	.rule = RULE_BDF, AT(s, m), \
	.max = sizeof(MEMBER(s, m)) / sizeof(struct bdf)
#define COUNT(s, m, a, lo)                                            \
	.rule = RULE_COUNT, AT(s, m), .array = offsetof(struct s, a), \
	.entry = sizeof(MEMBER(s, a[0])), .min = (lo),                \
	.max = sizeof(MEMBER(s, a)) / sizeof(MEMBER(s, a[0]))

struct monrule {
	const struct member *members; /* NULL: only its size counts */
	/* The record, aligned, after its members have passed; may be NULL. */
	bool (*coherent)(const void *);
};

/*
 * Checks one record of len bytes against rules[type], where type is from first
 * to last.  Never reads beyond len, and assumes no alignment.
 */
bool monrule_check(const struct monrule rules[MON_TYPE_COUNT], uint32_t first,
    uint32_t last, const void *record, size_t len);

/* Whether size bytes are printable ASCII, and all NUL from the first on. */
bool monrule_text(const void *, size_t size);

#endif
