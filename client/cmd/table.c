/* SPDX-License-Identifier: ISC */
/*
 * Columns.  Called by the subcommands that list things.  Widths count bytes:
 * all that is shown is ASCII.
 */

#include "table.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

struct cell {
	char *text;
	enum colour colour;
};

struct table {
	const char *const *heads;
	size_t ncolumns;
	size_t column; /* of the next cell */
	size_t ncells;
	size_t room;
	struct cell *cells;
	size_t width[TABLE_COLUMNS];
};

static void *
table_memory(void *p)
{
	if (p == NULL)
		exit(say_oserr(ENOMEM, "cannot print a table"));
	return p;
}

struct table *
table_new(const char *const *heads, size_t ncolumns)
{
	struct table *t = table_memory(calloc(1, sizeof(*t)));

	t->heads = heads;
	t->ncolumns = ncolumns;
	for (size_t i = 0; i < ncolumns; i++)
		t->width[i] = strlen(heads[i]);
	return t;
}

void
table_free(struct table *t)
{
	for (size_t i = 0; i < t->ncells; i++)
		free(t->cells[i].text);
	free(t->cells);
	free(t);
}

void
table_cell(struct table *t, enum colour colour, const char *fmt, ...)
{
	struct cell *cell;
	va_list ap;
	int len;

	if (t->ncells == t->room) {
		t->room = t->room * 2 + 64;
		t->cells = table_memory(
		    realloc(t->cells, t->room * sizeof(t->cells[0])));
	}
	cell = &t->cells[t->ncells++];
	cell->colour = colour;
	va_start(ap, fmt);
	len = vasprintf(&cell->text, fmt, ap);
	va_end(ap);
	if (len < 0)
		cell->text = NULL;
	table_memory(cell->text);
	if ((size_t)len > t->width[t->column])
		t->width[t->column] = (size_t)len;
	t->column = t->column + 1 < t->ncolumns ? t->column + 1 : 0;
}

static void
print_cell(const struct table *t, FILE *f, size_t column, const char *text,
    enum colour colour)
{
	bool last = column + 1 == t->ncolumns;
	int pad = last ? 0 : (int)(t->width[column] - strlen(text) + 2);

	fprintf(
	    f, "%s%s%s", colour_start(f, colour), text, colour_end(f, colour));
	if (last)
		fputc('\n', f);
	else
		fprintf(f, "%*s", pad, "");
}

void
table_print(const struct table *t, FILE *f)
{
	size_t column = 0;

	for (size_t i = 0; i < t->ncolumns; i++)
		print_cell(t, f, i, t->heads[i], COLOUR_FAINT);
	for (size_t i = 0; i < t->ncells; i++) {
		print_cell(t, f, column, t->cells[i].text, t->cells[i].colour);
		column = column + 1 < t->ncolumns ? column + 1 : 0;
	}
}
