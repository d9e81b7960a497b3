/* SPDX-License-Identifier: ISC */
/*
 * Lines back to text, by the tables the parser reads by: canonical, so that
 * what is printed is what was understood.  Called for `policy show`, explain
 * and every refusal that names a line.  Must parse to the same policy.
 */

#include "model.h"

const char *
policy_rule_file(const struct policy_rule *rule)
{
	return rule->file;
}

unsigned
policy_rule_line(const struct policy_rule *rule)
{
	return rule->line;
}

void
keyword_print(struct text *t, const struct keyword *k, uint64_t value)
{
	if (k->word[0] != '\0')
		text_add(t, " %s", k->word);
	if (k->type != VALUE_NONE) {
		text_add(t, " ");
		value_print(t, k->type, value);
	}
}

static void
print_subject(struct text *t, const struct policy_rule *rule)
{
	keyword_print(t, &subjects[rule->subject], rule->id);
	if (rule->name[0] != '\0')
		text_add(t, " %s", rule->name);
}

void
target_print(struct text *t, const struct target *target)
{
	static const struct keyword at = { "at", VALUE_ADDRESS, 0 };

	keyword_print(t, &targets[target->kind], target->key);
	if (target->at != VALUE_ABSENT)
		keyword_print(t, &at, target->at);
}

static void
print_target(struct text *t, const struct policy_rule *rule)
{
	target_print(t, rule->targets);
	if (rule->pool[0] != '\0')
		text_add(t, " %s", rule->pool);
}

static void
print_use(struct text *t, const struct policy_rule *rule)
{
	text_add(t, " use");
	print_target(t, rule);
}

static void
print_reason(struct text *t, const struct policy_rule *rule)
{
	text_add(t, " %s on", reason_keyword(rule->reason));
}

/* All that was written, in the order of the table. */
static void
print_fields(struct text *t, const struct policy_rule *rule)
{
	for (enum field i = 0; i < FIELD_END; i++)
		if ((rule->given & 1U << i) != 0)
			keyword_print(t, &fields[i], rule->value[i]);
}

static void
print_pool(struct text *t, const struct policy_rule *rule)
{
	text_add(t, " %s", rule->pool);
}

char *
policy_rule_text(const struct policy_rule *rule, char *buf, size_t len)
{
	static void (*const print[PART_COUNT])(
	    struct text *, const struct policy_rule *) = {
		[PART_SUBJECT] = print_subject,
		[PART_USE] = print_use,
		[PART_TARGET] = print_target,
		[PART_REASON] = print_reason,
		[PART_OPTIONS] = print_fields,
		[PART_LIMITS] = print_fields,
		[PART_POOL] = print_pool,
	};
	struct text t = text_in(buf, len);

	text_add(&t, "%s", verbs[rule->verb].word);
	for (const enum part *part = grammar[rule->verb]; *part; part++)
		print[*part](&t, rule);
	return buf;
}

/* A policy may hold more entries than any buffer. */
static void
entries_print(const struct target *entry, FILE *f)
{
	char buf[POLICY_RULE_TEXT_MAX];

	fputs(" {", f);
	for (; entry != NULL; entry = entry->next) {
		struct text t = text_in(buf, sizeof(buf));

		target_print(&t, entry);
		if (entry->expect != VALUE_ABSENT)
			keyword_print(&t, &fields[FIELD_EXPECT], entry->expect);
		fputs(buf, f);
	}
	fputs(" }", f);
}

void
policy_print(const struct policy *p, FILE *f, bool with_origin)
{
	char buf[POLICY_RULE_TEXT_MAX];

	for (const struct policy_rule *r = p->lines; r != NULL; r = r->after) {
		fputs(policy_rule_text(r, buf, sizeof(buf)), f);
		if (r->verb == VERB_POOL)
			entries_print(r->targets, f);
		if (with_origin)
			fprintf(f, " # %s:%u", r->file, r->line);
		fputc('\n', f);
	}
}
