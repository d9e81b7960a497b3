/* SPDX-License-Identifier: ISC */
#ifndef VFIOBROKER_OPENING_H
#define VFIOBROKER_OPENING_H

struct session;

/*
 * Serves MON_OPEN_GROUP: a group's node and a container once more, for the
 * owner of a lease that has a device in it.  The request is answered when the
 * node is open, or by the workers' deadline.
 */
void opening_start(struct session *, const void *record);

/* The session that waited is gone. */
void opening_forget(const struct session *);

#endif
