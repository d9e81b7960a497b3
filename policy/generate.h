/* SPDX-License-Identifier: ISC */
#ifndef VFIOBROKER_POLICY_GENERATE_H
#define VFIOBROKER_POLICY_GENERATE_H

/*
 * Prints a policy for the machine that allows nothing until somebody takes
 * comment signs away.  For `vfiobroker policy generate`; the monitor does not
 * link it.  Devices come in order of their addresses, or as the caller has
 * them.
 */

#include "machine.h"

void policy_generate(const struct policy_machine *, FILE *);

#endif
