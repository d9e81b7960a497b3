/* SPDX-License-Identifier: ISC */
/*
 * What a canonical record is, as a table: one row per record type, and for
 * each type one row per member that has a rule.  The monitor checks every
 * record of a session with it before anything else looks at it, the session
 * every answer of the monitor.  Pure.  Must never read beyond the length it
 * is told, nor assume alignment.
 */

/* The records travel between processes: the compiler may add no padding. */
#pragma GCC diagnostic push
#pragma GCC diagnostic error "-Wpadded"
#include "monmsg.h"
#pragma GCC diagnostic pop

#include <string.h>

#include "state.h"
#include "status.h"

enum rule {
	RULE_END,
	RULE_U32, /* from min to max */
	RULE_I32, /* -1 or more */
	RULE_MASK, /* u32 with no bit outside max */
	RULE_BDF, /* max addresses in a row; an unused one is zero, so valid */
	RULE_TEXT, /* printable ASCII, in max bytes all NUL from the first on */
	RULE_COUNT, /* RULE_U32, and entries at array beyond it are zero */
};

struct member {
	uint8_t rule; /* enum rule */
	uint8_t entry; /* RULE_COUNT: bytes in an entry of the array */
	uint16_t array; /* RULE_COUNT: where the array is */
	uint16_t at;
	uint32_t min;
	uint32_t max;
};

#define MEMBER(s, m) ((struct s *)NULL)->m
#define AT(s, m) .at = offsetof(struct s, m)
#define U32(s, m, lo, hi) .rule = RULE_U32, AT(s, m), .min = (lo), .max = (hi)
#define ZERO(s, m) U32(s, m, 0, 0)
#define I32(s, m) .rule = RULE_I32, AT(s, m)
#define MASK(s, m, bits) .rule = RULE_MASK, AT(s, m), .max = (bits)
#define TEXT(s, m) .rule = RULE_TEXT, AT(s, m), .max = sizeof(MEMBER(s, m))
#define BDF(s, m)                   \
	.rule = RULE_BDF, AT(s, m), \
	.max = sizeof(MEMBER(s, m)) / sizeof(struct bdf)
#define COUNT(s, m, a, lo)                                            \
	.rule = RULE_COUNT, AT(s, m), .array = offsetof(struct s, a), \
	.entry = sizeof(MEMBER(s, a[0])), .min = (lo),                \
	.max = sizeof(MEMBER(s, a)) / sizeof(MEMBER(s, a[0]))

static const struct member plain[] = { { .rule = RULE_END } };

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

