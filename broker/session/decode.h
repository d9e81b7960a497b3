/* SPDX-License-Identifier: ISC */
#ifndef VFIOBROKER_DECODE_H
#define VFIOBROKER_DECODE_H

/*
 * A client's message becomes a record for the monitor.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <protobuf-c/protobuf-c.h>

#include "../common/monmsg.h"

struct request {
	uint32_t id; /* the client's number for it */
	bool takes_fd; /* one fd must have come along; else none may */
	size_t len; /* of the record; 0: the session itself answers */
	union {
		struct mon_header h; /* .seq is the sender's to set */
		struct mon_plain plain;
		struct mon_acquire acquire;
		struct mon_open_group open_group;
		struct mon_open_device open_device;
		struct mon_open_iommufd open_iommufd;
		struct mon_release release;
		struct mon_set_memlock set_memlock;
		struct mon_explain explain;
		struct mon_revoke revoke;
		struct mon_recover recover;
	} record;
	const char *why; /* where it failed: a sentence, static */
};

/*
 * Returns 0: out->record is canonical, but for its seq, or the request is
 * Hello (len 0).  -EINVAL: a well-formed request that makes no sense, to be
 * answered with out->why.  -EBADMSG: no client of ours sends such bytes;
 * out->why is for the log.  allocator NULL: malloc.
 */
int decode_request(const uint8_t *buf, size_t len,
    ProtobufCAllocator *allocator, struct request *out);

#endif
