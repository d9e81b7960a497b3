/* SPDX-License-Identifier: ISC */
/*
 * A compiled policy from a loader that is not what it should be: reading stays
 * within the bytes, and what is taken is used as the monitor uses it.  The
 * corpus is what parse/write.c makes of policy/examples, which is worth
 * something only as long as it is taken.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "policy/policy.h"

#define MUST(condition)                   \
	do {                              \
		if (!(condition))         \
			__builtin_trap(); \
	} while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int
group_of(void *arg, const struct bdf *b)
{
	(void)arg;
	return b->bus % 8 - 1;
}

static void
check_text(const char *s)
{
	MUST(*s != '\0');
	for (; *s != '\0'; s++)
		MUST((unsigned char)*s >= ' ' && *s != 0x7f);
}

static void
check_note(void *arg, const struct policy_note *n)
{
	const struct policy_rule **decided = arg;

	if (n->kind == POLICY_NOTE_DECIDED)
		*decided = n->rule;
	check_text(policy_rule_text(n->rule));
	check_text(policy_rule_file(n->rule));
	MUST(policy_rule_line(n->rule) > 0);
}

static void
check_error(void *arg, const char *line)
{
	unsigned *n = arg;

	++*n;
	check_text(line);
}

static const struct policy_device devices[] = {
	{ .bdf = { 0, 1, 0x10, 0, 0 },
	    .vendor = 0x8086,
	    .device = 0x10ca,
	    .class = 0x020000,
	    .is_vf = true,
	    .pf = { 0, 1, 0, 0, 0 },
	    .group = 0 },
	{ .bdf = { 0x10000, 0xe1, 0, 0, 0 },
	    .vendor = 0x144d,
	    .device = 0xa80a,
	    .class = 0x010802,
	    .group = -1 },
};

static void
ask(const struct policy *p, unsigned salt)
{
	const struct policy_world world = { group_of, NULL };
	const gid_t gids[] = { 3, 36, 40 + salt };
	const struct policy_subject who = { 1000 * (salt % 2), gids, 3 };
	const bool flags[] = { salt & 1, salt & 2 };
	const struct policy_usage have = { devices + 1, salt >> 3 & 1, salt % 3,
		salt % 4 * (1ULL << 30) };
	const struct policy_request want = { .devices = devices,
		.ndevices = 1 + salt % 2,
		.managed = flags,
		.memlock = salt % 3 * (1ULL << 30),
		.new_lease = true };
	const struct policy_rule *decided = NULL;
	struct policy_decision d;
	struct policy_limits limits;

	policy_decide(p, &world, &who, &have, &want, &d, NULL);
	policy_explain(p, &world, &who, &have, &want, check_note, &decided);
	MUST(decided == d.rule);
	policy_limits_of(p, &who, &limits);
	policy_is_admin(p, &who);
	policy_claims(p, &world, devices);
	policy_tolerates(
	    p, &world, devices, (enum reason)(salt % REASON_COUNT));
}

static void
print(const struct policy *p)
{
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	policy_print(p, f, true);
	fclose(f);
	free(text);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* Aligned, as the monitor has it. */
	void *copy = malloc(size + (size == 0));
	unsigned errors = 0;
	struct policy *p;
	int r;

	if (size > 0)
		memcpy(copy, data, size);
	r = policy_read(&p, copy, size, check_error, &errors);
	free(copy);
	MUST((r == 0) == (p != NULL) && (r == -EINVAL) == (errors > 0));
	MUST(r == 0 || r == -EINVAL || r == -EBADMSG);
	if (p != NULL) {
		print(p);
		for (unsigned salt = 0; salt < 16; salt++)
			ask(p, salt);
	}
	policy_free(p);
	return 0;
}
