/* SPDX-License-Identifier: ISC */
#ifndef VFIOBROKER_CMD_FDLIST_H
#define VFIOBROKER_CMD_FDLIST_H

/* Descriptors to keep, and one descriptor over a socket. */

#include <stddef.h>

#include "client/vfiobroker.h"

#define FDLIST_MAX (8 + VFIOBROKER_MAX_DEVICES)

struct fdlist {
	size_t n;
	int v[FDLIST_MAX];
};

/* -1 is not added. */
void fdlist_add(struct fdlist *, int fd);

/* Closes every descriptor that is not in the list.  0 or -errno. */
int fdlist_close_others(struct fdlist *);

/* Exactly one descriptor, with one byte.  0 or -errno. */
int fdlist_send(int socketfd, int fd);
int fdlist_receive(int socketfd, int *fd);

#endif
