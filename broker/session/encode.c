/* SPDX-License-Identifier: ISC */
/*
 * From records to protobuf.  Called by serve.c.  Pure, and without memory of
 * its own: the messages are put together on the stack, pointing into the
 * records.  Must never write past the buffer, whatever the record says; the
 * bounds of records and texts see to it, and pack() checks once more.
 */

#include "encode.h"

#include <string.h>

#include "vfiobroker.pb-c.h"

#include "../common/state.h"

#define BROKER_NAME "vfiobroker " VFIOBROKER_VERSION

static size_t
pack(const Vfiobroker__Reply *reply, uint8_t buf[PROTO_MESSAGE_MAX])
{
	if (vfiobroker__reply__get_packed_size(reply) > PROTO_MESSAGE_MAX)
		return 0;
	return vfiobroker__reply__pack(reply, buf);
}

static void
bdf_to_proto(const struct bdf *in, Vfiobroker__Bdf *out)
{
	vfiobroker__bdf__init(out);
	out->domain = in->domain;
	out->bus = in->bus;
	out->dev = in->dev;
	out->fn = in->fn;
}

/* Strings of a message are only read when it is packed. */
static char *
text_to_proto(const char *s)
{
	char *p;

	memcpy(&p, &s, sizeof(p));
	return p;
}

size_t
encode_welcome(
    uint32_t id, const struct mon_welcome *m, uint8_t buf[PROTO_MESSAGE_MAX])
{
	Vfiobroker__Reply reply;
	Vfiobroker__Welcome w;

	vfiobroker__reply__init(&reply);
	vfiobroker__welcome__init(&w);
	w.version = PROTO_VERSION;
	w.broker = text_to_proto(BROKER_NAME);
	w.uid = m->uid;
	w.pid = m->pid;
	w.admin = m->admin != 0;
	w.vfio = (m->features & MON_FEATURE_VFIO) != 0;
	w.backend_group = (m->features & MON_FEATURE_GROUP) != 0;
	w.backend_iommufd = (m->features & MON_FEATURE_IOMMUFD) != 0;
	reply.id = id;
	reply.body_case = VFIOBROKER__REPLY__BODY_WELCOME;
	reply.welcome = &w;
	return pack(&reply, buf);
}

static size_t
encode_device(Vfiobroker__Reply reply, const void *record, uint8_t *buf)
{
	const struct mon_device *m = record;
	Vfiobroker__Device d;
	Vfiobroker__Bdf bdf, pf;

	vfiobroker__device__init(&d);
	bdf_to_proto(&m->bdf, &bdf);
	bdf_to_proto(&m->pf, &pf);
	d.bdf = &bdf;
	d.pf = (m->flags & MON_DEVICE_VF) != 0 ? &pf : NULL;
	d.vendor = m->vendor;
	d.device = m->device;
	d.class_ = m->class;
	d.driver = text_to_proto(m->driver);
	d.group = m->group;
	d.numa = m->numa;
	d.state = text_to_proto(state_name((enum state)m->state));
	d.lease = m->lease;
	d.has_owner = m->owner != UINT32_MAX;
	d.owner = d.has_owner ? m->owner : 0;
	d.is_pf = (m->flags & MON_DEVICE_PF) != 0;
	d.is_bridge = (m->flags & MON_DEVICE_BRIDGE) != 0;
	d.claimed = (m->flags & MON_DEVICE_CLAIMED) != 0;
	d.mine = (m->flags & MON_DEVICE_MINE) != 0;
	d.allowed = (m->flags & MON_DEVICE_ALLOWED) != 0;
	d.why = text_to_proto(m->why);
	reply.body_case = VFIOBROKER__REPLY__BODY_DEVICE;
	reply.device = &d;
	return pack(&reply, buf);
}

static size_t
encode_lease(Vfiobroker__Reply reply, const void *record, uint8_t *buf)
{
	const struct mon_lease *m = record;
	Vfiobroker__Lease l;
	Vfiobroker__Bdf bdfs[MON_MAX_DEVICES];
	Vfiobroker__Bdf *list[MON_MAX_DEVICES];

	vfiobroker__lease__init(&l);
	for (uint32_t i = 0; i < m->ndevices; i++) {
		bdf_to_proto(&m->devices[i], &bdfs[i]);
		list[i] = &bdfs[i];
	}
	l.id = m->id;
	l.uid = m->uid;
	l.pid = m->pid;
	l.comm = text_to_proto(m->comm);
	l.label = text_to_proto(m->label);
	l.since = m->since;
	l.memlock = m->memlock;
	l.revoking = (m->flags & MON_LEASE_REVOKING) != 0;
	l.iommufd = (m->flags & MON_LEASE_IOMMUFD) != 0;
	l.n_devices = m->ndevices;
	l.devices = list;
	reply.body_case = VFIOBROKER__REPLY__BODY_LEASE;
	reply.lease = &l;
	return pack(&reply, buf);
}

