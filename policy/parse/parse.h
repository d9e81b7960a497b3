/* SPDX-License-Identifier: ISC */
#ifndef VFIOBROKER_POLICY_PARSE_H
#define VFIOBROKER_POLICY_PARSE_H

/* Sources to lines. */

#include "lex.h"
#include "draft.h"
#include "load.h"

struct parser {
	struct draft draft;
	const struct policy_source *sources;
	const struct policy_resolver *resolver;
	void (*report)(void *arg, const struct policy_error *);
	void *arg;
	bool failed; /* an error was reported */

	unsigned source; /* index of the one that is read */
	struct lexer lex;
};

/* Reports one error and returns -EINVAL. */
int
parser_fail(struct parser *, unsigned source, unsigned line, unsigned column,
    const char *fmt, ...) __attribute__((format(printf, 5, 6)));

/* Reads one source; returns 0, errors reported or not, or -ENOMEM. */
int parse_source(struct parser *, unsigned source);

#endif
