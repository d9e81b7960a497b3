/* SPDX-License-Identifier: ISC */
/*
 * policy_explain(): every line that has to do with a request and what it does
 * to it.  Called by the monitor for `vfiobroker explain`.  Decides nothing
 * itself: the decided line is the one that eval_decide() names.
 */

#include "eval.h"

#include <errno.h>
#include <stdlib.h>

struct explanation {
	struct eval eval;
	struct policy_decision decision;
	unsigned char *relations; /* of each rule of the policy */
	size_t noted[POLICY_NOTE_KINDS];
	void (*line)(void *arg, const struct policy_note *);
	void *arg;
};

/* How a line stands to the request, in the order in which lines are told. */
enum relation {
	RELATION_DENIES,
	RELATION_COVERS,
	RELATION_IDENTITY,
	RELATION_SHORT,
	RELATION_OTHER_DEVICE,
	RELATION_OTHER_SUBJECT,
	RELATION_NONE,
};

static const struct {
	enum policy_note_kind kind;
	const char *words; /* NULL: why.c has them */
} relations[RELATION_NONE] = {
	[RELATION_DENIES] = { POLICY_NOTE_ALSO, "denies it" },
	[RELATION_COVERS] = { POLICY_NOTE_ALSO, "covers the request" },
	[RELATION_IDENTITY] = { POLICY_NOTE_NEAR, NULL },
	[RELATION_SHORT] = { POLICY_NOTE_NEAR, NULL },
	[RELATION_OTHER_DEVICE] = { POLICY_NOTE_NEAR, "is for another device" },
	[RELATION_OTHER_SUBJECT] = { POLICY_NOTE_OTHERS,
	    "is for another subject" },
};

static enum relation
relate(const struct eval *e, const struct index_entry *entry, struct meaning *m,
    struct needs *needs)
{
	const struct policy_rule *rule = entry->rule;
	bool subject = subject_match(rule, e->subject);
	enum match device = eval_meaning(e, m, entry);

	if (device == MATCH_NO)
		return subject ? RELATION_OTHER_DEVICE : RELATION_NONE;
	if (!subject)
		return RELATION_OTHER_SUBJECT;
	if (rule->verb == VERB_DENY)
		return RELATION_DENIES;
	if (device == MATCH_IDENTITY)
		return RELATION_IDENTITY;
	return eval_lacks(e, rule, entry->target, needs) == 0 ? RELATION_COVERS
							      : RELATION_SHORT;
}

static void
relate_all(struct explanation *x, const struct index *index)
{
	const struct eval *e = &x->eval;
	size_t i = x->decision.device;
	struct meaning m = { .device = &e->request->devices[i] };
	struct needs needs;

	eval_needs(e, i, &needs);
	for (size_t j = 0; j < index->n; j++) {
		const struct index_entry *entry = &index->entries[j];

		x->relations[entry->rule - e->policy->rules] =
		    (unsigned char)relate(e, entry, &m, &needs);
	}
}

static void
say_why(const struct explanation *x, const struct policy_rule *rule,
    enum relation relation, struct text *t)
{
	if (relation == RELATION_IDENTITY)
		why_identity(t, &x->eval, rule, x->decision.device);
	else if (relation == RELATION_SHORT)
		why_short(t, &x->eval, rule, x->decision.device);
	else
		text_add(t, "%s", relations[relation].words);
}

static void
note(struct explanation *x, const struct policy_rule *rule,
    enum relation relation)
{
	struct policy_note n = { .rule = rule,
		.kind = relations[relation].kind };
	struct text t = text_in(n.why, sizeof(n.why));

	/* Words are dear, and nobody reads ten thousand of them. */
	if (x->noted[n.kind]++ < POLICY_NOTES_MAX)
		say_why(x, rule, relation, &t);
	x->line(x->arg, &n);
}

static void
note_all(struct explanation *x, enum relation relation)
{
	enum verb verb = relation == RELATION_DENIES ? VERB_DENY : VERB_ALLOW;
	const struct policy_rule *rule = x->eval.policy->first[verb];

	for (; rule != NULL; rule = rule->next)
		if (rule != x->decision.rule &&
		    x->relations[rule - x->eval.policy->rules] == relation)
			note(x, rule, relation);
}

/* Each line about the subject, and which of its limits are the smallest. */
static void
note_limits(const struct explanation *x)
{
	const struct policy_rule *rule = x->eval.policy->first[VERB_LIMIT];
	struct limits limits;
	size_t none;

	eval_limits(x->eval.policy, x->eval.subject, &limits);
	for (; rule != NULL; rule = rule->next) {
		struct policy_note n = { rule, POLICY_NOTE_LIMIT, "" };
		struct text t = text_in(n.why, sizeof(n.why));

		if (rule == x->decision.rule ||
		    !subject_match(rule, x->eval.subject))
			continue;
		text_add(&t, "in force:");
		none = t.len;
		for (enum field f = FIELD_OPTIONS_END; f < FIELD_END; f++)
			if (limits.rule[f] == rule)
				keyword_print(&t, &fields[f], rule->value[f]);
		if (t.len == none)
			text_add(&t, " nothing, others are smaller");
		x->line(x->arg, &n);
	}
}

static void
note_decided(const struct explanation *x)
{
	struct policy_note n = { .rule = x->decision.rule,
		.kind = POLICY_NOTE_DECIDED };
	struct text t = text_in(n.why, sizeof(n.why));

	text_add(&t, "%s",
	    x->decision.verdict == POLICY_ALLOW ? "covers the request"
						: x->decision.why);
	if (n.rule != NULL)
		x->line(x->arg, &n);
}

int
policy_explain(const struct policy *policy, const struct policy_world *world,
    const struct policy_subject *subject, const struct policy_usage *usage,
    const struct policy_request *request,
    void (*line)(void *arg, const struct policy_note *), void *arg)
{
	struct explanation x = { .eval = { policy, world, subject, usage,
				     request },
		.line = line,
		.arg = arg };

	if (request->ndevices == 0)
		return 0;
	x.relations = malloc(policy->nrules + 1);
	if (x.relations == NULL)
		return -ENOMEM;
	eval_decide(&x.eval, &x.decision, NULL);
	relate_all(&x, &policy->deny);
	relate_all(&x, &policy->allow);
	note_decided(&x);
	for (enum relation r = 0; r < RELATION_NONE; r++)
		note_all(&x, r);
	note_limits(&x);
	free(x.relations);
	return 0;
}
