/* SPDX-License-Identifier: ISC */
#ifndef VFIOBROKER_CMD_SUPERVISE_H
#define VFIOBROKER_CMD_SUPERVISE_H

/*
 * Supervision of an unmodified program: its opens of VFIO nodes are answered
 * with the descriptors of a lease.
 */

#include <stddef.h>
#include <stdint.h>

#include "client/vfiobroker.h"
#include "node.h"

struct late_nodes {
	int fd; /* what was asked for; -1: let the program open it itself */
	int containerfd; /* came along, for a later open; or -1 */
};

/* The container or the iommufd, and what each device needs. */
#define SUPERVISION_NODES_MAX (1 + VFIOBROKER_MAX_DEVICES)

struct supervision {
	const char *dir; /* where the nodes are: "/dev" */
	uint64_t lease;
	/* What can be handed over now; -1 once it was. */
	size_t nnodes;
	struct supervised_node {
		struct node node;
		int fd;
	} nodes[SUPERVISION_NODES_MAX];
	/*
	 * Gets a node that is not there (any more).  Runs in a child of the
	 * supervisor and may wait.  Returns 0 or -errno for the program to see.
	 */
	int (*late)(uint64_t lease, const struct node *, struct late_nodes *);
};

/*
 * Forks the supervisor, puts this process under it, and closes its copies of
 * the fds in *s.  On return this process is ready to exec.  Returns EX_OK, or
 * the status to exit with after the message.
 */
int supervise_start(struct supervision *);

/* Closes what was not handed over. */
void supervise_drop(struct supervision *);

#endif
