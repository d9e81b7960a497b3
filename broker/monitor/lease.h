/* SPDX-License-Identifier: ISC */
#ifndef VFIOBROKER_LEASE_H
#define VFIOBROKER_LEASE_H

#include <sys/types.h>

#include <stdbool.h>
#include <stdint.h>

#include "broker/common/monmsg.h"
#include "device.h"
#include "peer.h"

/*
 * A lease is a locked file: /run/vfiobroker/leases/<id>.
 *
 * The holder gets an open file of it, locked shared; the lease lives exactly
 * as long as any copy of that open file does, in whatever process.  The kernel
 * keeps that count through every crash, also ours.
 */
struct lease {
	TAILQ_ENTRY(lease) entry;
	uint64_t id;
	uint64_t since; /* seconds since the epoch */
	uint64_t memlock; /* bytes granted */
	uid_t uid;
	pid_t pid; /* who asked for it */
	char comm[32];
	char label[MON_LABEL_MAX];
	struct devices devices;
	unsigned nheld; /* devices that are no more in it, but not yet free */
	int probefd; /* an open file of its own, to try the lock with */
	struct event *doubt;
	unsigned doubts;
	bool iommufd; /* an iommufd and cdevs, no container and groups */
	bool revoking;
	bool ended; /* kept for what is still held of it */
};

TAILQ_HEAD(leases, lease);
extern struct leases leases;
extern struct leases ended_leases; /* whose devices are not yet free */

/*
 * Starts watching the directory and adopts every lease file that is still
 * locked.  Those of leases that ended meanwhile stay until lease_settled().
 * 0 or -errno.
 */
int lease_init(void);

/* All records are read: what ended and left nothing is forgotten. */
void lease_settled(void);

/*
 * A new lease without devices, for a peer, of the kind asked for.  *fd is the
 * open file to hand over; the caller closes its copy once it is sent.  0 or
 * -errno.
 */
int lease_create(const struct peer *, const struct mon_acquire *,
    struct lease **out, int *fd);

struct lease *lease_find(uint64_t id);

/* Whether some device of it is of the group; NULL has none. */
bool lease_has_group(const struct lease *, int group);

/*
 * What its process runs now: who asked has usually become the VMM since.  The
 * name at connect when it is gone.  In a static buffer; for people.
 */
const char *lease_command(const struct lease *);

/* Raises what the lease counts for and writes it down; never lowers. */
void lease_raise(struct lease *, uint64_t memlock);

/* A device enters or leaves, and is held then.  Its state is life.c's. */
void lease_add(struct lease *, struct device *);
void lease_drop(struct lease *, struct device *);

/* A record says that the device was in this lease, which has ended. */
void lease_held(uint64_t id, struct device *);

/* Proven: nobody has it, or it is gone. */
void lease_unheld(struct device *);

/*
 * Over, though copies of its fd may be open: its devices go draining, and its
 * file goes when they are free.  why is for the log.
 */
void lease_end(struct lease *, const char *why);

#endif
