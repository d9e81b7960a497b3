/* SPDX-License-Identifier: ISC */
#ifndef VFIOBROKER_CHILD_H
#define VFIOBROKER_CHILD_H

#include <stddef.h>

/*
 * What every forked child of the monitor does first: signals as they were
 * before the loop, and no fd but 0 to 2 and those in keep.  A child
 * that stays, stuck in the kernel, would else hold the ends of other
 * people's sockets and leases.
 */
void child_prepare(const int *keep, size_t nkeep);

#endif
