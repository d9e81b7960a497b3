/* SPDX-License-Identifier: ISC */
/*
 * Drafts to the compiled form.  Called by load.c, and by the loader for
 * errors.  Must write nothing that read.c would refuse.
 */

#include "write.h"

#include <errno.h>
#include <string.h>

#include "../compiled.h"

/* With its NUL, and without what is not printable; cut to max. */
static void
write_string(const char *s, size_t max, FILE *f)
{
	for (; *s != '\0' && max > 1; s++, max--)
		fputc(compiled_printable(*s) ? *s : '?', f);
	fputc('\0', f);
}

static void
write_head(const struct compiled_head *counts, FILE *f)
{
	struct compiled_head head = *counts;

	memcpy(head.magic, COMPILED_MAGIC, COMPILED_WORD);
	fwrite(&head, sizeof(head), 1, f);
}

static int
write_end(FILE *f)
{
	fwrite(COMPILED_END, COMPILED_WORD, 1, f);
	/* Of all that was written so far. */
	return fflush(f) != 0 || ferror(f) ? -EIO : 0;
}

static uint32_t
count_targets(const struct draft_line *line)
{
	uint32_t n = 0;

	for (const struct target *t = line->targets; t != NULL; t = t->next)
		n++;
	return n;
}

static void
write_line(const struct draft_line *line, FILE *f)
{
	struct compiled_line out = { .verb = (uint8_t)line->verb,
		.subject = (uint8_t)line->subject,
		.reason = (uint8_t)line->reason,
		.id = line->id,
		.file = line->source,
		.line = line->line,
		.pool = line->uses != NULL ? line->uses->index : 0,
		.targets = count_targets(line) };
	enum field end, first = compiled_fields(line->verb, &end);

	for (enum field i = first; i < end; i++)
		out.value[i - first] = line->value[i];
	fwrite(&out, sizeof(out), 1, f);
}

static void
write_targets(const struct draft_line *line, FILE *f)
{
	for (const struct target *t = line->targets; t != NULL; t = t->next) {
		const struct compiled_target out = { .kind = t->kind,
			.key = t->key,
			.at = t->at,
			.expect = t->expect };

		fwrite(&out, sizeof(out), 1, f);
	}
}

static void
write_text(const struct draft_line *line, FILE *f)
{
	draft_print(line, f);
	fputc('\0', f);
}

static void
write_each(const struct draft *d,
    void (*write)(const struct draft_line *, FILE *), FILE *f)
{
	for (const struct draft_line *l = d->lines; l != NULL; l = l->after)
		write(l, f);
}

int
draft_write(const struct draft *d, const struct policy_source *sources,
    size_t nsources, FILE *f)
{
	struct compiled_head head = { .files = (uint32_t)nsources,
		.lines = d->nlines };

	for (const struct draft_line *l = d->lines; l != NULL; l = l->after)
		head.targets += count_targets(l);
	write_head(&head, f);
	write_each(d, write_line, f);
	write_each(d, write_targets, f);
	for (size_t i = 0; i < nsources; i++)
		write_string(sources[i].name, SIZE_MAX, f);
	write_each(d, write_text, f);
	return write_end(f);
}

int
policy_compile_errors(FILE *f, const char *const *lines, size_t n)
{
	const struct compiled_head head = { .errors = (uint32_t)n };

	write_head(&head, f);
	for (size_t i = 0; i < n; i++)
		write_string(lines[i], COMPILED_ERROR_MAX, f);
	return write_end(f);
}
