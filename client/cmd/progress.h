/* SPDX-License-Identifier: ISC */
#ifndef VFIOBROKER_CMD_PROGRESS_H
#define VFIOBROKER_CMD_PROGRESS_H

/* A word to the terminal while the library waits for the broker. */

#include <stdbool.h>
#include <sys/types.h>

/*
 * Starts a child that calls tell() after a second, and again at growing
 * intervals until it returns false.  No descriptor but stdio is open in it.
 * Returns its pid, or -1 when stderr is no terminal.
 */
pid_t progress_start(bool (*tell)(void *arg), void *arg);

/* Ends it; -1 is fine. */
void progress_stop(pid_t);

#endif
