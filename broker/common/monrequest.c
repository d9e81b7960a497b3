/* SPDX-License-Identifier: ISC */
/*
 * What a canonical request is.  The monitor checks every record of a session
 * with it before anything else looks at it; the session checks its own, which
 * it would be killed for.
 */

#include "monrule.h"

static const struct member acquire[] = {
	{ MASK(mon_acquire, flags, MON_ACQUIRE_FLAGS) },
	{ COUNT(mon_acquire, ndevices, devices, 1) },
	{ BDF(mon_acquire, devices) },
	{ TEXT(mon_acquire, label) },
	{ .rule = RULE_END },
};

static const struct member open_group[] = {
	{ U32(mon_open_group, group, 0, INT32_MAX) },
	{ ZERO(mon_open_group, pad) },
	{ .rule = RULE_END },
};

static const struct member explain[] = {
	{ BDF(mon_explain, device) },
	{ MASK(mon_explain, flags, MON_EXPLAIN_FLAGS) },
	{ COUNT(mon_explain, ngids, gids, 0) },
	{ .rule = RULE_END },
};

static const struct member revoke[] = {
	{ ZERO(mon_revoke, pad) },
	{ .rule = RULE_END },
};

static const struct member recover[] = {
	{ BDF(mon_recover, device) },
	{ .rule = RULE_END },
};

static const struct member open_device[] = {
	{ BDF(mon_open_device, device) },
	{ .rule = RULE_END },
};

/* The rules between members. */

/* No device twice: the monitor may count and claim without looking back. */
static bool
acquire_coherent(const void *p)
{
	const struct mon_acquire *m = p;

	for (uint32_t i = 1; i < m->ndevices; i++)
		for (uint32_t j = 0; j < i; j++)
			if (bdf_cmp(&m->devices[i], &m->devices[j]) == 0)
				return false;
	return true;
}

static bool
explain_coherent(const void *p)
{
	const struct mon_explain *m = p;

	return (m->flags & MON_EXPLAIN_USER) != 0 ||
	       (m->uid == 0 && m->ngids == 0);
}

static const struct monrule rules[MON_TYPE_COUNT] = {
	[MON_ACQUIRE] = { acquire, acquire_coherent },
	[MON_OPEN_GROUP] = { open_group, NULL },
	[MON_EXPLAIN] = { explain, explain_coherent },
	[MON_REVOKE] = { revoke, NULL },
	[MON_RECOVER] = { recover, NULL },
	[MON_OPEN_DEVICE] = { open_device, NULL },
};

bool
monmsg_check_request(const void *p, size_t len)
{
	return monrule_check(rules, MON_LIST_DEVICES, MON_OPEN_IOMMUFD, p, len);
}
