/* SPDX-License-Identifier: ISC */
/*
 * The compiled form to a policy.  Called by the monitor with what the loader
 * sent.  Must take nothing that is out of range or could be said in another
 * way, and never reads what it has not checked: the loader is trusted with what
 * the policy says, not with the monitor's memory.
 */

#include "compiled.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

const struct policy policy_empty = { .rules = NULL };

/* What is left to take of each kind. */
struct reader {
	struct compiled_head head;
	const struct compiled_line *lines;
	const struct compiled_target *targets, *targets_end;
	const char *strings;
	size_t len; /* of the strings */
	const char *files[POLICY_FILES_MAX];
};

/* ---- whether it is all there -------------------------------------------- */

/* Finds the parts; nothing is left over between and behind them. */
static int
find_parts(struct reader *r, const char *bytes, size_t len)
{
	const struct compiled_head *h = &r->head;
	uint64_t before;

	if (len < sizeof(*h) + COMPILED_WORD || len > POLICY_COMPILED_BYTES)
		return -EBADMSG;
	memcpy(&r->head, bytes, sizeof(*h));
	len -= COMPILED_WORD;
	before = sizeof(*h) + (uint64_t)h->lines * sizeof(*r->lines) +
		 (uint64_t)h->targets * sizeof(*r->targets);
	if (memcmp(h->magic, COMPILED_MAGIC, COMPILED_WORD) != 0 ||
	    memcmp(bytes + len, COMPILED_END, COMPILED_WORD) != 0 ||
	    before > len)
		return -EBADMSG;
	r->lines = (const void *)(bytes + sizeof(*h));
	r->targets = (const void *)(r->lines + h->lines);
	r->targets_end = r->targets + h->targets;
	r->strings = bytes + before;
	r->len = len - before;
	return 0;
}

static int
check_counts(const struct compiled_head *h)
{
	if (h->errors > 0)
		return h->errors > COMPILED_ERRORS_MAX || h->files > 0 ||
			       h->lines > 0 || h->targets > 0
			   ? -EBADMSG
			   : 0;
	return h->files > POLICY_FILES_MAX ? -EBADMSG : 0;
}

/* As many as there must be, and none of them empty. */
static int
check_strings(const struct reader *r)
{
	const struct compiled_head *h = &r->head;
	uint64_t left = (uint64_t)h->errors + h->files + h->lines;
	size_t max = h->errors > 0 ? COMPILED_ERROR_MAX : SIZE_MAX, run = 0;

	for (size_t i = 0; i < r->len; i++) {
		if (compiled_printable(r->strings[i]) && ++run < max)
			continue;
		if (r->strings[i] != '\0' || run == 0 || left-- == 0)
			return -EBADMSG;
		run = 0;
	}
	return left == 0 && run == 0 ? 0 : -EBADMSG;
}

static const char *
next_string(const char **at)
{
	const char *s = *at;

	*at += strlen(s) + 1;
	return s;
}

/* ---- targets ------------------------------------------------------------ */

#define IDS_MAX UINT32_MAX
#define ADDRESS_MAX ((1ULL << 48) - 1)

static bool
is_class(uint64_t key)
{
	return key >> 8 == 1 || key >> 16 == 1 || key >> 24 == 1;
}

static bool
key_good(enum target_kind kind, uint64_t key)
{
	switch (kind) {
	case TARGET_BDF:
	case TARGET_VF_OF:
	case TARGET_GROUP_OF:
		return key <= ADDRESS_MAX;
	case TARGET_SLOT:
		return key <= ADDRESS_MAX && (key & 7) == 0;
	case TARGET_ID:
		return key <= IDS_MAX;
	case TARGET_CLASS:
		return is_class(key);
	default:
		return key == 0;
	}
}

/* end: of the kinds that may stand there; expects: whether ids may. */
static int
read_target(struct reader *r, unsigned end, bool expects, struct target *out)
{
	const struct compiled_target *t = r->targets;

	if (t == r->targets_end || t->kind >= end || t->zero != 0 ||
	    !key_good(t->kind, t->key))
		return -EBADMSG;
	if (t->at != VALUE_ABSENT &&
	    (t->kind != TARGET_ID || t->at > ADDRESS_MAX))
		return -EBADMSG;
	if (t->expect != VALUE_ABSENT && (!expects || t->expect > IDS_MAX))
		return -EBADMSG;
	*out = (struct target){
		.kind = t->kind, .key = t->key, .at = t->at, .expect = t->expect
	};
	r->targets++;
	return 0;
}

