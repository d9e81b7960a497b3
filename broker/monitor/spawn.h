/* SPDX-License-Identifier: ISC */
#ifndef VFIOBROKER_SPAWN_H
#define VFIOBROKER_SPAWN_H

#include <sys/types.h>

#include <stdbool.h>

/*
 * Starting session processes.  One is kept ready and isolated, waiting for
 * its client, so that a connection does not pay for fork and exec.
 */

/* A process and the socket to it; the fd is the caller's. 0 or -errno. */
int spawn_session(pid_t *, int *fd);

/* Starts keeping a spare. */
void spawn_init(void);

/* For SIGCHLD: true when the pid was the spare's. */
bool spawn_reaped(pid_t);

#endif
