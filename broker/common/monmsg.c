/* SPDX-License-Identifier: ISC */
/*
 * The sizes of all records, and the check of one against rules of monrule.h.
 * Pure.  Must never read beyond the length it is told, nor assume alignment.
 */

/* The records travel between processes: the compiler may add no padding. */
#pragma GCC diagnostic push
#pragma GCC diagnostic error "-Wpadded"
#include "monmsg.h"
#pragma GCC diagnostic pop

#include <string.h>

#include "monrule.h"

static const struct {
	uint16_t size;
	uint16_t max_fds;
} records[MON_TYPE_COUNT] = {
	[MON_LIST_DEVICES] = { sizeof(struct mon_plain), 0 },
	[MON_LIST_LEASES] = { sizeof(struct mon_plain), 0 },
	[MON_ACQUIRE] = { sizeof(struct mon_acquire), 1 },
	[MON_OPEN_GROUP] = { sizeof(struct mon_open_group), 0 },
	[MON_RELEASE] = { sizeof(struct mon_release), 0 },
	[MON_SET_MEMLOCK] = { sizeof(struct mon_set_memlock), 1 },
	[MON_EXPLAIN] = { sizeof(struct mon_explain), 0 },
	[MON_SHOW_POLICY] = { sizeof(struct mon_plain), 0 },
	[MON_REVOKE] = { sizeof(struct mon_revoke), 0 },
	[MON_WATCH] = { sizeof(struct mon_plain), 0 },
	[MON_RECOVER] = { sizeof(struct mon_recover), 0 },
	[MON_OPEN_DEVICE] = { sizeof(struct mon_open_device), 0 },
	[MON_OPEN_IOMMUFD] = { sizeof(struct mon_open_iommufd), 0 },
	[MON_WELCOME] = { sizeof(struct mon_welcome), 1 },
	[MON_DEVICE] = { sizeof(struct mon_device), 0 },
	[MON_LEASE] = { sizeof(struct mon_lease), 0 },
	[MON_GRANT] = { sizeof(struct mon_grant), MON_MAX_FDS },
	[MON_TEXT] = { sizeof(struct mon_text), 0 },
	[MON_EVENT] = { sizeof(struct mon_event), 0 },
	[MON_END] = { sizeof(struct mon_end), 0 },
};

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

bool
monrule_text(const void *text, size_t size)
{
	const uint8_t *s = text;
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
		return monrule_text(p, m->max);
	case RULE_COUNT:
		return v >= m->min && v <= m->max &&
		       zero_ok(record + m->array + (size_t)v * m->entry,
			   (size_t)(m->max - v) * m->entry);
	case RULE_END:
		break;
	}
	return false;
}

bool
monrule_check(const struct monrule rules[MON_TYPE_COUNT], uint32_t first,
    uint32_t last, const void *p, size_t len)
{
	union any_record r;
	const struct monrule *rule;
	struct mon_header h;

	if (len < sizeof(h) || len > sizeof(r))
		return false;
	memcpy(&r, p, len);
	memcpy(&h, &r, sizeof(h));
	if (h.type < first || h.type > last || monmsg_size(h.type) != len)
		return false;
	rule = &rules[h.type];
	for (const struct member *m = rule->members;
	     m != NULL && m->rule != RULE_END; m++)
		if (!member_ok(m, r.bytes))
			return false;
	return rule->coherent == NULL || rule->coherent(&r);
}
