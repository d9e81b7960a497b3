/* SPDX-License-Identifier: ISC */
/*
 * Texts, strings and addresses of replies.  Used by the files that read
 * replies.  Must never trust a length or a number because the broker sent it.
 */

#include "lib.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void
lib_texts_clear(struct vfiobroker *h)
{
	free(h->lines);
	free(h->texts);
	h->lines = NULL;
	h->lines_len = 0;
	h->texts = NULL;
	h->ntexts = 0;
	h->text_open = false;
}

static int
lines_append(struct vfiobroker *h, const char *s)
{
	/* What goes on replaces the NUL of the line before. */
	size_t at = h->lines_len - (h->text_open ? 1 : 0), n = strlen(s) + 1;
	char *lines = realloc(h->lines, at + n);

	if (lines == NULL)
		return -ENOMEM;
	memcpy(lines + at, s, n);
	h->lines = lines;
	h->lines_len = at + n;
	return 0;
}

static int
texts_append(struct vfiobroker *h, enum vfiobroker_text_kind kind)
{
	struct vfiobroker_text *texts;

	texts = reallocarray(h->texts, h->ntexts + 1, sizeof(*texts));
	if (texts == NULL)
		return -ENOMEM;
	texts[h->ntexts].kind = kind;
	texts[h->ntexts].text = NULL; /* lines may still move */
	h->texts = texts;
	h->ntexts++;
	return 0;
}

int
lib_texts_add(struct vfiobroker *h, const Vfiobroker__Reply *reply)
{
	int r = 0;

	for (size_t i = 0; i < reply->n_texts && r == 0; i++) {
		const Vfiobroker__Text *t = reply->texts[i];

		if ((int)t->kind < VFIOBROKER_TEXT_WHY ||
		    (int)t->kind > VFIOBROKER_TEXT_POLICY)
			return -EPROTO;
		if (!h->text_open)
			r = texts_append(h, (enum vfiobroker_text_kind)t->kind);
		if (r == 0)
			r = lines_append(h, t->text);
		h->text_open = t->more;
	}
	return r;
}

void
lib_texts_finish(struct vfiobroker *h)
{
	const char *s = h->lines;

	for (size_t i = 0; i < h->ntexts; i++) {
		h->texts[i].text = s;
		s += strlen(s) + 1;
	}
}

size_t
vfiobroker_texts(const struct vfiobroker *h, const struct vfiobroker_text **out)
{
	*out = h->texts;
	return h->ntexts;
}

int
lib_string(char *to, size_t size, const char *from)
{
	size_t n = strlen(from);

	if (n >= size)
		return -EPROTO;
	memcpy(to, from, n + 1);
	return 0;
}

int
lib_bdf(struct vfiobroker_bdf *to, const Vfiobroker__Bdf *from)
{
	*to = (struct vfiobroker_bdf){ 0 };
	if (from == NULL)
		return 0;
	if (from->bus > 255 || from->dev > 31 || from->fn > 7)
		return -EPROTO;
	to->domain = from->domain;
	to->bus = (uint8_t)from->bus;
	to->dev = (uint8_t)from->dev;
	to->fn = (uint8_t)from->fn;
	return 0;
}

void
lib_bdf_fill(Vfiobroker__Bdf *to, const struct vfiobroker_bdf *from)
{
	vfiobroker__bdf__init(to);
	to->domain = from->domain;
	to->bus = from->bus;
	to->dev = from->dev;
	to->fn = from->fn;
}
