/* SPDX-License-Identifier: ISC */
/*
 * Joining and gathering texts.  Used by serve.c for refusals, explanations and
 * the policy alike.  Pure.  Must never drop a text: what does not fit is the
 * caller's to add again.
 */

#include "texts.h"

#include <string.h>

static bool
texts_append(struct texts *t, uint32_t kind, bool more, const char *s)
{
	size_t len = strlen(s) + 1;
	bool joins = t->n > 0 && t->items[t->n - 1].more;

	if (len > sizeof(t->buf) - t->used || (!joins && t->n == TEXTS_MAX))
		return false;
	if (joins)
		t->used--; /* over the NUL of the text before */
	else {
		t->items[t->n].kind = kind;
		t->items[t->n].start = t->used;
		t->n++;
	}
	memcpy(t->buf + t->used, s, len);
	t->used += len;
	t->items[t->n - 1].more = more;
	return true;
}

bool
texts_add(struct texts *t, const struct mon_text *m)
{
	return texts_append(t, m->kind, m->more != 0, m->text);
}

bool
texts_room(const struct texts *t)
{
	return t->n < TEXTS_MAX && sizeof(t->buf) - t->used >= MON_TEXT_MAX;
}

void
texts_set(struct texts *t, enum mon_text_kind kind, const char *s)
{
	texts_clear(t);
	/* Our own sentences are far shorter than an empty buffer. */
	(void)texts_append(t, kind, false, s);
}

void
texts_clear(struct texts *t)
{
	t->n = 0;
	t->used = 0;
}
