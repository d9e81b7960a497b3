/* SPDX-License-Identifier: ISC */
#ifndef VFIOBROKER_UEVENT_H
#define VFIOBROKER_UEVENT_H

#include <stddef.h>

#include "broker/common/bdf.h"

/* What the kernel says about PCI functions coming, going and changing. */
enum uevent_action {
	UEVENT_NONE, /* not about a PCI function, or not interesting */
	UEVENT_ADD,
	UEVENT_REMOVE,
	UEVENT_CHANGE, /* bind, unbind, change, move */
};

/* Starts listening. 0 or -errno; tests without a kernel socket go without. */
int uevent_init(void);

/* Reads one message. Pure; fuzzed. */
enum uevent_action uevent_parse(const char *msg, size_t len, struct bdf *);

#endif
