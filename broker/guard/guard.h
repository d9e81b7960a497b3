/* SPDX-License-Identifier: ISC */
#ifndef VFIOBROKER_GUARD_H
#define VFIOBROKER_GUARD_H

/*
 * Why the host should keep a device: every reason, by name.
 *
 * Reads sysfs and procfs only, and only attributes that do not take the
 * device's lock.  Needs no root; who may not see the files that other processes
 * have open gets -EACCES for a function with a DRM node.
 */

#include <stdbool.h>

#include "broker/common/bdf.h"
#include "broker/common/reason.h"

/*
 * Calls found() once for each reason and place, e.g. (REASON_MOUNTED,
 * "nvme0n1 on /srv").  what is printable ASCII and valid during the call.
 * sysroot is "" but in tests, where a tree with sys/ and proc/ stands there.
 * Returns 0, or -errno when a file that must be readable was not: then the
 * answer is incomplete and the device must not be taken.
 */
int guard_collect(const char *sysroot, const struct bdf *,
    void (*found)(void *arg, enum reason, const char *what), void *arg);

/* Whether it has a DRM node, or that can not be told: then guard_collect() looks
 * at what other processes have open. */
bool guard_draws(const char *sysroot, const struct bdf *);

#endif
