/* SPDX-License-Identifier: ISC */
/*
 * The canonical check, against an oracle that is written down byte by byte
 * and not derived from the code: every byte of every record takes every other
 * value, and what the check says must be what the oracle says.
 */

#include <stdlib.h>
#include <string.h>

#include <check.h>

#include "records.h"

enum may {
	MAY_ANYTHING,
	MAY_NOTHING, /* also what no row covers */
	MAY_U32, /* from keep to arg */
	MAY_BITS, /* any of arg, always with keep */
	MAY_BDF,
	MAY_TEXT,
	MAY_COUNT, /* -1 or anything that is not negative */
};

struct area {
	size_t at, len;
	enum may may;
	uint32_t arg, keep;
};

#define AREA(s, m) offsetof(struct s, m), sizeof(((struct s *)NULL)->m)

static const struct sample {
	const char *name;
	const void *record;
	size_t len;
	unsigned fds;
	bool request;
	struct area areas[12]; /* besides the header */
} samples[] = {
	{ "list_devices", &good_list_devices, 8, 0, true, { { 0 } } },
	{ "list_leases", &good_list_leases, 8, 0, true, { { 0 } } },
	{ "show_policy", &good_show_policy, 8, 0, true, { { 0 } } },
	{ "watch", &good_watch, 8, 0, true, { { 0 } } },
	{ "acquire", &good_acquire, 192, 1, true,
	    {
		{ AREA(mon_acquire, lease), MAY_ANYTHING, 0, 0 },
		{ AREA(mon_acquire, memlock), MAY_ANYTHING, 0, 0 },
		{ AREA(mon_acquire, flags), MAY_BITS, MON_ACQUIRE_FLAGS, 0 },
		/* A fourth device may be 0000:00:00.0, a fifth not. */
		{ AREA(mon_acquire, ndevices), MAY_U32, 4, 3 },
		{ AREA(mon_acquire, devices[0]), MAY_BDF, 0, 0 },
		{ AREA(mon_acquire, devices[1]), MAY_BDF, 0, 0 },
		{ AREA(mon_acquire, devices[2]), MAY_BDF, 0, 0 },
		{ AREA(mon_acquire, label), MAY_TEXT, 0, 0 },
	    } },
	{ "open_group", &good_open_group, 24, 0, true,
	    {
		{ AREA(mon_open_group, lease), MAY_ANYTHING, 0, 0 },
		{ AREA(mon_open_group, group), MAY_U32, INT32_MAX, 0 },
	    } },
	{ "open_device", &good_open_device, 24, 0, true,
	    {
		{ AREA(mon_open_device, lease), MAY_ANYTHING, 0, 0 },
		{ AREA(mon_open_device, device), MAY_BDF, 0, 0 },
	    } },
	{ "open_iommufd", &good_open_iommufd, 16, 0, true,
	    { { AREA(mon_open_iommufd, lease), MAY_ANYTHING, 0, 0 } } },
	{ "release", &good_release, 16, 0, true,
	    { { AREA(mon_release, lease), MAY_ANYTHING, 0, 0 } } },
	{ "set_memlock", &good_set_memlock, 24, 1, true,
	    {
		{ AREA(mon_set_memlock, lease), MAY_ANYTHING, 0, 0 },
		{ AREA(mon_set_memlock, memlock), MAY_ANYTHING, 0, 0 },
	    } },
	{ "explain", &good_explain, 168, 0, true,
	    {
		{ AREA(mon_explain, memlock), MAY_ANYTHING, 0, 0 },
		{ AREA(mon_explain, device), MAY_BDF, 0, 0 },
		{ AREA(mon_explain, flags), MAY_BITS, MON_EXPLAIN_FLAGS,
		    MON_EXPLAIN_USER },
		{ AREA(mon_explain, uid), MAY_ANYTHING, 0, 0 },
		/* More groups may all be 0. */
		{ AREA(mon_explain, ngids), MAY_U32, 33, 3 },
		{ AREA(mon_explain, gids[0]), MAY_ANYTHING, 0, 0 },
		{ AREA(mon_explain, gids[1]), MAY_ANYTHING, 0, 0 },
		{ AREA(mon_explain, gids[2]), MAY_ANYTHING, 0, 0 },
	    } },
	{ "revoke", &good_revoke, 24, 0, true,
	    {
		{ AREA(mon_revoke, lease), MAY_ANYTHING, 0, 0 },
		{ AREA(mon_revoke, grace_ms), MAY_ANYTHING, 0, 0 },
	    } },
	{ "recover", &good_recover, 16, 0, true,
	    { { AREA(mon_recover, device), MAY_BDF, 0, 0 } } },
	{ "welcome", &good_welcome, 24, 1, false,
	    {
		{ AREA(mon_welcome, uid), MAY_ANYTHING, 0, 0 },
		{ AREA(mon_welcome, pid), MAY_ANYTHING, 0, 0 },
		{ AREA(mon_welcome, admin), MAY_U32, 1, 0 },
		{ AREA(mon_welcome, features), MAY_BITS, 7, 0 },
	    } },
	{ "device", &good_device, 328, 0, false,
	    {
		{ AREA(mon_device, bdf), MAY_BDF, 0, 0 },
		{ AREA(mon_device, pf), MAY_BDF, 0, 0 },
		{ AREA(mon_device, lease), MAY_ANYTHING, 0, 0 },
		{ offsetof(struct mon_device, vendor), 4, MAY_ANYTHING, 0, 0 },
		{ AREA(mon_device, class), MAY_U32, 0xffffff, 0 },
		{ AREA(mon_device, group), MAY_COUNT, 0, 0 },
		{ AREA(mon_device, numa), MAY_COUNT, 0, 0 },
		{ AREA(mon_device, state), MAY_U32, STATE_COUNT - 1, 0 },
		{ AREA(mon_device, flags), MAY_BITS, MON_DEVICE_FLAGS,
		    MON_DEVICE_VF },
		{ AREA(mon_device, owner), MAY_ANYTHING, 0, 0 },
		{ AREA(mon_device, driver), MAY_TEXT, 0, 0 },
		{ AREA(mon_device, why), MAY_TEXT, 0, 0 },
	    } },
	{ "lease", &good_lease, 240, 0, false,
	    {
		{ offsetof(struct mon_lease, id), 32, MAY_ANYTHING, 0, 0 },
		{ AREA(mon_lease, flags), MAY_BITS, 3, 0 },
		{ AREA(mon_lease, ndevices), MAY_U32, MON_MAX_DEVICES, 2 },
		{ AREA(mon_lease, devices[0]), MAY_BDF, 0, 0 },
		{ AREA(mon_lease, devices[1]), MAY_BDF, 0, 0 },
		{ AREA(mon_lease, comm), MAY_TEXT, 0, 0 },
		{ AREA(mon_lease, label), MAY_TEXT, 0, 0 },
	    } },
	{ "grant", &good_grant, 320, 18, false,
	    {
		{ AREA(mon_grant, lease), MAY_ANYTHING, 0, 0 },
		{ AREA(mon_grant, memlock), MAY_ANYTHING, 0, 0 },
		{ AREA(mon_grant, fds[2].group), MAY_U32, INT32_MAX, 0 },
	    } },
	{ "cdev grant", &good_cdev_grant, 320, 18, false,
	    {
		{ AREA(mon_grant, lease), MAY_ANYTHING, 0, 0 },
		{ AREA(mon_grant, memlock), MAY_ANYTHING, 0, 0 },
		{ AREA(mon_grant, fds[2].device), MAY_BDF, 0, 0 },
	    } },
	{ "text", &good_text, 248, 0, false,
	    {
		{ AREA(mon_text, more), MAY_U32, 1, 0 },
		{ AREA(mon_text, text), MAY_TEXT, 0, 0 },
	    } },
	{ "event", &good_event, 296, 0, false,
	    {
		{ offsetof(struct mon_event, number), 32, MAY_ANYTHING, 0, 0 },
		{ AREA(mon_event, device), MAY_BDF, 0, 0 },
		{ AREA(mon_event, from), MAY_U32, STATE_COUNT - 1, 0 },
		{ AREA(mon_event, to), MAY_U32, STATE_COUNT - 1, 0 },
		{ AREA(mon_event, uid), MAY_ANYTHING, 0, 0 },
		{ AREA(mon_event, text), MAY_TEXT, 0, 0 },
	    } },
	{ "end", &good_end, 16, 0, false,
	    { { AREA(mon_end, status), MAY_U32, STATUS_COUNT - 1, 0 } } },
};
#define NSAMPLES (sizeof(samples) / sizeof(samples[0]))

