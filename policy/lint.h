/* SPDX-License-Identifier: ISC */
#ifndef VFIOBROKER_POLICY_LINT_H
#define VFIOBROKER_POLICY_LINT_H

/*
 * What is right by the grammar and yet hardly meant: lines that do nothing,
 * users who get in each other's way, devices that the host needs or does not
 * have.  For `vfiobroker policy check`; the monitor does not link it.
 */

#include "machine.h"

/* file is good as long as the policy. */
struct policy_warning {
	const char *file;
	unsigned line;
	char text[240];
};

/*
 * Calls warn() for each warning, in order of lines.  machine may be NULL for a
 * policy that is meant for another one.  Returns 0 or -ENOMEM.
 */
int policy_lint(const struct policy *, const struct policy_machine *,
    void (*warn)(void *arg, const struct policy_warning *), void *arg);

#endif
