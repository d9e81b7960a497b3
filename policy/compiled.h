/* SPDX-License-Identifier: ISC */
#ifndef VFIOBROKER_POLICY_COMPILED_H
#define VFIOBROKER_POLICY_COMPILED_H

/*
 * The compiled form, in which a policy comes to the broker: a head, then as
 * many lines, targets and strings as it says, then COMPILED_END.  The strings,
 * each with its NUL, are the errors, or the files' names and then each line's
 * text; lines and targets take theirs in order, so nothing points anywhere but
 * to an earlier count.  There is one way to say anything: what a line does not
 * have is 0, or VALUE_ABSENT in a target.
 *
 * Written by parse/write.c, read by read.c, on one machine and by one version.
 */

#include "model.h"

/* To change with the form: an old broker may start a new loader. */
#define COMPILED_MAGIC "vfiopol1"
#define COMPILED_END "end.poli"
#define COMPILED_WORD 8 /* bytes of these, no NUL */

/* Of errors; a wrong file is told of, not each of its lines. */
#define COMPILED_ERRORS_MAX 65
#define COMPILED_ERROR_MAX 1024 /* with the NUL */

struct compiled_head {
	char magic[COMPILED_WORD];
	uint32_t errors; /* with any, there is nothing else */
	uint32_t files;
	uint32_t lines;
	uint32_t targets;
};

struct compiled_line {
	uint8_t verb;
	uint8_t subject;
	uint8_t reason;
	uint8_t zero;
	uint32_t id;
	uint32_t file; /* index, never less than the line before */
	uint32_t line; /* of the file, counts from 1 */
	uint32_t pool; /* index of its line, if the target is one */
	uint32_t targets;
	uint64_t value[FIELD_OPTIONS_END]; /* of an allow or a limit */
};

struct compiled_target {
	uint32_t kind;
	uint32_t zero;
	uint64_t key;
	uint64_t at;
	uint64_t expect;
};

/* Which fields a line of a verb has; they begin at value[0]. */
static inline enum field
compiled_fields(enum verb verb, enum field *end)
{
	*end = verb == VERB_ALLOW   ? FIELD_OPTIONS_END
	       : verb == VERB_LIMIT ? FIELD_END
				    : 0;
	return verb == VERB_LIMIT ? FIELD_OPTIONS_END : 0;
}

/* In strings: whatever is no control character, since names may be UTF-8. */
static inline bool
compiled_printable(char c)
{
	return (unsigned char)c >= ' ' && c != 0x7f;
}

#endif
