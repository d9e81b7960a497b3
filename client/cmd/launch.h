/* SPDX-License-Identifier: ISC */
#ifndef VFIOBROKER_CMD_LAUNCH_H
#define VFIOBROKER_CMD_LAUNCH_H

/* Becoming another program, with or without inherited descriptors. */

#include "client/vfiobroker.h"

/*
 * Moves the grant's fds to 3 and up, open across exec, and names them in
 * LISTEN_PID, LISTEN_FDS and LISTEN_FDNAMES.  The fds are then no longer the
 * grant's.  Returns 0 or -errno.
 */
int launch_pass_fds(struct vfiobroker_grant *);

/* execvp().  Returns only on failure: 127 or 126, after the message. */
int launch_exec(char *const argv[]);

#endif
