/* SPDX-License-Identifier: ISC */
#ifndef VFIOBROKER_MEMLOCK_H
#define VFIOBROKER_MEMLOCK_H

#include <sys/types.h>

#include <stdint.h>

/*
 * Raises RLIMIT_MEMLOCK, soft and hard, of the process behind a pidfd to at
 * least bytes; never lowers it.  The process must be uid's own.  *now is the
 * soft limit afterwards.  0, -ESRCH (gone), -EACCES (another's), -EBADF (no
 * pidfd), or -errno.
 */
int memlock_raise(int pidfd, uid_t uid, uint64_t bytes, uint64_t *now);

/* Of an error of that, for people: what is wrong, and what would mend it. */
const char *memlock_why(int error);
const char *memlock_fix(int error);

#endif
