/* SPDX-License-Identifier: ISC */
#ifndef VFIOBROKER_PIDFD_H
#define VFIOBROKER_PIDFD_H

#include <sys/types.h>

#include <stdbool.h>

/* The one kind of fd that comes from a client: a process's; and whose it is. */

/* Whether it is one.  Asks /proc for its name; no file system can block. */
bool pidfd_is(int fd);

/* The process's number, or -ESRCH when it is gone, -EBADF when it is none. */
pid_t pidfd_pid(int fd);

/* Whose process has that number: 0, or -ESRCH. */
int process_owner(pid_t, uid_t *);

/*
 * Gets rid of an fd from outside and sets it to -1.  What is not a pidfd is
 * left open for ever, on purpose: close(2) of a file on FUSE or NFS can block,
 * and a taken-over session could stop the monitor with it.  Honest sessions
 * send none, and the one who did is killed.
 */
void pidfd_discard(int *fd);

#endif