/* Members whose good values a single byte can turn into other good ones. */
static bool
special(const struct sample *s, size_t at, uint32_t v)
{
	if (s->record == &good_text && at / 4 == 2) /* kind */
		return v >= 1 && v < MON_TEXT_KIND_COUNT;
	/* The kinds of the first two; of the third, by what comes with it. */
	if ((s->record == &good_grant || s->record == &good_cdev_grant) &&
	    (at / 4 == 8 || at / 4 == 12))
		return v == MON_FD_LEASE || v == MON_FD_CONTAINER ||
		       v == MON_FD_IOMMUFD || v == MON_FD_DEVICE;
	return false;
}

static bool
text_expected(const uint8_t *s, size_t n)
{
	size_t len = strnlen((const char *)s, n);

	for (size_t i = 0; i < len; i++)
		if (s[i] < ' ' || s[i] > '~')
			return false;
	for (size_t i = len; i < n; i++)
		if (s[i] != 0)
			return false;
	return len < n;
}

static bool
area_expected(const struct area *a, const uint8_t *record)
{
	uint32_t v;
	struct bdf b;

	memcpy(&v, record + a->at, sizeof(v));
	memcpy(&b, record + a->at, sizeof(b));
	switch (a->may) {
	case MAY_ANYTHING:
		return true;
	case MAY_U32:
		return v >= a->keep && v <= a->arg;
	case MAY_BITS:
		return (v & ~a->arg) == 0 && (v & a->keep) == a->keep;
	case MAY_BDF:
		return b.dev <= 31 && b.fn <= 7 && b.pad == 0;
	case MAY_TEXT:
		return text_expected(record + a->at, a->len);
	case MAY_COUNT:
		return v <= INT32_MAX || v == UINT32_MAX;
	case MAY_NOTHING:
		break;
	}
	return false;
}

