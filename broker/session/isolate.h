/* SPDX-License-Identifier: ISC */
#ifndef VFIOBROKER_ISOLATE_H
#define VFIOBROKER_ISOLATE_H

#include <sys/types.h>

/* The descriptors a session has; there are no others. */
#define SESSION_LOGFD 2
#define SESSION_MONFD 3
#define SESSION_CLIENTFD 4 /* once it is welcome */

/*
 * Gives up everything but the descriptors, for good.  Returns 0 or -errno;
 * after a failure the process must exit, it may be in any state between.
 */
int isolate(uid_t uid, gid_t gid, const char *emptydir);

#endif
