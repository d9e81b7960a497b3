/* SPDX-License-Identifier: ISC */
#ifndef VFIOBROKER_POLICY_LEX_H
#define VFIOBROKER_POLICY_LEX_H

/* Text to tokens. */

#include <stddef.h>

/* A character that is neither a word's nor blank is its own kind. */
#define LEX_WORD 256
#define LEX_END (-1)

/* Longer than any word with a meaning, so that cutting one gives it none. */
#define LEX_WORD_SIZE 64

struct lexer {
	const char *at;
	const char *end;
	const char *line_start;

	/* The token that is looked at. */
	int kind;
	unsigned line; /* line and column count from 1 */
	unsigned column;
	char word[LEX_WORD_SIZE]; /* empty if it is no word */
};

void lex_init(struct lexer *, const char *text, size_t len);
void lex_next(struct lexer *);

#endif
