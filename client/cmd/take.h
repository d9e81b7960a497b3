/* SPDX-License-Identifier: ISC */
#ifndef VFIOBROKER_CMD_TAKE_H
#define VFIOBROKER_CMD_TAKE_H

/* Taking a lease, for `run` and `exec`. */

#include "options.h"

struct wish {
	struct device_list devices;
	uint64_t memlock;
	const char *label;
	bool no_wait;
	bool iommufd; /* an iommufd and cdevs, no container and groups */
};

/*
 * Connects and acquires for this process, with a word to the terminal when it
 * takes long.  Returns EX_OK and a grant to free, or the status to exit with
 * after the message.  The connection is closed: the lease is in the grant.
 */
int take_lease(struct wish *, struct vfiobroker_grant **out);

#endif
