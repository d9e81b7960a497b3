/* SPDX-License-Identifier: ISC */
/*
 * policy_explain(): every line that has to do with a request and what it does
 * to it.  Called by the monitor for `vfiobroker explain`.  Decides nothing
 * itself: the decided line is the one that eval_decide() names.
 */

#include "eval.h"

struct explanation {
	struct eval eval;
	struct policy_decision decision;
	void (*line)(void *arg, const struct policy_note *);
	void *arg;
};

enum relation {
	RELATION_NONE,
	RELATION_NEAR, /* about the subject or the device, but not enough */
	RELATION_FULL,
};

/* How an allow or deny line stands to the request, and that in words. */
static enum relation
relate(
    const struct explanation *x, const struct policy_rule *rule, struct text *t)
{
	const struct eval *e = &x->eval;
	size_t i = x->decision.device;
	struct needs needs;
	bool subject = subject_match(rule, e->subject);
	enum match device =
	    target_match(rule->targets, e->world, &e->request->devices[i]);

	if (!subject || device == MATCH_NO) {
		text_add(
		    t, "is for another %s", subject ? "device" : "subject");
		return subject || device != MATCH_NO ? RELATION_NEAR
						     : RELATION_NONE;
	}
	if (rule->verb == VERB_DENY) {
		text_add(t, "denies it");
		return RELATION_FULL;
	}
	eval_needs(e, i, &needs);
	if (device == MATCH_IDENTITY)
		why_identity(t, e, i);
	else if (eval_lacks(e, rule, &needs) != 0)
		why_short(t, e, rule, i);
	else {
		text_add(t, "covers the request");
		return RELATION_FULL;
	}
	return RELATION_NEAR;
}

/* Notes the lines of a verb that have the relation. */
static void
note(const struct explanation *x, enum verb verb, enum relation wanted)
{
	const struct policy_rule *rule = x->eval.policy->first[verb];

	for (; rule != NULL; rule = rule->next) {
		struct policy_note n = { .rule = rule };
		struct text t = text_in(n.why, sizeof(n.why));

		if (rule != x->decision.rule && relate(x, rule, &t) == wanted)
			x->line(x->arg, &n);
	}
}

static void
note_limits(const struct explanation *x)
{
	const struct policy_rule *rule = x->eval.policy->first[VERB_LIMIT];

	for (; rule != NULL; rule = rule->next)
		if (rule != x->decision.rule &&
		    subject_match(rule, x->eval.subject))
			x->line(x->arg, &(struct policy_note){ .rule = rule,
					    .why = "limits the subject" });
}

static void
note_decided(const struct explanation *x)
{
	struct policy_note n = { .rule = x->decision.rule, .decided = true };
	struct text t = text_in(n.why, sizeof(n.why));

	text_add(&t, "%s",
	    x->decision.verdict == POLICY_ALLOW ? "covers the request"
						: x->decision.why);
	if (n.rule != NULL)
		x->line(x->arg, &n);
}

void
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
		return;
	eval_decide(&x.eval, &x.decision, NULL);
	note_decided(&x);
	note(&x, VERB_DENY, RELATION_FULL);
	note(&x, VERB_ALLOW, RELATION_FULL);
	note_limits(&x);
	note(&x, VERB_ALLOW, RELATION_NEAR);
}
