/* SPDX-License-Identifier: ISC */
#ifndef VFIOBROKER_CHILD_H
#define VFIOBROKER_CHILD_H

#include <sys/types.h>

#include <stddef.h>
#include <stdint.h>

/* What lies between the monitor and a child. */
enum child_channel {
	CHILD_WRITES, /* a pipe, to the monitor */
	CHILD_TALKS, /* a socket, for packets */
};

/*
 * Forks: the child's pid, 0 in the child, or -errno.  *fd is the end of the
 * channel that is one's own; the monitor's does not block; -1 where it failed.
 */
pid_t child_fork(enum child_channel, int *fd);

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
void child_become(const char *name, const int *keep, size_t nkeep);

/*
 * What one does that is to be a program which is not root: it becomes the
 * sessions' user in all senses, in no group, without a way back, with no
 * capability but those of caps (a bit each) that the monitor itself has, with
 * out as its descriptor 1 and an empty environment.
 */
void child_execute(const char *program, char *const argv[], int out,
    uint64_t caps) __attribute__((noreturn));

#endif
