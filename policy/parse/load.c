/* SPDX-License-Identifier: ISC */
/*
 * All sources or none.  A draft that has an error anywhere never leaves this
 * file.
 */

#include "load.h"

#include <errno.h>
#include <stdlib.h>

#include "parse.h"
#include "write.h"

static int
parse_sources(struct parser *p, size_t n)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < n; i++)
		r = parse_source(p, (unsigned)i);
	return r;
}

static void
find_pool(struct parser *p, struct draft_line *line)
{
	line->uses = draft_pool(&p->draft, line->pool);
	if (line->uses == NULL)
		parser_fail(p, line->source, line->line, line->column,
		    "there is no pool %s", line->pool);
}

/* Now that all lines are known. */
static void
find_pools(struct parser *p)
{
	for (struct draft_line *l = p->draft.lines; l != NULL; l = l->after) {
		/* Lines in error may have no target, or no name for it. */
		if (l->targets != NULL && l->targets->kind == TARGET_POOL &&
		    l->pool[0] != '\0')
			find_pool(p, l);
	}
}

int
policy_compile(FILE *out, const struct policy_source *sources, size_t nsources,
    const struct policy_resolver *resolver,
    void (*report)(void *arg, const struct policy_error *), void *arg)
{
	struct parser p = { .sources = sources,
		.resolver = resolver,
		.report = report,
		.arg = arg };
	int r;

	draft_init(&p.draft);
	r = parse_sources(&p, nsources);
	if (r == 0)
		find_pools(&p);
	if (r == 0 && p.failed)
		r = -EINVAL;
	if (r == 0)
		r = draft_write(&p.draft, sources, nsources, out);
	draft_clear(&p.draft);
	return r;
}

int
policy_load(struct policy **out, const struct policy_source *sources,
    size_t nsources, const struct policy_resolver *resolver,
    void (*report)(void *arg, const struct policy_error *), void *arg)
{
	char *compiled = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&compiled, &len);
	int r;

	*out = NULL;
	if (f == NULL)
		return -ENOMEM;
	r = policy_compile(f, sources, nsources, resolver, report, arg);
	if (fclose(f) != 0 || r == -EIO)
		r = -ENOMEM; /* nothing else can go wrong with memory */
	if (r == 0)
		r = policy_read(out, compiled, len, NULL, NULL);
	free(compiled);
	return r;
}