/* ---- lines -------------------------------------------------------------- */

/* What there is on a line; the rest must be 0. */
static const struct {
	bool subject, reason, target;
} shapes[VERB_COUNT] = {
	[VERB_ALLOW] = { .subject = true, .target = true },
	[VERB_DENY] = { .subject = true, .target = true },
	[VERB_LIMIT] = { .subject = true },
	[VERB_CLAIM] = { .target = true },
	[VERB_TOLERATE] = { .reason = true, .target = true },
	[VERB_ADMIN] = { .subject = true },
};

static bool
subject_good(const struct compiled_line *l)
{
	if (!shapes[l->verb].subject)
		return l->subject == 0 && l->id == 0;
	if (l->subject == SUBJECT_ANY)
		return l->id == 0;
	return l->subject < SUBJECT_COUNT && l->id != UINT32_MAX;
}

static bool
reason_good(const struct compiled_line *l)
{
	if (!shapes[l->verb].reason)
		return l->reason == 0;
	return l->reason < REASON_COUNT && reason_tolerable(l->reason);
}

/* Lines stand in the order of the files and of the lines in them. */
static bool
place_good(const struct reader *r, const struct compiled_line *l)
{
	if (l->file >= r->head.files || l->line == 0)
		return false;
	return l == r->lines || l->file > l[-1].file ||
	       (l->file == l[-1].file && l->line > l[-1].line);
}

static int
check_line(const struct reader *r, const struct compiled_line *l)
{
	if (l->verb >= VERB_COUNT || l->zero != 0 || !subject_good(l) ||
	    !reason_good(l) || !place_good(r, l))
		return -EBADMSG;
	if (l->verb != VERB_POOL && l->targets != shapes[l->verb].target)
		return -EBADMSG;
	return 0;
}

/* A field's largest value, but for one that is absent. */
static const uint64_t value_max[FIELD_END] = {
	[FIELD_MANAGED] = 1,
	[FIELD_MEMLOCK] = UINT64_MAX,
	[FIELD_COUNT] = UINT32_MAX,
	[FIELD_SIBLINGS] = 1,
	[FIELD_EXPECT] = IDS_MAX,
	[FIELD_RESET] = 1,
	[FIELD_MAX_DEVICES] = UINT32_MAX,
	[FIELD_MAX_LEASES] = UINT32_MAX,
	[FIELD_MAX_MEMLOCK] = UINT64_MAX,
	[FIELD_MAX_CONNECTIONS] = UINT32_MAX,
	[FIELD_MAX_REQUESTS] = UINT32_MAX,
};

static int
read_values(const struct compiled_line *l, struct policy_rule *rule)
{
	enum field end, first = compiled_fields(l->verb, &end);

	for (enum field i = 0; i < FIELD_END; i++)
		rule->value[i] = fields[i].absent;
	for (enum field i = first; i < end; i++) {
		rule->value[i] = l->value[i - first];
		if (rule->value[i] > value_max[i] &&
		    rule->value[i] != fields[i].absent)
			return -EBADMSG;
	}
	/* The parser knows no such rate, and quota.c divides by it. */
	if (rule->value[FIELD_MAX_REQUESTS] == 0)
		return -EBADMSG;
	for (unsigned i = end - first; i < FIELD_OPTIONS_END; i++) {
		if (l->value[i] != 0)
			return -EBADMSG;
	}
	return 0;
}

static int
read_targets(struct reader *r, const struct compiled_line *l,
    struct policy_rule *rule, struct target *targets)
{
	bool pool = l->verb == VERB_POOL;
	int rc = 0;

	for (uint32_t i = 0; rc == 0 && i < l->targets; i++) {
		rc = read_target(r, pool ? TARGET_POOL : TARGET_COUNT,
		    pool || l->verb == VERB_ALLOW, &targets[i]);
		if (i > 0)
			targets[i - 1].next = &targets[i];
	}
	if (rc == 0 && l->targets > 0)
		rule->targets = targets;
	/* The option is the target's, and stands in both. */
	if (rc == 0 && l->verb == VERB_ALLOW &&
	    targets->expect != rule->value[FIELD_EXPECT])
		return -EBADMSG;
	return rc;
}

