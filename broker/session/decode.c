/* SPDX-License-Identifier: ISC */
/*
 * From protobuf to records: the one place where a client's bytes are parsed.
 * Called by serve.c and the fuzzer.  Pure.  Must never let through a value
 * that monmsg_check_request() would not.
 *
 * protobuf-c is generous: it keeps unknown fields, takes the last of several
 * values, cuts long numbers and ends strings at a NUL.  Here all that is
 * refused at once: what was decoded must encode to the very bytes that came.
 */

#include "decode.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "vfiobroker.pb-c.h"

#include "../../proto/limits.h"

#define COUNT_OF(a) (sizeof(a) / sizeof((a)[0]))

/* A well-formed request without sense: the client hears why. */
static int
refuse(struct request *out, const char *why)
{
	out->why = why;
	return -EINVAL;
}

/* Not our protocol: the connection ends and the log hears why. */
static int
malformed(struct request *out, const char *why)
{
	out->why = why;
	return -EBADMSG;
}

static int
decode_bdf(const Vfiobroker__Bdf *in, struct request *out, struct bdf *bdf)
{
	if (in == NULL)
		return refuse(out, "no device is named");
	if (in->bus > 255 || in->dev > 31 || in->fn > 7)
		return malformed(out, "a device address is out of range");
	*bdf = (struct bdf){ .domain = in->domain,
		.bus = (uint8_t)in->bus,
		.dev = (uint8_t)in->dev,
		.fn = (uint8_t)in->fn };
	return 0;
}

static int
decode_lease(uint64_t in, struct request *out, uint64_t *lease)
{
	if (in == 0)
		return refuse(out, "no lease is named");
	*lease = in;
	return 0;
}

static int
decode_label(const char *in, struct request *out, char label[MON_LABEL_MAX])
{
	size_t n = strlen(in);

	if (n >= MON_LABEL_MAX)
		return refuse(out, "the label is longer than 31 characters");
	for (size_t i = 0; i < n; i++)
		if (in[i] < 0x20 || in[i] > 0x7e)
			return refuse(out,
			    "the label has a character that is not "
			    "printable ASCII");
	memcpy(label, in, n);
	return 0;
}

static int
decode_hello(const Vfiobroker__Request *in, struct request *out)
{
	if (in->hello->version != PROTO_VERSION)
		return refuse(out, "this broker speaks version 1 only");
	return 0;
}

static int
decode_plain(const Vfiobroker__Request *in, struct request *out)
{
	(void)in; /* its op says all */
	(void)out; /* the header is filled in for every op */
	return 0;
}

static bool
bdf_among(const struct bdf *b, const struct bdf *list, size_t n)
{
	while (n > 0 && bdf_cmp(b, list) != 0) {
		list++;
		n--;
	}
	return n > 0;
}

static int
decode_devices(const Vfiobroker__Acquire *in, struct request *out)
{
	struct mon_acquire *m = &out->record.acquire;

	if (in->n_devices == 0)
		return refuse(out, "no device is named");
	if (in->n_devices > MON_MAX_DEVICES)
		return refuse(out, "a lease has room for 16 devices");
	for (size_t i = 0; i < in->n_devices; i++) {
		int r = decode_bdf(in->devices[i], out, &m->devices[i]);

		if (r != 0)
			return r;
		if (bdf_among(&m->devices[i], m->devices, i))
			return refuse(out, "a device is named twice");
	}
	m->ndevices = (uint32_t)in->n_devices;
	return 0;
}

static int
decode_acquire(const Vfiobroker__Request *req, struct request *out)
{
	const Vfiobroker__Acquire *in = req->acquire;
	struct mon_acquire *m = &out->record.acquire;
	int r = decode_devices(in, out);

	if (r == 0)
		r = decode_label(in->label, out, m->label);
	m->lease = in->lease;
	m->memlock = in->memlock;
	if (in->no_wait)
		m->flags |= MON_ACQUIRE_NO_WAIT;
	if (in->unmanaged)
		m->flags |= MON_ACQUIRE_UNMANAGED;
	if (in->iommufd)
		m->flags |= MON_ACQUIRE_IOMMUFD;
	out->takes_fd = in->has_pidfd;
	return r;
}

