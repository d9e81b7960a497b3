/* SPDX-License-Identifier: ISC */
/*
 * The memory of a draft: lines in order, pools by name.  Called while loading.
 */

#include "draft.h"

#include <errno.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>

void
draft_init(struct draft *d)
{
	*d = (struct draft){ .tail = &d->lines };
}

int
draft_add_line(
    struct draft *d, unsigned source, unsigned line, struct draft_line **out)
{
	struct draft_line *l = calloc(1, sizeof(*l));

	if (l == NULL)
		return -ENOMEM;
	l->index = d->nlines++;
	l->source = source;
	l->line = line;
	for (enum field i = 0; i < FIELD_END; i++)
		l->value[i] = fields[i].absent;
	*d->tail = *out = l;
	d->tail = &l->after;
	return 0;
}

static int
pool_compare(const void *a, const void *b)
{
	const struct draft_line *x = a, *y = b;

	return strcmp(x->pool, y->pool);
}

int
draft_add_pool(
    struct draft *d, struct draft_line *line, const struct draft_line **first)
{
	struct draft_line *const *node;

	node = tsearch(line, &d->pools, pool_compare);
	if (node == NULL)
		return -ENOMEM;
	*first = *node;
	return *node == line ? 0 : -EEXIST;
}

const struct draft_line *
draft_pool(const struct draft *d, const char *name)
{
	struct draft_line key = { 0 };
	struct draft_line *const *node;

	if (strlen(name) > POLICY_NAME_MAX)
		return NULL;
	memcpy(key.pool, name, strlen(name));
	node = tfind(&key, &d->pools, pool_compare);
	return node != NULL ? *node : NULL;
}

static void
line_free(struct draft_line *line)
{
	struct target *next;

	for (struct target *t = line->targets; t != NULL; t = next) {
		next = t->next;
		free(t);
	}
	free(line);
}

/* The pools are freed as the lines they are. */
static void
keep(void *line)
{
	(void)line;
}

void
draft_clear(struct draft *d)
{
	struct draft_line *after;

	tdestroy(d->pools, keep);
	for (struct draft_line *l = d->lines; l != NULL; l = after) {
		after = l->after;
		line_free(l);
	}
	draft_init(d);
}
