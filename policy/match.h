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

#endif
