/* SPDX-License-Identifier: ISC */
#ifndef VFIOBROKER_PEER_H
#define VFIOBROKER_PEER_H

#include <sys/types.h>

#include <stdbool.h>

#include "policy/policy.h"

/*
 * Who is at the other end, as the kernel recorded it at connect(2).  Taken
 * once, before a session exists; nothing a client sends changes it.
 */
struct peer {
	struct policy_subject who; /* as the policy wants him */
	pid_t pid;
	int pidfd; /* -1: the process is gone, or the kernel has none */
	char comm[32]; /* printable; for people only */
	/*
	 * In another user namespace, or gone.  There a user can be any of
	 * his subordinate uids and drop any of his groups (newuidmap(1)):
	 * to the policy he is nobody, and nothing is lent to him.
	 */
	bool foreign;
};

/* Fills *p from a connected socket. 0 or -errno; then nothing is held. */
int peer_identify(int sockfd, struct peer *p);

void peer_clear(struct peer *);

#endif
