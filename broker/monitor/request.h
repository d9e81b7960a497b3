/* SPDX-License-Identifier: ISC */
#ifndef VFIOBROKER_REQUEST_H
#define VFIOBROKER_REQUEST_H

#include <stdbool.h>
#include <stdint.h>

#include "session.h"

/* Hands a checked record to its handler. Consumes fd (may be -1). */
void request_dispatch(struct session *, const void *record, int fd);

/* Whether the peer may revoke, see all leases and ask about others. */
bool request_admin(const struct session *);

/* MON_FEATURE_* of this host. */
uint32_t request_features(void);

/* Refuses in one sentence and ends the request. */
void request_refuse(struct session *, enum status, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

#endif
