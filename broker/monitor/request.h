/* SPDX-License-Identifier: ISC */
#ifndef VFIOBROKER_REQUEST_H
#define VFIOBROKER_REQUEST_H

#include <stdbool.h>
#include <stdint.h>

#include "session.h"

struct lease;

/* Hands a checked record to its handler; fd (may be -1) is the session's now. */
void request_dispatch(struct session *, const void *record, int fd);

/* Whether the peer may revoke, see all leases and ask about others. */
bool request_admin(const struct session *);

/* The peer's own lease by number; NULL after it was refused. */
struct lease *request_own_lease(struct session *, uint64_t id);

/* The pidfd of the process whose memory it is about: if none came, the peer. */
int request_target(const struct session *);

/*
 * Says why memlock_raise() failed and what would mend it; returns the status
 * to end with.
 */
enum status request_say_memlock(struct session *, int error);

/* MON_FEATURE_* of this host. */
uint32_t request_features(void);

#endif