static bool
expected(const struct sample *s, const uint8_t *record, size_t at)
{
	uint32_t v;

	/* seq: free, but always 0 in what comes unasked */
	if (at >= 4 && at < 8)
		return s->record != &good_welcome && s->record != &good_event;
	for (size_t i = 0; i < 12 && s->areas[i].len != 0; i++)
		if (at >= s->areas[i].at &&
		    at < s->areas[i].at + s->areas[i].len)
			return area_expected(&s->areas[i], record);
	memcpy(&v, record + at / 4 * 4, sizeof(v));
	return special(s, at, v);
}

static bool
check_either(const struct sample *s, const void *p, size_t len)
{
	return s->request ? monmsg_check_request(p, len)
			  : monmsg_check_answer(p, len);
}

START_TEST(sample_good)
{
	const struct sample *s = &samples[_i];
	const struct mon_header *h = s->record;

	ck_assert_uint_eq(monmsg_size(h->type), s->len);
	ck_assert_uint_eq(monmsg_max_fds(h->type), s->fds);
	ck_assert(check_either(s, s->record, s->len));
	ck_assert(s->request ? !monmsg_check_answer(s->record, s->len)
			     : !monmsg_check_request(s->record, s->len));
}
END_TEST

START_TEST(every_byte)
{
	const struct sample *s = &samples[_i];
	uint8_t record[MON_MAX_SIZE];

	for (size_t at = 4; at < s->len; at++) {
		for (unsigned x = 1; x < 256; x++) {
			memcpy(record, s->record, s->len);
			record[at] ^= (uint8_t)x;
			if (check_either(s, record, s->len) !=
			    expected(s, record, at))
				ck_abort_msg("%s: byte %zu: 0x%02x: %s",
				    s->name, at, record[at],
				    check_either(s, record, s->len)
					? "taken"
					: "refused");
		}
	}
}
END_TEST

