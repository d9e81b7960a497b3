/* SPDX-License-Identifier: ISC */
/*
 * What a canonical answer is.  serve.c checks every record of the monitor with
 * it: what goes to a client is what the monitor meant, or nothing.
 */

#include "../common/monrule.h"
#include "../common/state.h"
#include "../common/status.h"

static const struct member welcome[] = {
	{ ZERO(mon_welcome, h.seq) },
	{ U32(mon_welcome, admin, 0, 1) },
	{ MASK(mon_welcome, features, MON_FEATURES) },
	{ .rule = RULE_END },
};

static const struct member device[] = {
	{ BDF(mon_device, bdf) },
	{ BDF(mon_device, pf) },
	{ U32(mon_device, class, 0, 0xffffff) },
	{ I32(mon_device, group) },
	{ I32(mon_device, numa) },
	{ U32(mon_device, state, 0, STATE_COUNT - 1) },
	{ MASK(mon_device, flags, MON_DEVICE_FLAGS) },
	{ ZERO(mon_device, pad) },
	{ TEXT(mon_device, driver) },
	{ TEXT(mon_device, why) },
	{ .rule = RULE_END },
};

static const struct member lease[] = {
	{ MASK(mon_lease, flags, MON_LEASE_FLAGS) },
	{ COUNT(mon_lease, ndevices, devices, 0) },
	{ BDF(mon_lease, devices) },
	{ TEXT(mon_lease, comm) },
	{ TEXT(mon_lease, label) },
	{ .rule = RULE_END },
};

static const struct member grant[] = {
	{ COUNT(mon_grant, nfds, fds, 1) },
	{ ZERO(mon_grant, pad) },
	{ .rule = RULE_END },
};

static const struct member text[] = {
	{ U32(mon_text, kind, 1, MON_TEXT_KIND_COUNT - 1) },
	{ U32(mon_text, more, 0, 1) },
	{ TEXT(mon_text, text) },
	{ .rule = RULE_END },
};

static const struct member event[] = {
	{ ZERO(mon_event, h.seq) },
	{ BDF(mon_event, device) },
	{ U32(mon_event, kind, 1, MON_EVENT_KIND_COUNT - 1) },
	{ U32(mon_event, from, 0, STATE_COUNT - 1) },
	{ U32(mon_event, to, 0, STATE_COUNT - 1) },
	{ TEXT(mon_event, text) },
	{ .rule = RULE_END },
};

static const struct member end[] = {
	{ U32(mon_end, status, 0, STATUS_COUNT - 1) },
	{ ZERO(mon_end, pad) },
	{ .rule = RULE_END },
};

/* The rules between members. */

static bool
device_coherent(const void *p)
{
	static const struct bdf none;
	const struct mon_device *m = p;

	return (m->flags & MON_DEVICE_VF) != 0 || bdf_cmp(&m->pf, &none) == 0;
}

static bool
grant_coherent(const void *p)
{
	static const struct bdf none;
	const struct mon_grant *m = p;

	for (uint32_t i = 0; i < m->nfds; i++) {
		uint32_t kind = m->fds[i].kind;
		int32_t group = m->fds[i].group;
		const struct bdf *bdf = &m->fds[i].device;

		if (kind == 0 || kind >= MON_FD_KIND_COUNT ||
		    (kind == MON_FD_GROUP ? group < 0 : group != -1) ||
		    !bdf_valid(bdf) ||
		    (kind != MON_FD_DEVICE && bdf_cmp(bdf, &none) != 0))
			return false;
	}
	return true;
}

static bool
event_coherent(const void *p)
{
	static const struct bdf none;
	const struct mon_event *m = p;

	return m->kind == MON_EVENT_DEVICE ||
	       (m->from == 0 && m->to == 0 && bdf_cmp(&m->device, &none) == 0);
}

static const struct monrule rules[MON_TYPE_COUNT] = {
	[MON_WELCOME] = { welcome, NULL },
	[MON_DEVICE] = { device, device_coherent },
	[MON_LEASE] = { lease, NULL },
	[MON_GRANT] = { grant, grant_coherent },
	[MON_TEXT] = { text, NULL },
	[MON_EVENT] = { event, event_coherent },
	[MON_END] = { end, NULL },
};

bool
monmsg_check_answer(const void *p, size_t len)
{
	return monrule_check(rules, MON_WELCOME, MON_END, p, len);
}
