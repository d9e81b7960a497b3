/* SPDX-License-Identifier: ISC */
#ifndef VFIOBROKER_WATCH_H
#define VFIOBROKER_WATCH_H

#include <stdint.h>

#include "broker/common/state.h"

struct device;
struct lease;

/* What happened, told to all sessions that watch, with a running number. */

void watch_device(const struct device *, enum state from, uint64_t spent_us);
void watch_appeared(const struct device *);
void watch_lease(const struct lease *, const char *what);
void watch_policy(const char *what);

#endif