/* A type is only taken for another of the same size and direction. */
START_TEST(every_type)
{
	const struct sample *s = &samples[_i];
	uint8_t record[MON_MAX_SIZE];

	memcpy(record, s->record, s->len);
	for (unsigned at = 0; at < 4; at++) {
		for (unsigned x = 1; x < 256; x++) {
			uint32_t type;

			memcpy(record, s->record, 4);
			record[at] ^= (uint8_t)x;
			memcpy(&type, record, 4);
			if (!check_either(s, record, s->len))
				continue;
			ck_assert_uint_eq(monmsg_size(type), s->len);
			ck_assert(s->request == (type < MON_WELCOME));
		}
	}
}
END_TEST

START_TEST(every_length)
{
	const struct sample *s = &samples[_i];
	uint8_t *record;

	for (size_t len = 0; len <= MON_MAX_SIZE + 8; len++) {
		/* Exactly so long, for the sanitizers to see over-reads. */
		record = calloc(1, len + (len == 0));
		ck_assert_ptr_nonnull(record);
		memcpy(record, s->record, len < s->len ? len : s->len);
		ck_assert(check_either(s, record, len) == (len == s->len));
		free(record);
	}
}
END_TEST

/* Records come out of byte buffers. */
START_TEST(every_alignment)
{
	const struct sample *s = &samples[_i];
	uint8_t buf[MON_MAX_SIZE + 8];

	for (size_t off = 0; off < 8; off++) {
		memcpy(buf + off, s->record, s->len);
		ck_assert(check_either(s, buf + off, s->len));
	}
}
END_TEST

START_TEST(types)
{
	unsigned known = 0;

	for (uint32_t t = 0; t < 1000; t++) {
		known += monmsg_size(t) != 0;
		ck_assert_uint_le(monmsg_size(t), MON_MAX_SIZE);
		if (monmsg_size(t) == 0)
			ck_assert_uint_eq(monmsg_max_fds(t), 0);
	}
	ck_assert_uint_eq(known, NSAMPLES - 1); /* a grant of either kind */
	ck_assert_uint_eq(monmsg_size(UINT32_MAX), 0);
	ck_assert_uint_eq(monmsg_max_fds(UINT32_MAX), 0);
}
END_TEST

START_TEST(acquire_bounds)
{
	struct mon_acquire m = good_acquire;

	m.ndevices = 0;
	ck_assert(!monmsg_check_request(&m, sizeof(m)));
	memset(m.devices, 0, sizeof(m.devices));
	ck_assert(!monmsg_check_request(&m, sizeof(m)));
	for (uint8_t i = 0; i < MON_MAX_DEVICES; i++) {
		m.devices[i].bus = i;
		m.ndevices = i + 1U;
		ck_assert(monmsg_check_request(&m, sizeof(m)));
	}
	m.ndevices = MON_MAX_DEVICES + 1;
	ck_assert(!monmsg_check_request(&m, sizeof(m)));
	m.ndevices = UINT32_MAX;
	ck_assert(!monmsg_check_request(&m, sizeof(m)));
	/* The offset of the unused entries must not wrap round either. */
	m.ndevices = 1U << 29;
	ck_assert(!monmsg_check_request(&m, sizeof(m)));
}
END_TEST

START_TEST(acquire_twice)
{
	struct mon_acquire m = good_acquire;

	m.devices[2] = m.devices[0];
	ck_assert(!monmsg_check_request(&m, sizeof(m)));
	m.devices[2].fn ^= 1;
	ck_assert(monmsg_check_request(&m, sizeof(m)));
	m.devices[2] = m.devices[1];
	ck_assert(!monmsg_check_request(&m, sizeof(m)));
	m = good_acquire;
	m.devices[1] = m.devices[0];
	ck_assert(!monmsg_check_request(&m, sizeof(m)));
}
END_TEST

START_TEST(explain_oneself)
{
	struct mon_explain m = good_explain;

	m.flags = 0;
	ck_assert(!monmsg_check_request(&m, sizeof(m)));
	m.uid = 0;
	ck_assert(!monmsg_check_request(&m, sizeof(m)));
	m.ngids = 0;
	memset(m.gids, 0, sizeof(m.gids));
	ck_assert(monmsg_check_request(&m, sizeof(m)));
	m.uid = 1000;
	ck_assert(!monmsg_check_request(&m, sizeof(m)));
	m.flags = MON_EXPLAIN_USER;
	ck_assert(monmsg_check_request(&m, sizeof(m)));
	m.ngids = 33;
	ck_assert(monmsg_check_request(&m, sizeof(m)));
	m.ngids = 34;
	ck_assert(!monmsg_check_request(&m, sizeof(m)));
}
END_TEST

