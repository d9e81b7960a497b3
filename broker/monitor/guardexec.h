/* SPDX-License-Identifier: ISC */
#ifndef VFIOBROKER_GUARDEXEC_H
#define VFIOBROKER_GUARDEXEC_H

#include <stddef.h>

#include "broker/common/bdf.h"

/*
 * In a child of its own: executes vfiobroker-guard, which is not root, for up to
 * GUARDMSG_DEVICES_MAX devices.  It writes to out what it finds.
 */
void guardexec(int out, const struct bdf *, size_t n) __attribute__((noreturn));

#endif
