/* SPDX-License-Identifier: ISC */
/*
 * Fuzzes the policy: loads, prints, loads what was printed, and asks both the
 * same.  A NUL splits the input into sources.  What must hold is asserted with
 * __builtin_trap(); everything else is for the sanitizers.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "policy/lint.h"
#include "policy/parse/load.h"

#define SOURCES 4

#define MUST(condition)                   \
	do {                              \
		if (!(condition))         \
			__builtin_trap(); \
	} while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Every name exists but those that begin with x. */
static int
find_id(void *arg, const char *name, uid_t *out)
{
	(void)arg;
	if (name[0] == 'x')
		return -ENOENT;
	*out = (uid_t)strlen(name);
	return 0;
}

static int
group_of(void *arg, const struct bdf *b)
{
	(void)arg;
	return b->bus % 8 - 1;
}

static void
count_error(void *arg, const struct policy_error *e)
{
	unsigned *n = arg;

	++*n;
	MUST(e->line > 0 && e->column > 0 && e->text[0] != '\0');
	MUST(e->file != NULL);
}

static struct policy *
load(const struct policy_source *sources, size_t n)
{
	const struct policy_resolver by = { find_id, find_id, NULL };
	unsigned errors = 0;
	struct policy *p;
	int r = policy_load(&p, sources, n, &by, count_error, &errors);

	MUST(r == 0 || r == -EINVAL);
	MUST((r == 0) == (errors == 0) && (r == 0) == (p != NULL));
	return p;
}

static char *
print(const struct policy *p, size_t *len)
{
	char *text = NULL;
	FILE *f = open_memstream(&text, len);

	policy_print(p, f, false);
	fclose(f);
	return text;
}

static void
check_note(void *arg, const struct policy_note *n)
{
	const struct policy_rule **decided = arg;
	if (n->kind == POLICY_NOTE_DECIDED)
		*decided = n->rule;
	MUST(strlen(policy_rule_text(n->rule)) < POLICY_RULE_TEXT_MAX - 1);
}

static void
ignore_warning(void *arg, const struct policy_warning *w)
{
	(void)arg;
	MUST(w->line > 0 && w->text[0] != '\0');
}

static const struct policy_device devices[] = {
	{ .bdf = { 0, 1, 0x10, 0, 0 },
	    .vendor = 0x8086,
	    .device = 0x10ca,
	    .class = 0x020000,
	    .is_vf = true,
	    .pf = { 0, 1, 0, 0, 0 },
	    .group = 0 },
	{ .bdf = { 0, 0x3b, 0, 0, 0 },
	    .vendor = 0x10de,
	    .device = 0x2684,
	    .class = 0x030000,
	    .group = 2 },
	{ .bdf = { 0x10000, 0xe1, 0, 0, 0 },
	    .vendor = 0x144d,
	    .device = 0xa80a,
	    .class = 0x010802,
	    .group = -1 },
};
#define NDEVICES (sizeof(devices) / sizeof(devices[0]))

static void
ask(const struct policy *p, const struct policy *q, unsigned salt)
{
	const struct policy_world world = { group_of, NULL };
	const gid_t gids[] = { 3, 36, salt % 8 };
	const struct policy_subject who = { salt % 5, gids, 3 };
	const bool flags[] = { salt & 1, salt & 2, salt & 4 };
	const struct policy_usage have = { devices + 1, salt >> 3 & 1, salt % 3,
		salt % 4 * (1ULL << 30) };
	const struct policy_request want = { .devices = devices,
		.ndevices = 1 + salt % NDEVICES,
		.managed = flags,
		.memlock = salt % 3 * (1ULL << 30),
		.new_lease = true };
	const struct policy_rule *decided = NULL;
	struct policy_decision a, b;

	policy_decide(p, &world, &who, &have, &want, &a, NULL);
	policy_decide(q, &world, &who, &have, &want, &b, NULL);
	MUST(a.verdict == b.verdict && a.device == b.device);
	MUST(strcmp(a.why, b.why) == 0);
	policy_explain(p, &world, &who, &have, &want, check_note, &decided);
	MUST(decided == a.rule);
	MUST(policy_is_admin(p, &who) == policy_is_admin(q, &who));
	MUST(policy_claims(p, &world, devices) ==
	     policy_claims(q, &world, devices));
}

/* What was printed is a fixed point. */
static void
check(const struct policy *p)
{
	const struct policy_machine machine = { .devices = devices,
		.ndevices = NDEVICES };
	struct policy_source source = { .name = "printed" };
	char *once = print(p, &source.len), *twice;
	struct policy *q;
	size_t len;

	source.text = once;
	q = load(&source, 1);
	MUST(q != NULL);
	twice = print(q, &len);
	MUST(len == source.len && memcmp(once, twice, len) == 0);
	for (unsigned salt = 0; salt < 16; salt++)
		ask(p, q, salt * 7);
	policy_lint(p, &machine, ignore_warning, NULL);
	policy_free(q);
	free(once);
	free(twice);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct policy_source sources[SOURCES];
	const char *text = (const char *)data;
	size_t n = 0;
	struct policy *p;

	while (n < SOURCES) {
		const char *end = size > 0 ? memchr(text, '\0', size) : NULL;
		size_t len = end != NULL && n < SOURCES - 1
				 ? (size_t)(end - text)
				 : size;

		sources[n++] = (struct policy_source){ "fuzz", text, len };
		if (len == size)
			break;
		text += len + 1;
		size -= len + 1;
	}
	p = load(sources, n);
	if (p != NULL)
		check(p);
	policy_free(p);
	return 0;
}
