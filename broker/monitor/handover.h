/* SPDX-License-Identifier: ISC */
#ifndef VFIOBROKER_HANDOVER_H
#define VFIOBROKER_HANDOVER_H

#include <stdbool.h>
#include <stddef.h>

#include "broker/common/monmsg.h"
#include "broker/common/status.h"
#include "device.h"

struct check;
struct session;

/*
 * What one grant hands over: the record, and the open files that travel with
 * it, in the same order.  Begins as { .n = 0 }; ends with handover_close() or
 * when it is sent.
 */
struct handover {
	struct mon_grant grant;
	int fds[MON_MAX_FDS];
	size_t n;
	bool iommufd;
	const struct device *device; /* whose node could not be opened */
};

/*
 * Opens what belongs to the members of a check: the container and a group for
 * each group that the lease has not, or an iommufd and a cdev for each device
 * that was asked for.  0, or -errno: then device is the culprit, or NULL where
 * it is the host, for handover_refuse().
 */
int handover_open(struct handover *, const struct check *, bool iommufd);

/* Adds an open file, and owns it in any case.  0, or fd itself if below 0. */
int handover_add(struct handover *, int fd, enum mon_fd_kind);

void handover_close(struct handover *);

/* Says why an open failed and what would mend it; what the request ends with. */
enum status handover_refuse(const struct handover *, struct session *, int r);

#endif
