/* SPDX-License-Identifier: ISC */
#ifndef VFIOBROKER_POLICY_LINT_COVER_H
#define VFIOBROKER_POLICY_LINT_COVER_H

/*
 * Whether line a says all that line b says, on any machine and for any user.
 * In doubt the answer is no.
 */

#include "model.h"

bool subject_covers(const struct policy_rule *a, const struct policy_rule *b);
/* One, by name or number. */
bool subject_is_user(const struct policy_rule *);
bool subject_same(const struct policy_rule *a, const struct policy_rule *b);
bool target_covers(const struct target *a, const struct target *b);
bool rule_covers(const struct policy_rule *a, const struct policy_rule *b);

#endif