static const struct member welcome[] = {
	{ ZERO(mon_welcome, h.seq) },
	{ U32(mon_welcome, admin, 0, 1) },
	{ MASK(mon_welcome, features,
	    MON_FEATURE_GROUP | MON_FEATURE_IOMMUFD | MON_FEATURE_VFIO) },
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
	{ MASK(mon_lease, flags, MON_LEASE_REVOKING) },
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

/* The rules between members.  They run after the rows have passed. */

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
	const struct mon_grant *m = p;

	for (uint32_t i = 0; i < m->nfds; i++) {
		uint32_t kind = m->fds[i].kind;
		int32_t group = m->fds[i].group;

		if (kind == 0 || kind >= MON_FD_KIND_COUNT ||
		    (kind == MON_FD_GROUP ? group < 0 : group != -1))
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

static const struct record {
	uint16_t size;
	uint16_t max_fds;
	const struct member *members;
	bool (*coherent)(const void *); /* the record, aligned; may be NULL */
} records[MON_TYPE_COUNT] = {
	[MON_LIST_DEVICES] = { sizeof(struct mon_plain), 0, plain, NULL },
	[MON_LIST_LEASES] = { sizeof(struct mon_plain), 0, plain, NULL },
	[MON_ACQUIRE] = { sizeof(struct mon_acquire), 1, acquire,
	    acquire_coherent },
	[MON_OPEN_GROUP] = { sizeof(struct mon_open_group), 0, open_group,
	    NULL },
	[MON_RELEASE] = { sizeof(struct mon_release), 0, plain, NULL },
	[MON_SET_MEMLOCK] = { sizeof(struct mon_set_memlock), 1, plain, NULL },
	[MON_EXPLAIN] = { sizeof(struct mon_explain), 0, explain,
	    explain_coherent },
	[MON_SHOW_POLICY] = { sizeof(struct mon_plain), 0, plain, NULL },
	[MON_REVOKE] = { sizeof(struct mon_revoke), 0, revoke, NULL },
	[MON_WATCH] = { sizeof(struct mon_plain), 0, plain, NULL },
	[MON_RECOVER] = { sizeof(struct mon_recover), 0, recover, NULL },
	[MON_WELCOME] = { sizeof(struct mon_welcome), 1, welcome, NULL },
	[MON_DEVICE] = { sizeof(struct mon_device), 0, device,
	    device_coherent },
	[MON_LEASE] = { sizeof(struct mon_lease), 0, lease, NULL },
	[MON_GRANT] = { sizeof(struct mon_grant), MON_MAX_FDS, grant,
	    grant_coherent },
	[MON_TEXT] = { sizeof(struct mon_text), 0, text, NULL },
	[MON_EVENT] = { sizeof(struct mon_event), 0, event, event_coherent },
	[MON_END] = { sizeof(struct mon_end), 0, end, NULL },
};

/* Aligned for every record and as large as the largest may be. */
union any_record {
	uint8_t bytes[MON_MAX_SIZE];
	struct mon_acquire acquire;
	struct mon_explain explain;
	struct mon_device device;
	struct mon_lease lease;
	struct mon_grant grant;
	struct mon_text text;
	struct mon_event event;
};
_Static_assert(sizeof(union any_record) == MON_MAX_SIZE, "MON_MAX_SIZE");

static bool
text_ok(const uint8_t *s, size_t size)
{
	size_t n = 0;

	while (n < size && s[n] >= 0x20 && s[n] < 0x7f)
		n++;
	if (n == size)
		return false;
	while (n < size && s[n] == 0)
		n++;
	return n == size;
}

static bool
bdfs_ok(const uint8_t *p, size_t n)
{
	struct bdf b;

	for (size_t i = 0; i < n; i++) {
		memcpy(&b, p + i * sizeof(b), sizeof(b));
		if (!bdf_valid(&b))
			return false;
	}
	return true;
}

static bool
zero_ok(const uint8_t *p, size_t n)
{
	while (n > 0 && *p == 0) {
		p++;
		n--;
	}
	return n == 0;
}

static bool
member_ok(const struct member *m, const uint8_t *record)
{
	const uint8_t *p = record + m->at;
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	switch ((enum rule)m->rule) {
	case RULE_U32:
		return v >= m->min && v <= m->max;
	case RULE_I32:
		return v <= INT32_MAX || v == (uint32_t)-1;
	case RULE_MASK:
		return (v & ~m->max) == 0;
	case RULE_BDF:
		return bdfs_ok(p, m->max);
	case RULE_TEXT:
		return text_ok(p, m->max);
	case RULE_COUNT:
		return v >= m->min && v <= m->max &&
		       zero_ok(record + m->array + (size_t)v * m->entry,
			   (size_t)(m->max - v) * m->entry);
	case RULE_END:
		break;
	}
	return false;
}

static bool
check(const void *p, size_t len, uint32_t first, uint32_t last)
{
	union any_record r;
	const struct record *rec;
	struct mon_header h;

	if (len < sizeof(h) || len > sizeof(r))
		return false;
	memcpy(&r, p, len);
	memcpy(&h, &r, sizeof(h));
	if (h.type < first || h.type > last || monmsg_size(h.type) != len)
		return false;
	rec = &records[h.type];
	for (const struct member *m = rec->members; m->rule != RULE_END; m++)
		if (!member_ok(m, r.bytes))
			return false;
	return rec->coherent == NULL || rec->coherent(&r);
}

size_t
monmsg_size(uint32_t type)
{
	return type < MON_TYPE_COUNT ? records[type].size : 0;
}

unsigned
monmsg_max_fds(uint32_t type)
{
	return type < MON_TYPE_COUNT ? records[type].max_fds : 0;
}

bool
monmsg_check_request(const void *p, size_t len)
{
	return check(p, len, MON_LIST_DEVICES, MON_RECOVER);
}

bool
monmsg_check_answer(const void *p, size_t len)
{
	return check(p, len, MON_WELCOME, MON_END);
}
