/* SPDX-License-Identifier: ISC */
#ifndef VFIOBROKER_CMD_MACHINE_H
#define VFIOBROKER_CMD_MACHINE_H

/* The PCI devices of this machine, as far as anybody may see them. */

#include <stddef.h>
#include <stdint.h>

#include "policy/machine.h"

#define MACHINE_LABEL_MAX 96

struct machine {
	const char *sysroot;
	size_t n;
	struct policy_device *devices; /* ordered by address */
	uint32_t *reasons; /* 1 << enum reason; asked for when needed */
};

/* sysroot is "" but in tests, and must stay.  Returns 0 or -errno. */
int machine_read(const char *sysroot, struct machine *);
void machine_free(struct machine *);

/* For the policy's advice.  Refers to the machine. */
struct policy_machine machine_for_policy(struct machine *);

#endif
