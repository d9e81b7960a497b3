/* SPDX-License-Identifier: ISC */
/*
 * The memory of a policy: lines in order, pools by name.  Called while loading
 * and to free it; decisions only look a pool up.
 */

#include "store.h"

#include <errno.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>

int
policy_add_file(struct policy *p, const char *name)
{
	size_t size = strlen(name) + 1;
	struct file *f = malloc(sizeof(*f) + size);

	if (f == NULL)
		return -ENOMEM;
	memcpy(f->name, name, size);
	f->next = p->files;
	p->files = f;
	return 0;
}

int
policy_add_line(
    struct policy *p, unsigned source, unsigned line, struct policy_rule **out)
{
	struct policy_rule *rule = calloc(1, sizeof(*rule));

	if (rule == NULL)
		return -ENOMEM;
	rule->file = p->files->name;
	rule->source = source;
	rule->line = line;
	for (enum field i = 0; i < FIELD_END; i++)
		rule->value[i] = fields[i].absent;
	*p->tail = *out = rule;
	p->tail = &rule->after;
	return 0;
}

static int
pool_compare(const void *a, const void *b)
{
	const struct policy_rule *x = a, *y = b;

	return strcmp(x->pool, y->pool);
}

int
policy_add_pool(struct policy *p, struct policy_rule *rule,
    const struct policy_rule **first)
{
	struct policy_rule *const *node;

	node = tsearch(rule, &p->pools, pool_compare);
	if (node == NULL)
		return -ENOMEM;
	*first = *node;
	return *node == rule ? 0 : -EEXIST;
}

const struct policy_rule *
policy_pool(const struct policy *p, const char *name)
{
	struct policy_rule key = { 0 };
	struct policy_rule *const *node;

	if (strlen(name) > POLICY_NAME_MAX)
		return NULL;
	memcpy(key.pool, name, strlen(name));
	node = tfind(&key, &p->pools, pool_compare);
	return node != NULL ? *node : NULL;
}

static void
rule_free(struct policy_rule *rule)
{
	struct target *next;

	for (struct target *t = rule->targets; t != NULL; t = next) {
		next = t->next;
		free(t);
	}
	free(rule);
}

/* The pools are freed as the lines they are. */
static void
keep(void *rule)
{
	(void)rule;
}

void
policy_free(struct policy *p)
{
	struct policy_rule *after;
	struct file *next;

	if (p == NULL)
		return;
	tdestroy(p->pools, keep);
	for (struct policy_rule *r = p->lines; r != NULL; r = after) {
		after = r->after;
		rule_free(r);
	}
	for (struct file *f = p->files; f != NULL; f = next) {
		next = f->next;
		free(f);
	}
	free(p);
}
