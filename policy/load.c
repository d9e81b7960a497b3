/* SPDX-License-Identifier: ISC */
/*
 * policy_load(): all sources or none.  A policy that has an error anywhere
 * never leaves this file.
 */

#include <errno.h>
#include <stdlib.h>

#include "parse.h"
#include "store.h"

static int
load_sources(struct parser *p, size_t n)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < n; i++) {
		r = policy_add_file(p->policy, p->sources[i].name);
		if (r == 0)
			r = parse_source(p, (unsigned)i);
	}
	return r;
}

static void
resolve_pool(struct parser *p, struct policy_rule *rule)
{
	rule->targets->pool = policy_pool(p->policy, rule->pool);
	if (rule->targets->pool == NULL)
		parser_fail(p, rule->source, rule->line, rule->column,
		    "there is no pool %s", rule->pool);
}

/* Now that all lines are known: finds their pools, chains them by verb. */
static void
resolve(struct parser *p)
{
	struct policy_rule **tail[VERB_COUNT];

	for (enum verb v = 0; v < VERB_COUNT; v++)
		tail[v] = &p->policy->first[v];
	for (struct policy_rule *r = p->policy->lines; r != NULL;
	     r = r->after) {
		/* Lines in error may have no target, or no name for it. */
		if (r->targets != NULL && r->targets->kind == TARGET_POOL &&
		    r->pool[0] != '\0')
			resolve_pool(p, r);
		*tail[r->verb] = r;
		tail[r->verb] = &r->next;
	}
}

int
policy_load(struct policy **out, const struct policy_source *sources,
    size_t nsources, const struct policy_resolver *resolver,
    void (*report)(void *arg, const struct policy_error *), void *arg)
{
	struct parser p = { .policy = calloc(1, sizeof(struct policy)),
		.sources = sources,
		.resolver = resolver,
		.report = report,
		.arg = arg };
	int r;

	*out = NULL;
	if (p.policy == NULL)
		return -ENOMEM;
	p.policy->tail = &p.policy->lines;
	r = load_sources(&p, nsources);
	if (r == 0)
		resolve(&p);
	if (r == 0 && p.failed)
		r = -EINVAL;
	if (r == 0)
		*out = p.policy;
	else
		policy_free(p.policy);
	return r;
}
