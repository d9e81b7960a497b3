/* SPDX-License-Identifier: ISC */
#ifndef VFIOBROKER_CMD_NOTIFY_H
#define VFIOBROKER_CMD_NOTIFY_H

#include "supervise.h"

/*
 * Answers the opens that the listener reports until no task is left under the
 * filter.  programfd is the pidfd of the process that was first under it.
 * Returns an exit status.
 */
int notify_serve(struct supervision *, int listenerfd, int programfd);

#endif
