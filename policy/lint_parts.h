/* SPDX-License-Identifier: ISC */
#ifndef VFIOBROKER_POLICY_LINT_PARTS_H
#define VFIOBROKER_POLICY_LINT_PARTS_H

/* What the files of lint share; private to them. */

#include "lint.h"
#include "model.h"

struct lint {
	const struct policy *policy;
	const struct policy_machine *machine;
	struct policy_world world;
	void (*warn)(void *arg, const struct policy_warning *);
	void *arg;
	struct reach *reach; /* per device of the machine */
	bool grouped; /* there is an IOMMU, or at least a group */
};

/* The allow lines that give a device; of each subject, the first. */
struct reach {
	const struct policy_rule **rules;
	size_t n;
	bool taken; /* some line lets the broker take it from the host */
};

/* Why an allow or claim line does not give a device that it means. */
enum loss {
	LOSS_NONE,
	LOSS_DENIED,
	LOSS_IDS,
	LOSS_BRIDGE,
	LOSS_GROUP,
	LOSS_COUNT,
};

void lint_warn(const struct lint *, const struct policy_rule *, const char *fmt,
    ...) __attribute__((format(printf, 3, 4)));

/* For the world, with a struct policy_machine. */
int lint_group_of(void *machine, const struct bdf *);

/* Whether the line means device i, and whether deny lines take it from all. */
bool lint_hits(const struct lint *, const struct policy_rule *, size_t i);
bool lint_denied(const struct lint *, const struct policy_rule *, size_t i);

/* Whether an allow or claim line gives device i now, and if not, why. */
enum loss lint_loss(const struct lint *, const struct policy_rule *, size_t i);
bool lint_gives(const struct lint *, const struct policy_rule *, size_t i);

/* Whether it lets the broker take device i from the host, itself or along. */
bool lint_claims(const struct lint *, const struct policy_rule *, size_t i);
bool
lint_takes_along(const struct lint *, const struct policy_rule *, size_t i);

/* 0 or -ENOMEM; to be cleared in any case. */
int lint_reach_find(struct lint *);
void lint_reach_clear(struct lint *);
bool lint_reach_has(const struct reach *, const struct policy_rule *);
bool lint_reach_covers(const struct reach *, const struct policy_rule *);

/* Each warns of one line. */
void lint_users(const struct lint *, const struct policy_rule *);
void lint_nothing_now(const struct lint *, const struct policy_rule *);
void lint_machine(const struct lint *, const struct policy_rule *);

#endif