START_TEST(device_without_pf)
{
	struct mon_device m = good_device;

	m.flags = 0;
	ck_assert(!monmsg_check_answer(&m, sizeof(m)));
	memset(&m.pf, 0, sizeof(m.pf));
	ck_assert(monmsg_check_answer(&m, sizeof(m)));
}
END_TEST

START_TEST(lease_bounds)
{
	struct mon_lease m = good_lease;

	memset(m.devices, 0, sizeof(m.devices));
	for (m.ndevices = 0; m.ndevices <= MON_MAX_DEVICES; m.ndevices++)
		ck_assert(monmsg_check_answer(&m, sizeof(m)));
	ck_assert(!monmsg_check_answer(&m, sizeof(m)));
}
END_TEST

START_TEST(grant_fds)
{
	struct mon_grant m = good_grant;

	m.fds[0].group = 26;
	ck_assert(!monmsg_check_answer(&m, sizeof(m)));
	m.fds[0].kind = MON_FD_GROUP;
	ck_assert(monmsg_check_answer(&m, sizeof(m)));
	m.fds[2].group = -1;
	ck_assert(!monmsg_check_answer(&m, sizeof(m)));
	m.nfds = 2;
	ck_assert(!monmsg_check_answer(&m, sizeof(m)));
	m.fds[2].kind = 0;
	m.fds[2].group = 0;
	ck_assert(monmsg_check_answer(&m, sizeof(m)));
	m.nfds = 0;
	memset(m.fds, 0, sizeof(m.fds));
	ck_assert(!monmsg_check_answer(&m, sizeof(m)));
}
END_TEST

START_TEST(text_bounds)
{
	struct mon_text m = good_text;

	memset(m.text, 'x', sizeof(m.text));
	ck_assert(!monmsg_check_answer(&m, sizeof(m)));
	m.text[sizeof(m.text) - 1] = '\0';
	ck_assert(monmsg_check_answer(&m, sizeof(m)));
	m.text[100] = '\n';
	ck_assert(!monmsg_check_answer(&m, sizeof(m)));
	memset(m.text, 0, sizeof(m.text));
	ck_assert(monmsg_check_answer(&m, sizeof(m)));
	m.kind = 0;
	ck_assert(!monmsg_check_answer(&m, sizeof(m)));
}
END_TEST

START_TEST(event_kinds)
{
	struct mon_event m = good_event;

	m.kind = MON_EVENT_LEASE;
	ck_assert(!monmsg_check_answer(&m, sizeof(m)));
	memset(&m.device, 0, sizeof(m.device));
	ck_assert(!monmsg_check_answer(&m, sizeof(m)));
	m.from = 0;
	ck_assert(!monmsg_check_answer(&m, sizeof(m)));
	m.to = 0;
	ck_assert(monmsg_check_answer(&m, sizeof(m)));
	m.kind = MON_EVENT_POLICY;
	ck_assert(monmsg_check_answer(&m, sizeof(m)));
	m.kind = 0;
	ck_assert(!monmsg_check_answer(&m, sizeof(m)));
}
END_TEST

int
main(void)
{
	TCase *tc = tcase_create("monmsg");
	Suite *s = suite_create("monmsg");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, sample_good, 0, NSAMPLES);
	tcase_add_loop_test(tc, every_byte, 0, NSAMPLES);
	tcase_add_loop_test(tc, every_type, 0, NSAMPLES);
	tcase_add_loop_test(tc, every_length, 0, NSAMPLES);
	tcase_add_loop_test(tc, every_alignment, 0, NSAMPLES);
	tcase_add_test(tc, types);
	tcase_add_test(tc, acquire_bounds);
	tcase_add_test(tc, acquire_twice);
	tcase_add_test(tc, explain_oneself);
	tcase_add_test(tc, device_without_pf);
	tcase_add_test(tc, lease_bounds);
	tcase_add_test(tc, grant_fds);
	tcase_add_test(tc, text_bounds);
	tcase_add_test(tc, event_kinds);
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
