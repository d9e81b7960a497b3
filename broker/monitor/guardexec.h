/* SPDX-License-Identifier: ISC */
#ifndef VFIOBROKER_GUARDEXEC_H
#define VFIOBROKER_GUARDEXEC_H

#include <sys/types.h>

#include <stddef.h>

#include "broker/common/bdf.h"

/*
 * Starts vfiobroker-guard for up to GUARDMSG_DEVICES_MAX devices: its pid, and
 * the end of the pipe that it writes to, which does not block and is the
 * caller's.  0 or -errno.
 */
int guardexec(pid_t *, int *fd, const struct bdf *, size_t n);

#endif
