/* SPDX-License-Identifier: ISC */
#ifndef VFIOBROKER_ENCODE_H
#define VFIOBROKER_ENCODE_H

/*
 * The monitor's records become a client's Reply messages.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../../proto/limits.h"
#include "../common/monmsg.h"
#include "../common/status.h"
#include "texts.h"

/*
 * All write one Reply into buf and return its length, which is never 0 and
 * never more than PROTO_MESSAGE_MAX.  Records must be canonical.
 */

/* The answer to Hello, and at once the end of it. */
size_t encode_welcome(
    uint32_t id, const struct mon_welcome *, uint8_t buf[PROTO_MESSAGE_MAX]);

/* A struct mon_device, mon_lease, mon_grant or mon_event; 0 for others. */
size_t
encode_item(uint32_t id, const void *record, uint8_t buf[PROTO_MESSAGE_MAX]);

/* The texts so far, and more follows. */
size_t
encode_texts(uint32_t id, const struct texts *, uint8_t buf[PROTO_MESSAGE_MAX]);

/* The end of a request, with the texts that are left. */
size_t encode_end(uint32_t id, enum status, const struct texts *,
    uint8_t buf[PROTO_MESSAGE_MAX]);

#endif
