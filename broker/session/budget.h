/* SPDX-License-Identifier: ISC */
#ifndef VFIOBROKER_BUDGET_H
#define VFIOBROKER_BUDGET_H

/*
 * Memory for one decoded message.  protobuf-c makes up to 68 times the wire
 * size of a message of empty sub-messages; here it meets a fixed end.
 */

#include <stdbool.h>

#include <protobuf-c/protobuf-c.h>

#define BUDGET_MAX (256 * 1024)

/* Forgets everything handed out before and returns the whole budget. */
ProtobufCAllocator *budget_start(void);

/* Whether an allocation was refused since budget_start(). */
bool budget_spent(void);

#endif
