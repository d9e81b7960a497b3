/* SPDX-License-Identifier: ISC */
#ifndef VFIOBROKER_POLICY_MATCH_H
#define VFIOBROKER_POLICY_MATCH_H

/* Does a line mean this subject, this device? */

#include "model.h"

/* Sorted: a pool's answer is the best of its entries'. */
enum match {
	MATCH_NO,
	MATCH_IDENTITY, /* the address, but other ids than expected */
	MATCH_YES,
};

bool subject_match(const struct policy_rule *, const struct policy_subject *);
enum match target_match(const struct target *, const struct policy_world *,
    const struct policy_device *);

/*
 * The two halves of that: whether it means the device, whatever ids the line
 * expects itself; and, where it does, whether it has those.
 */
enum match target_means(const struct target *, const struct policy_world *,
    const struct policy_device *);
enum match target_expect(
    const struct target *, enum match means, const struct policy_device *);

/* Which ids, where the match is MATCH_IDENTITY. */
uint64_t target_expected(const struct target *, const struct policy_world *,
    const struct policy_device *);

#endif
