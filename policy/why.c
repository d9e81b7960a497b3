/* SPDX-License-Identifier: ISC */
/*
 * Says why a request is refused and, where a line would help, which.  Called
 * by decide.c and explain.c.  A line that it suggests must suffice, to the
 * letter, for the device it names: a test adds it and asks again.
 */

#include "eval.h"

void
why_deny(struct text *t, const struct policy_rule *rule)
{
	text_add(t, "denied by \"%s\"", rule->text);
}

void
why_identity(struct text *t, const struct eval *e,
    const struct policy_rule *rule, size_t i)
{
	const struct policy_device *d = &e->request->devices[i];

	text_add(t, "IDENTITY_CHANGED: ");
	value_print(t, VALUE_IDS, target_expected(rule->targets, e->world, d));
	text_add(t, " is expected at ");
	value_print(t, VALUE_ADDRESS, bdf_number(&d->bdf));
	text_add(t, ", where there is ");
	value_print(t, VALUE_IDS, value_ids(d->vendor, d->device));
}

/* The line that lacks nothing: no count, for that one never falls short. */
static void
suggest(struct text *t, const struct eval *e, size_t i)
{
	struct needs needs;

	eval_needs(e, i, &needs);
	text_add(t, "; add: allow uid %u use ", e->subject->uid);
	value_print(t, VALUE_ADDRESS, bdf_number(&e->request->devices[i].bdf));
	for (enum field f = 0; f < FIELD_OPTIONS_END; f++)
		if (needs.value[f] != 0)
			keyword_print(t, &fields[f], needs.value[f]);
}

void
why_short(struct text *t, const struct eval *e, const struct policy_rule *rule,
    size_t i)
{
	struct needs needs;
	unsigned lacks;

	eval_needs(e, i, &needs);
	lacks = eval_lacks(e, rule, rule->targets, &needs);
	text_add(t, "lacks");
	for (enum field f = 0; f < FIELD_OPTIONS_END; f++)
		if ((lacks & 1U << f) != 0)
			keyword_print(t, &fields[f], needs.value[f]);
	suggest(t, e, i);
}

void
why_no_rule(struct text *t, const struct eval *e, size_t i)
{
	text_add(t, "no allow line covers it");
	suggest(t, e, i);
}

void
why_limit(struct text *t, const struct eval *e, const struct policy_rule *rule,
    enum field f)
{
	text_add(t, "limited to");
	keyword_print(t, &fields[f], rule->value[f]);
	text_add(t, ", with this request it would be ");
	value_print(t, fields[f].type, eval_total(e, f));
}
