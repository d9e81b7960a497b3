/* SPDX-License-Identifier: ISC */
/* What a line says and where, as it came with it.  Formats nothing. */

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

const char *
policy_rule_text(const struct policy_rule *rule)
{
	return rule->text;
}

void
policy_print(const struct policy *p, FILE *f, bool with_origin)
{
	for (size_t i = 0; i < p->nrules; i++) {
		const struct policy_rule *r = &p->rules[i];

		fputs(r->text, f);
		if (with_origin)
			fprintf(f, " # %s:%u", r->file, r->line);
		fputc('\n', f);
	}
}
