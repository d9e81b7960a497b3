/* SPDX-License-Identifier: ISC */
/*
 * Splits a policy file into words, braces and line ends.  Called by the parser
 * only.  Must never read past the given length: the text has no NUL.
 */

#include "lex.h"

#include <stdbool.h>
#include <string.h>

static const char word_chars[] = "abcdefghijklmnopqrstuvwxyz"
				 "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				 "0123456789_.-:/";

void
lex_init(struct lexer *l, const char *text, size_t len)
{
	/* A source of no bytes may come as NULL, which must not be added to. */
	if (len == 0)
		text = "";
	*l = (struct lexer){
		.at = text, .end = text + len, .line_start = text, .line = 1
	};
	lex_next(l);
}

static bool
at_word(const struct lexer *l)
{
	return l->at < l->end &&
	       memchr(word_chars, *l->at, sizeof(word_chars) - 1) != NULL;
}

static void
skip_blanks(struct lexer *l)
{
	while (l->at < l->end && (*l->at == ' ' || *l->at == '\t'))
		l->at++;
	if (l->at < l->end && *l->at == '#')
		while (l->at < l->end && *l->at != '\n')
			l->at++;
}

void
lex_next(struct lexer *l)
{
	size_t n = 0;

	if (l->kind == '\n') {
		l->line++;
		l->line_start = l->at;
	}
	skip_blanks(l);
	l->column = (unsigned)(l->at - l->line_start) + 1;
	for (l->kind = LEX_WORD; at_word(l); l->at++)
		if (n < LEX_WORD_SIZE - 1)
			l->word[n++] = *l->at;
	l->word[n] = '\0';
	if (n == 0)
		l->kind = l->at < l->end ? (unsigned char)*l->at++ : LEX_END;
}
