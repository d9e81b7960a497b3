/* SPDX-License-Identifier: ISC */
#ifndef VFIOBROKER_CMD_ANSWER_H
#define VFIOBROKER_CMD_ANSWER_H

/*
 * Answers to a seccomp notification, by its id.  Each returns 0 or -errno;
 * -ENOENT when the asking task is gone or was interrupted, which is no error.
 */

#include <stdint.h>

/* The program's own open goes on, with its own rights. */
int answer_continue(int listenerfd, uint64_t id);

/* The open fails with err (positive). */
int answer_error(int listenerfd, uint64_t id, int err);

/* The open returns a copy of fd, or fails with what stands in the way. */
int answer_open(int listenerfd, uint64_t id, int fd, int cloexec);

#endif
