/* SPDX-License-Identifier: ISC */
#ifndef VFIOBROKER_POLICYLOAD_H
#define VFIOBROKER_POLICYLOAD_H

#include <stdbool.h>

#include "policy/policy.h"

/*
 * The policy in force, and how a new one gets there: policy.conf and
 * policy.d, all of them root's and nobody else's to write, or none.
 */

/* Never NULL. */
const struct policy *policy_current(void);

/* False while none could be loaded: then nothing rests, and nothing goes home
 * for want of a claim line. */
bool policyload_done(void);

/* The first load: waits for it, but no longer than the loader may take.  A bad
 * file leaves a policy that allows nothing.  0 or -errno. */
int policyload_init(void);

/* SIGHUP: loads in a child, since names may have to be asked for over the
 * network; the running policy stays until the new one is whole. */
void policyload_start(void);

/* For SIGCHLD: true when the pid was the loader's. */
bool policyload_reaped(pid_t);

#endif