static int
decode_open_group(const Vfiobroker__Request *req, struct request *out)
{
	const Vfiobroker__OpenGroup *in = req->open_group;
	struct mon_open_group *m = &out->record.open_group;

	if (in->group > INT32_MAX)
		return malformed(out, "a group number is out of range");
	m->group = in->group;
	return decode_lease(in->lease, out, &m->lease);
}

static int
decode_open_device(const Vfiobroker__Request *req, struct request *out)
{
	const Vfiobroker__OpenDevice *in = req->open_device;
	struct mon_open_device *m = &out->record.open_device;
	int r = decode_bdf(in->device, out, &m->device);

	return r != 0 ? r : decode_lease(in->lease, out, &m->lease);
}

static int
decode_open_iommufd(const Vfiobroker__Request *req, struct request *out)
{
	return decode_lease(
	    req->open_iommufd->lease, out, &out->record.open_iommufd.lease);
}

static int
decode_release(const Vfiobroker__Request *req, struct request *out)
{
	return decode_lease(
	    req->release->lease, out, &out->record.release.lease);
}

static int
decode_set_memlock(const Vfiobroker__Request *req, struct request *out)
{
	const Vfiobroker__SetMemlock *in = req->set_memlock;
	struct mon_set_memlock *m = &out->record.set_memlock;

	out->takes_fd = in->has_pidfd;
	if (in->memlock == 0)
		return refuse(out, "no limit is given");
	m->memlock = in->memlock;
	return decode_lease(in->lease, out, &m->lease);
}

static int
decode_about(const Vfiobroker__Explain *in, struct request *out)
{
	struct mon_explain *m = &out->record.explain;

	if (!in->has_user && (in->uid != 0 || in->n_gids != 0))
		return refuse(out, "a uid or groups without has_user");
	if (in->n_gids > COUNT_OF(m->gids))
		return refuse(out, "a user with more than 33 groups");
	if (in->has_user)
		m->flags |= MON_EXPLAIN_USER;
	m->uid = in->uid;
	m->ngids = (uint32_t)in->n_gids;
	if (in->n_gids > 0)
		memcpy(m->gids, in->gids, in->n_gids * sizeof(m->gids[0]));
	return 0;
}

static int
decode_explain(const Vfiobroker__Request *req, struct request *out)
{
	const Vfiobroker__Explain *in = req->explain;
	struct mon_explain *m = &out->record.explain;
	int r = decode_bdf(in->device, out, &m->device);

	if (in->managed)
		m->flags |= MON_EXPLAIN_MANAGED;
	m->memlock = in->memlock;
	return r != 0 ? r : decode_about(in, out);
}

static int
decode_revoke(const Vfiobroker__Request *req, struct request *out)
{
	struct mon_revoke *m = &out->record.revoke;

	m->grace_ms = req->revoke->grace_ms;
	return decode_lease(req->revoke->lease, out, &m->lease);
}

static int
decode_recover(const Vfiobroker__Request *req, struct request *out)
{
	return decode_bdf(
	    req->recover->device, out, &out->record.recover.device);
}

#define OP(name) [VFIOBROKER__REQUEST__OP_##name]

