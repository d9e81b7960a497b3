/* SPDX-License-Identifier: ISC */
#ifndef VFIOBROKER_BOX_H
#define VFIOBROKER_BOX_H

/*
 * What policy loader and guard do to themselves before anything else.  Both are
 * executed by the monitor as the sessions' user, with at most a capability or
 * two for the first thing they do.
 */

#include <sys/resource.h>

#include <stdbool.h>
#include <stddef.h>

struct box_limit {
	int resource; /* RLIMIT_... */
	rlim_t limit;
};

/*
 * From here on the process gains nothing by executing, hands no capability on,
 * ends with the monitor, can not be looked into by others of its user, and has
 * no more of each resource than its limit.  0 or -errno, -EPERM for root: then
 * it must do nothing.
 */
int box_enter(const struct box_limit *, size_t n);

/*
 * Of the capabilities that are permitted: whether they stay so and whether they
 * are in effect.  What is not permitted is lost for good.  0 or -errno.
 */
int box_capabilities(bool permitted, bool effective);

#endif
