/* SPDX-License-Identifier: ISC */
#ifndef VFIOBROKER_CMD_LATE_H
#define VFIOBROKER_CMD_LATE_H

#include "options.h"
#include "supervise.h"

/* supervision.late for real: asks the broker. */
int late_open(uint64_t lease, const struct node *, struct late_nodes *);

/* The endpoints of a group, by the kernel's own list below sys.  0, -errno. */
int late_devices_at(const char *sys, int group, struct device_list *);

#endif
