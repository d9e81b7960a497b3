/* SPDX-License-Identifier: ISC */
#ifndef VFIOBROKER_PIDCHECK_H
#define VFIOBROKER_PIDCHECK_H

#include <stdbool.h>

/*
 * Whether an fd from a client is a process's.  Nothing else may reach the
 * monitor: closing a file on FUSE or NFS can block for ever, and here that
 * hurts only the one who sent it.
 */
bool pidcheck(int fd);

#endif
