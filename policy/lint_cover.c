/* SPDX-License-Identifier: ISC */
/*
 * Compares lines with lines, without a machine.  Called by lint only: no
 * decision may rest on it.  Who is in which group is not known here.
 */

#include "lint_cover.h"

bool
subject_is_user(const struct policy_rule *rule)
{
	return rule->subject == SUBJECT_USER || rule->subject == SUBJECT_UID;
}

bool
subject_covers(const struct policy_rule *a, const struct policy_rule *b)
{
	if (a->subject == SUBJECT_ANY || b->subject == SUBJECT_ANY)
		return a->subject == SUBJECT_ANY;
	return subject_is_user(a) == subject_is_user(b) && a->id == b->id;
}

bool
subject_same(const struct policy_rule *a, const struct policy_rule *b)
{
	return subject_covers(a, b) && subject_covers(b, a);
}

/* The one address that a target can mean, if it is one. */
static uint64_t
target_address(const struct target *t)
{
	return t->kind == TARGET_BDF ? t->key : t->at;
}

/* Keys have a 1 above their digits: the shorter is a prefix or is not. */
static bool
class_covers(uint64_t a, uint64_t b)
{
	while (b > a)
		b >>= 8;
	return a == b;
}

/* Neither is a pool. */
static bool
one_covers(const struct target *a, const struct target *b)
{
	uint64_t address = target_address(b);

	if (a->expect != VALUE_ABSENT && a->expect != b->expect)
		return false;
	switch (a->kind) {
	case TARGET_ALL:
		return true;
	case TARGET_BDF:
		return a->key == address;
	case TARGET_SLOT:
		return (b->kind == TARGET_SLOT && a->key == b->key) ||
		       (address != VALUE_ABSENT && a->key == (address & ~7ULL));
	case TARGET_ID:
		return b->kind == TARGET_ID && a->key == b->key &&
		       (a->at == VALUE_ABSENT || a->at == b->at);
	case TARGET_CLASS:
		return b->kind == TARGET_CLASS && class_covers(a->key, b->key);
	case TARGET_GROUP_OF:
		return a->key == address ||
		       (b->kind == TARGET_GROUP_OF && a->key == b->key);
	default:
		return a->kind == b->kind && a->key == b->key;
	}
}

static bool
list_covers(const struct target *a, const struct target *b)
{
	for (; a != NULL; a = a->next)
		if (one_covers(a, b))
			return true;
	return false;
}

bool
target_covers(const struct target *a, const struct target *b)
{
	const struct target *as = a, *bs = b;

	if (a->kind == TARGET_POOL) {
		if (a->expect != VALUE_ABSENT && a->expect != b->expect)
			return false;
		as = a->pool->targets;
	}
	if (b->kind == TARGET_POOL)
		bs = b->pool->targets;
	if (as == bs)
		return true;
	for (; bs != NULL; bs = bs->next)
		if (!list_covers(as, bs))
			return false;
	return true;
}

static bool
allow_covers(const struct policy_rule *a, const struct policy_rule *b)
{
	for (enum field f = 0; f < FIELD_OPTIONS_END; f++)
		if (f != FIELD_EXPECT && a->value[f] < b->value[f])
			return false;
	/* Over more devices the same count is used up sooner. */
	return a->value[FIELD_COUNT] == POLICY_UNLIMITED ||
	       target_covers(b->targets, a->targets);
}

static bool
limit_covers(const struct policy_rule *a, const struct policy_rule *b)
{
	for (enum field f = FIELD_OPTIONS_END; f < FIELD_END; f++)
		if (a->value[f] > b->value[f])
			return false;
	return true;
}

/* Both have the same verb, which is not pool. */
bool
rule_covers(const struct policy_rule *a, const struct policy_rule *b)
{
	if (!subject_covers(a, b) || a->reason != b->reason)
		return false;
	if (a->targets != NULL && !target_covers(a->targets, b->targets))
		return false;
	if (a->verb == VERB_LIMIT)
		return limit_covers(a, b);
	return a->verb != VERB_ALLOW || allow_covers(a, b);
}
