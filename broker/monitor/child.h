/* SPDX-License-Identifier: ISC */
#ifndef VFIOBROKER_CHILD_H
#define VFIOBROKER_CHILD_H

#include <sys/types.h>

#include <stddef.h>
#include <stdint.h>

/*
 * What every forked child of the monitor does first: signals as they were
 * before the loop, and no fd but 0 to 2 and those in keep.  A child
 * that stays, stuck in the kernel, would else hold the ends of other
 * people's sockets and leases.
 */
void child_prepare(const int *keep, size_t nkeep);

/*
 * And what one does that is to work for the monitor: it gets a name, ignores
 * SIGPIPE, and ends with the monitor, at once if that is gone already.
 */
void
child_become(const char *name, pid_t monitor, const int *keep, size_t nkeep);

/*
 * What one does that is to execute a program that is not root: it becomes the
 * sessions' user in all senses, in no group, without a way back, and with no
 * capability but those of caps (a bit each) that the monitor itself has.  0 or
 * -errno: then it must execute nothing.
 */
int child_leave_root(uint64_t caps);

#endif