static const struct {
	uint32_t type; /* enum mon_type; 0: no record */
	int (*decode)(const Vfiobroker__Request *, struct request *);
} ops[] = {
	OP(HELLO) = { 0, decode_hello },
	OP(LIST_DEVICES) = { MON_LIST_DEVICES, decode_plain },
	OP(LIST_LEASES) = { MON_LIST_LEASES, decode_plain },
	OP(ACQUIRE) = { MON_ACQUIRE, decode_acquire },
	OP(OPEN_GROUP) = { MON_OPEN_GROUP, decode_open_group },
	OP(RELEASE) = { MON_RELEASE, decode_release },
	OP(SET_MEMLOCK) = { MON_SET_MEMLOCK, decode_set_memlock },
	OP(EXPLAIN) = { MON_EXPLAIN, decode_explain },
	OP(SHOW_POLICY) = { MON_SHOW_POLICY, decode_plain },
	OP(REVOKE) = { MON_REVOKE, decode_revoke },
	OP(WATCH) = { MON_WATCH, decode_plain },
	OP(RECOVER) = { MON_RECOVER, decode_recover },
	OP(OPEN_DEVICE) = { MON_OPEN_DEVICE, decode_open_device },
	OP(OPEN_IOMMUFD) = { MON_OPEN_IOMMUFD, decode_open_iommufd },
};

static bool message_known(const ProtobufCMessage *);

static bool
submessages_known(const ProtobufCMessage *m, const ProtobufCFieldDescriptor *f)
{
	const uint8_t *base = (const uint8_t *)m;
	ProtobufCMessage *const *many;
	uint32_t quantifier = 0;

	if (f->quantifier_offset != 0)
		memcpy(&quantifier, base + f->quantifier_offset,
		    sizeof(quantifier));
	if (f->label == PROTOBUF_C_LABEL_REPEATED) {
		size_t n;

		memcpy(&n, base + f->quantifier_offset, sizeof(n));
		memcpy(&many, base + f->offset, sizeof(many));
		for (size_t i = 0; i < n; i++)
			if (!message_known(many[i]))
				return false;
		return true;
	}
	/* The members of a oneof share their place: only the set one is. */
	if ((f->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) != 0 &&
	    quantifier != f->id)
		return true;
	memcpy(&m, base + f->offset, sizeof(m));
	return m == NULL || message_known(m);
}

/* Recurses as deep as the schema, which has no cycle (proto/README.md). */
static bool
message_known(const ProtobufCMessage *m)
{
	if (m->n_unknown_fields != 0)
		return false;
	for (unsigned i = 0; i < m->descriptor->n_fields; i++) {
		const ProtobufCFieldDescriptor *f = &m->descriptor->fields[i];

		if (f->type == PROTOBUF_C_TYPE_MESSAGE &&
		    !submessages_known(m, f))
			return false;
	}
	return true;
}

static bool
encodes_to(const Vfiobroker__Request *in, const uint8_t *buf, size_t len)
{
	uint8_t again[PROTO_MESSAGE_MAX];

	return vfiobroker__request__get_packed_size(in) == len &&
	       vfiobroker__request__pack(in, again) == len &&
	       memcmp(again, buf, len) == 0;
}

static int
decode_message(const Vfiobroker__Request *in, const uint8_t *buf, size_t len,
    struct request *out)
{
	int r;

	if (!message_known(&in->base))
		return malformed(out, "a field that this version has not");
	if (!encodes_to(in, buf, len))
		return malformed(out, "a value that is out of range, given "
				      "twice, or not in its shortest form");
	if ((size_t)in->op_case >= COUNT_OF(ops) ||
	    ops[in->op_case].decode == NULL)
		return malformed(out, "a request for nothing");
	out->id = in->id;
	if (in->id == 0)
		return refuse(out, "the id of a request must not be 0");
	out->record.h.type = ops[in->op_case].type;
	r = ops[in->op_case].decode(in, out);
	if (r == 0)
		out->len = monmsg_size(ops[in->op_case].type);
	return r;
}

int
decode_request(const uint8_t *buf, size_t len, ProtobufCAllocator *allocator,
    struct request *out)
{
	Vfiobroker__Request *in;
	int r;

	memset(out, 0, sizeof(*out));
	if (len > PROTO_MESSAGE_MAX)
		return malformed(out, "more bytes than a message has");
	in = vfiobroker__request__unpack(allocator, len, buf);
	if (in == NULL)
		return malformed(out, "bytes that are not a Request");
	r = decode_message(in, buf, len, out);
	vfiobroker__request__free_unpacked(in, allocator);
	return r;
}