static int
read_pool(const struct reader *r, const struct policy *p,
    const struct compiled_line *l, struct target *t)
{
	if (l->verb == VERB_POOL || t == NULL || t->kind != TARGET_POOL)
		return l->pool == 0 ? 0 : -EBADMSG;
	if (l->pool >= r->head.lines || r->lines[l->pool].verb != VERB_POOL)
		return -EBADMSG;
	t->pool = &p->rules[l->pool];
	return 0;
}

static int
read_line(struct reader *r, const struct policy *p, size_t i, const char **text)
{
	const struct compiled_line *l = &r->lines[i];
	struct policy_rule *rule = &p->rules[i];
	size_t used = r->head.targets - (size_t)(r->targets_end - r->targets);
	int rc = check_line(r, l);

	if (rc != 0)
		return rc;
	rule->verb = l->verb;
	rule->subject = l->subject;
	rule->id = l->id;
	rule->reason = l->reason;
	rule->file = r->files[l->file];
	rule->line = l->line;
	rule->text = next_string(text);
	rc = read_values(l, rule);
	if (rc == 0)
		rc = read_targets(r, l, rule, p->targets + used);
	return rc == 0 ? read_pool(r, p, l, rule->targets) : rc;
}

/* ---- all of it ---------------------------------------------------------- */

static struct policy *
make_policy(const struct reader *r)
{
	struct policy *p = calloc(1, sizeof(*p));

	if (p == NULL)
		return NULL;
	p->nrules = r->head.lines;
	/* One more: there may be none, and NULL would mean failure. */
	p->rules = calloc(p->nrules + 1, sizeof(*p->rules));
	p->targets = calloc(r->head.targets + 1UL, sizeof(*p->targets));
	p->strings = malloc(r->len + 1);
	if (p->rules == NULL || p->targets == NULL || p->strings == NULL) {
		policy_free(p);
		return NULL;
	}
	memcpy(p->strings, r->strings, r->len);
	return p;
}

static int
fill_policy(struct reader *r, struct policy *p)
{
	struct policy_rule **tail[VERB_COUNT];
	const char *text = p->strings;
	int rc = 0;

	for (enum verb v = 0; v < VERB_COUNT; v++)
		tail[v] = &p->first[v];
	for (uint32_t i = 0; i < r->head.files; i++)
		r->files[i] = next_string(&text);
	for (size_t i = 0; rc == 0 && i < p->nrules; i++) {
		rc = read_line(r, p, i, &text);
		if (rc == 0) {
			*tail[p->rules[i].verb] = &p->rules[i];
			tail[p->rules[i].verb] = &p->rules[i].next;
		}
	}
	if (rc == 0 && r->targets != r->targets_end)
		rc = -EBADMSG;
	if (rc == 0)
		rc = index_make(&p->deny, p->first[VERB_DENY]);
	if (rc == 0)
		rc = index_make(&p->allow, p->first[VERB_ALLOW]);
	return rc;
}

int
policy_read(struct policy **out, const void *compiled, size_t len,
    void (*error)(void *arg, const char *line), void *arg)
{
	struct reader r;
	int rc = find_parts(&r, compiled, len);

	*out = NULL;
	if (rc == 0)
		rc = check_counts(&r.head);
	if (rc == 0)
		rc = check_strings(&r);
	if (rc != 0)
		return rc;
	for (uint32_t i = 0; error != NULL && i < r.head.errors; i++)
		error(arg, next_string(&r.strings));
	if (r.head.errors > 0)
		return -EINVAL;
	*out = make_policy(&r);
	if (*out == NULL)
		return -ENOMEM;
	rc = fill_policy(&r, *out);
	if (rc != 0) {
		policy_free(*out);
		*out = NULL;
	}
	return rc;
}

void
policy_free(struct policy *p)
{
	if (p == NULL)
		return;
	free(p->deny.entries);
	free(p->allow.entries);
	free(p->rules);
	free(p->targets);
	free(p->strings);
	free(p);
}