static size_t
encode_grant(Vfiobroker__Reply reply, const void *record, uint8_t *buf)
{
	const struct mon_grant *m = record;
	Vfiobroker__Grant g;
	Vfiobroker__Fd fds[MON_MAX_FDS];
	Vfiobroker__Bdf bdfs[MON_MAX_FDS];
	Vfiobroker__Fd *list[MON_MAX_FDS];

	vfiobroker__grant__init(&g);
	for (uint32_t i = 0; i < m->nfds; i++) {
		vfiobroker__fd__init(&fds[i]);
		/* The same numbers; a unit test holds them together. */
		fds[i].kind = (Vfiobroker__Fd__Kind)m->fds[i].kind;
		fds[i].group = m->fds[i].group;
		bdf_to_proto(&m->fds[i].device, &bdfs[i]);
		if (m->fds[i].kind == MON_FD_DEVICE)
			fds[i].device = &bdfs[i];
		list[i] = &fds[i];
	}
	g.lease = m->lease;
	g.memlock = m->memlock;
	g.n_fds = m->nfds;
	g.fds = list;
	reply.body_case = VFIOBROKER__REPLY__BODY_GRANT;
	reply.grant = &g;
	return pack(&reply, buf);
}

static const char *const event_kinds[MON_EVENT_KIND_COUNT] = {
	[MON_EVENT_DEVICE] = "device",
	[MON_EVENT_LEASE] = "lease",
	[MON_EVENT_POLICY] = "policy",
};

static size_t
encode_event(Vfiobroker__Reply reply, const void *record, uint8_t *buf)
{
	const struct mon_event *m = record;
	Vfiobroker__Event e;
	Vfiobroker__Bdf bdf;

	vfiobroker__event__init(&e);
	e.number = m->number;
	e.time_us = m->time_us;
	e.duration_us = m->duration_us;
	e.kind = text_to_proto(event_kinds[m->kind]);
	e.lease = m->lease;
	if (m->kind == MON_EVENT_DEVICE) {
		bdf_to_proto(&m->device, &bdf);
		e.device = &bdf;
		e.from = text_to_proto(state_name((enum state)m->from));
		e.to = text_to_proto(state_name((enum state)m->to));
	}
	e.has_owner = m->uid != UINT32_MAX;
	e.owner = e.has_owner ? m->uid : 0;
	e.text = text_to_proto(m->text);
	reply.more = false;
	reply.body_case = VFIOBROKER__REPLY__BODY_EVENT;
	reply.event = &e;
	return pack(&reply, buf);
}

static size_t (*const items[MON_TYPE_COUNT])(
    Vfiobroker__Reply, const void *, uint8_t *) = {
	[MON_DEVICE] = encode_device,
	[MON_LEASE] = encode_lease,
	[MON_GRANT] = encode_grant,
	[MON_EVENT] = encode_event,
};

size_t
encode_item(uint32_t id, const void *record, uint8_t buf[PROTO_MESSAGE_MAX])
{
	Vfiobroker__Reply reply;
	const struct mon_header *h = record;

	vfiobroker__reply__init(&reply);
	if (h->type >= MON_TYPE_COUNT || items[h->type] == NULL)
		return 0;
	reply.id = id;
	reply.more = true;
	return items[h->type](reply, record, buf);
}

static size_t
pack_with_texts(Vfiobroker__Reply reply, const struct texts *t, uint8_t *buf)
{
	Vfiobroker__Text texts[TEXTS_MAX];
	Vfiobroker__Text *list[TEXTS_MAX];

	for (size_t i = 0; i < t->n; i++) {
		vfiobroker__text__init(&texts[i]);
		texts[i].kind = (Vfiobroker__Text__Kind)t->items[i].kind;
		texts[i].text = text_to_proto(t->buf + t->items[i].start);
		texts[i].more = t->items[i].more;
		list[i] = &texts[i];
	}
	reply.n_texts = t->n;
	reply.texts = list;
	return pack(&reply, buf);
}

size_t
encode_texts(uint32_t id, const struct texts *t, uint8_t buf[PROTO_MESSAGE_MAX])
{
	Vfiobroker__Reply reply;

	vfiobroker__reply__init(&reply);
	reply.id = id;
	reply.more = true;
	return pack_with_texts(reply, t, buf);
}

size_t
encode_end(uint32_t id, enum status status, const struct texts *t,
    uint8_t buf[PROTO_MESSAGE_MAX])
{
	Vfiobroker__Reply reply;

	vfiobroker__reply__init(&reply);
	reply.id = id;
	reply.status = (Vfiobroker__Status)status;
	return pack_with_texts(reply, t, buf);
}
