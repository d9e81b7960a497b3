/* SPDX-License-Identifier: ISC */
/*
 * Lines back to text, by the tables the parser reads by: canonical, so that
 * what is printed is what was understood.  Called by write.c: this text goes
 * along with each compiled line, for `policy show`, explain and every refusal
 * that names a line.  Must parse to the same policy.
 */

#include "draft.h"
#include "values.h"

/* " word value"; either may be missing. */
static void
print_keyword(struct text *t, const struct keyword *k, uint64_t value)
{
	if (k->word[0] != '\0')
		text_add(t, " %s", k->word);
	if (k->type != VALUE_NONE) {
		text_add(t, " ");
		value_write(t, k->type, value);
	}
}

static void
print_subject(struct text *t, const struct draft_line *line)
{
	print_keyword(t, &subjects[line->subject], line->id);
	if (line->name[0] != '\0')
		text_add(t, " %s", line->name);
}

void
target_print(struct text *t, const struct target *target)
{
	static const struct keyword at = { "at", VALUE_ADDRESS, 0 };

	print_keyword(t, &targets[target->kind], target->key);
	if (target->at != VALUE_ABSENT)
		print_keyword(t, &at, target->at);
}

static void
print_target(struct text *t, const struct draft_line *line)
{
	target_print(t, line->targets);
	if (line->pool[0] != '\0')
		text_add(t, " %s", line->pool);
}

static void
print_use(struct text *t, const struct draft_line *line)
{
	text_add(t, " use");
	print_target(t, line);
}

static void
print_reason(struct text *t, const struct draft_line *line)
{
	text_add(t, " %s on", reason_keyword(line->reason));
}

/* All that was written, in the order of the table. */
static void
print_fields(struct text *t, const struct draft_line *line)
{
	for (enum field i = 0; i < FIELD_END; i++)
		if ((line->given & 1U << i) != 0)
			print_keyword(t, &fields[i], line->value[i]);
}

static void
print_pool(struct text *t, const struct draft_line *line)
{
	text_add(t, " %s", line->pool);
}

/* A policy may hold more entries than any buffer. */
static void
print_entries(const struct target *entry, FILE *f)
{
	char buf[POLICY_RULE_TEXT_MAX];

	fputs(" {", f);
	for (; entry != NULL; entry = entry->next) {
		struct text t = text_in(buf, sizeof(buf));

		target_print(&t, entry);
		if (entry->expect != VALUE_ABSENT)
			print_keyword(&t, &fields[FIELD_EXPECT], entry->expect);
		fputs(buf, f);
	}
	fputs(" }", f);
}

void
draft_print(const struct draft_line *line, FILE *f)
{
	static void (*const print[PART_COUNT])(
	    struct text *, const struct draft_line *) = {
		[PART_SUBJECT] = print_subject,
		[PART_USE] = print_use,
		[PART_TARGET] = print_target,
		[PART_REASON] = print_reason,
		[PART_OPTIONS] = print_fields,
		[PART_LIMITS] = print_fields,
		[PART_POOL] = print_pool,
	};
	char buf[POLICY_RULE_TEXT_MAX];
	struct text t = text_in(buf, sizeof(buf));

	text_add(&t, "%s", verbs[line->verb].word);
	for (const enum part *part = grammar[line->verb]; *part; part++)
		print[*part](&t, line);
	fputs(buf, f);
	if (line->verb == VERB_POOL)
		print_entries(line->targets, f);
}
