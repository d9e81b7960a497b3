/* SPDX-License-Identifier: ISC */
#ifndef VFIOBROKER_USAGE_H
#define VFIOBROKER_USAGE_H

#include <sys/types.h>

#include <stdbool.h>

#include "policy/policy.h"

struct device;
struct lease;

/*
 * What a uid holds, but for one lease (NULL: none) that is asked about anew;
 * ended: and what is not yet free of leases that are over.  *out is to be
 * freed with usage_clear().  0 or -ENOMEM.
 */
int usage_of(
    uid_t, const struct lease *except, bool ended, struct policy_usage *out);

/* As if this were held too; there is room for each device of the machine. */
void usage_add(struct policy_usage *, const struct device *);
void usage_clear(struct policy_usage *);

#endif
