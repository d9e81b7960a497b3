/* SPDX-License-Identifier: ISC */
#ifndef VFIOBROKER_CMD_LATE_H
#define VFIOBROKER_CMD_LATE_H

#include "supervise.h"

/* supervision.late for real: asks the broker. */
int late_open(uint64_t lease, const struct node *, int *fd);

#endif
