/* SPDX-License-Identifier: ISC */
#ifndef VFIOBROKER_FDPASS_H
#define VFIOBROKER_FDPASS_H

/*
 * One packet, with the descriptors that belong to it, over a connected
 * SOCK_SEQPACKET socket.
 *
 * Ownership: sending never closes anything; what was sent is a copy and the
 * caller still owns its fds.  Receiving gives the caller exactly the fds it
 * returns, close-on-exec; on any failure it has closed every fd that came.
 */

#include <sys/types.h>

#include <stddef.h>

#define FDPASS_MAX_FDS 32 /* in one packet, either way */

/*
 * Sends len bytes (at least one) and nfds fds.  Never blocks, never raises
 * SIGPIPE.  Returns 0 or -errno: -EAGAIN when the peer does not read, and
 * -EMSGSIZE when the packet did not go as a whole.
 */
int fdpass_send(
    int sockfd, const void *buf, size_t len, const int *fds, size_t nfds);

/*
 * Receives one packet.  *nfds is the room in fds on entry and the number
 * received on return; both may be NULL when no fd is expected.  Entries of
 * fds that were not filled are -1.  flags is for recvmsg(2), such as
 * MSG_DONTWAIT.
 *
 * Returns the bytes received; 0 at the end of the stream, and for a packet
 * of no bytes, which no caller can tell from it; or -errno: -EMSGSIZE when the
 * packet was longer than len, -EPROTO when more fds came than there is room
 * for or than this process can open.
 */
ssize_t fdpass_recv(
    int sockfd, void *buf, size_t len, int *fds, size_t *nfds, int flags);

/* Closes those that are not -1 and sets them to -1. */
void fdpass_close(int *fds, size_t nfds);

#endif
