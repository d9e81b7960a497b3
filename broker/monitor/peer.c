/* SPDX-License-Identifier: ISC */
/*
 * Identity by SO_PEERCRED, SO_PEERGROUPS and SO_PEERPIDFD (6.5; before, a
 * pidfd is opened by number, which is checked to be still the peer's uid).
 * No NSS: numbers are all that is needed.
 */

#include "peer.h"

#include "broker/common/fdpass.h"
#include "holders.h"
#include "pidfd.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef SO_PEERPIDFD
#define SO_PEERPIDFD 77 /* <asm-generic/socket.h> since 6.5 */
#endif

/*
 * Each is memory here as long as the peer stays.  More than that, up to the
 * kernel's 65536, are made up in a user namespace.
 */
#define GROUPS_MAX 4096

static int
read_groups(int sockfd, struct peer *p, gid_t primary)
{
	socklen_t len = 0;
	gid_t *gids;

	/* The first call says how many there are. */
	if (getsockopt(sockfd, SOL_SOCKET, SO_PEERGROUPS, NULL, &len) == -1 &&
	    errno != ERANGE)
		return -errno;
	if (len > GROUPS_MAX * sizeof(gid_t))
		return -E2BIG;
	gids = malloc(len + sizeof(gid_t));
	if (gids == NULL)
		return -ENOMEM;
	gids[0] = primary;
	if (len > 0 && getsockopt(sockfd, SOL_SOCKET, SO_PEERGROUPS, gids + 1,
			   &len) == -1) {
		int r = -errno;

		free(gids);
		return r;
	}
	p->who.gids = gids;
	p->who.ngids = 1 + len / sizeof(gid_t);
	policy_sort_gids(gids, p->who.ngids);
	return 0;
}

static int
pidfd_by_number(pid_t pid, uid_t uid)
{
	int fd = (int)syscall(SYS_pidfd_open, pid, 0);
	uid_t owner;

	if (fd == -1)
		return -1;
	if (process_owner(pid, &owner) != 0 || owner != uid) {
		close(fd);
		return -1;
	}
	return fd;
}

static int
read_pidfd(int sockfd, const struct peer *p)
{
	socklen_t len = sizeof(int);
	int fd = -1;

	if (getsockopt(sockfd, SOL_SOCKET, SO_PEERPIDFD, &fd, &len) == 0)
		return fd;
	if (errno == ENOPROTOOPT)
		return pidfd_by_number(p->pid, p->who.uid);
	return -1; /* reaped already: it can have no limit raised */
}

/* The pidfd is asked last: the number could be another process's by now. */
static bool
in_our_userns(const struct peer *p)
{
	char path[40], theirs[64] = "", ours[64] = "";

	snprintf(path, sizeof(path), "/proc/%d/ns/user", p->pid);
	if (readlink(path, theirs, sizeof(theirs) - 1) == -1 ||
	    readlink("/proc/self/ns/user", ours, sizeof(ours) - 1) == -1)
		return false;
	return strcmp(theirs, ours) == 0 && pidfd_pid(p->pidfd) == p->pid;
}

int
peer_identify(int sockfd, struct peer *p)
{
	struct ucred cred;
	socklen_t len = sizeof(cred);
	int r;

	*p = (struct peer){ .pidfd = -1 };
	if (getsockopt(sockfd, SOL_SOCKET, SO_PEERCRED, &cred, &len) == -1)
		return -errno;
	p->who.uid = cred.uid;
	p->pid = cred.pid;
	r = read_groups(sockfd, p, cred.gid);
	if (r != 0)
		return r;
	p->pidfd = read_pidfd(sockfd, p);
	p->foreign = !in_our_userns(p);
	process_name(p->pid, p->comm, sizeof(p->comm));
	return 0;
}

void
peer_clear(struct peer *p)
{
	free((void *)(uintptr_t)p->who.gids);
	fdpass_close(&p->pidfd, 1);
	*p = (struct peer){ .pidfd = -1 };
}
