/* SPDX-License-Identifier: ISC */
#ifndef VFIOBROKER_TEST_DECODING_H
#define VFIOBROKER_TEST_DECODING_H

/* Decoding as the session does it, twice: with malloc and with its budget. */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <check.h>

#include "vfiobroker.pb-c.h"

#include "../../broker/session/budget.h"
#include "../../broker/session/decode.h"
#include "../../proto/limits.h"

#define BYTES(s) s, sizeof(s) - 1

static struct request req;

static inline int
decode(const void *buf, size_t len)
{
	/* A copy of just that size, for the sanitizers. */
	uint8_t *copy = malloc(len + (len == 0));
	int r, again;
	struct request second;

	ck_assert_ptr_nonnull(copy);
	memcpy(copy, buf, len);
	memset(&req, 0xee, sizeof(req));
	memset(&second, 0x11, sizeof(second));
	r = decode_request(copy, len, NULL, &req);
	/* The session's own allocator changes nothing. */
	again = decode_request(copy, len, budget_start(), &second);
	ck_assert_int_eq(r, again);
	ck_assert_mem_eq(&req.record, &second.record, sizeof(req.record));
	free(copy);
	return r;
}

static inline int
decode_message(const Vfiobroker__Request *m)
{
	uint8_t buf[2 * PROTO_MESSAGE_MAX];

	ck_assert_uint_le(vfiobroker__request__get_packed_size(m), sizeof(buf));
	return decode(buf, vfiobroker__request__pack(m, buf));
}

static inline void
check_record(uint32_t type)
{
	ck_assert_uint_eq(req.id, 77);
	ck_assert_uint_eq(req.record.h.type, type);
	ck_assert_uint_eq(req.record.h.seq, 0);
	ck_assert_uint_eq(req.len, monmsg_size(type));
	ck_assert(monmsg_check_request(&req.record, req.len));
}

#define MESSAGE(name, NAME, msg)                           \
	Vfiobroker__Request m = VFIOBROKER__REQUEST__INIT; \
	m.id = 77;                                         \
	m.op_case = VFIOBROKER__REQUEST__OP_##NAME;        \
	m.name = (msg)

#endif
