/* SPDX-License-Identifier: ISC */
/* Records become replies and lose nothing on the way; nor do texts. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <check.h>

#include "vfiobroker.pb-c.h"

#include "../../broker/session/encode.h"
#include "../../broker/session/texts.h"
#include "records.h"

static uint8_t buf[PROTO_MESSAGE_MAX];

static Vfiobroker__Reply *
unpack(size_t len)
{
	Vfiobroker__Reply *r;

	ck_assert_uint_gt(len, 0);
	ck_assert_uint_le(len, PROTO_MESSAGE_MAX);
	r = vfiobroker__reply__unpack(NULL, len, buf);
	ck_assert_ptr_nonnull(r);
	return r;
}

static void
check_bdf(const Vfiobroker__Bdf *b, const struct bdf *want)
{
	ck_assert_ptr_nonnull(b);
	ck_assert_uint_eq(b->domain, want->domain);
	ck_assert_uint_eq(b->bus, want->bus);
	ck_assert_uint_eq(b->dev, want->dev);
	ck_assert_uint_eq(b->fn, want->fn);
}

START_TEST(welcome)
{
	struct mon_welcome m = good_welcome;
	Vfiobroker__Reply *r = unpack(encode_welcome(3, &m, buf));

	ck_assert_uint_eq(r->id, 3);
	ck_assert(!r->more);
	ck_assert_int_eq(r->status, VFIOBROKER__STATUS__OK);
	ck_assert_int_eq(r->body_case, VFIOBROKER__REPLY__BODY_WELCOME);
	ck_assert_uint_eq(r->welcome->version, 1);
	ck_assert_ptr_nonnull(strstr(r->welcome->broker, "vfiobroker"));
	ck_assert_uint_eq(r->welcome->uid, m.uid);
	ck_assert_uint_eq(r->welcome->pid, m.pid);
	ck_assert(r->welcome->admin);
	ck_assert(r->welcome->vfio);
	ck_assert(r->welcome->backend_group);
	vfiobroker__reply__free_unpacked(r, NULL);
	m.features = 0;
	m.admin = 0;
	r = unpack(encode_welcome(3, &m, buf));
	ck_assert(!r->welcome->admin);
	ck_assert(!r->welcome->vfio);
	ck_assert(!r->welcome->backend_group);
	vfiobroker__reply__free_unpacked(r, NULL);
}
END_TEST

START_TEST(device)
{
	struct mon_device m = good_device;
	Vfiobroker__Reply *r;
	Vfiobroker__Device *d;

	/* Each flag alone, so that none stands for another. */
	m.flags = 1U << _i;
	if (m.flags != MON_DEVICE_VF)
		memset(&m.pf, 0, sizeof(m.pf));
	ck_assert(monmsg_check_answer(&m, sizeof(m)));
	r = unpack(encode_item(3, &m, buf));
	ck_assert_uint_eq(r->id, 3);
	ck_assert(r->more);
	ck_assert_int_eq(r->body_case, VFIOBROKER__REPLY__BODY_DEVICE);
	d = r->device;
	check_bdf(d->bdf, &m.bdf);
	if (m.flags == MON_DEVICE_VF)
		check_bdf(d->pf, &m.pf);
	else
		ck_assert_ptr_null(d->pf);
	ck_assert_uint_eq(d->vendor, m.vendor);
	ck_assert_uint_eq(d->device, m.device);
	ck_assert_uint_eq(d->class_, m.class);
	ck_assert_str_eq(d->driver, m.driver);
	ck_assert_int_eq(d->group, m.group);
	ck_assert_int_eq(d->numa, m.numa);
	ck_assert_str_eq(d->state, state_name((enum state)m.state));
	ck_assert_uint_eq(d->lease, m.lease);
	ck_assert(d->has_owner);
	ck_assert_uint_eq(d->owner, m.owner);
	ck_assert_int_eq(d->is_pf, m.flags == MON_DEVICE_PF);
	ck_assert_int_eq(d->is_bridge, m.flags == MON_DEVICE_BRIDGE);
	ck_assert_int_eq(d->claimed, m.flags == MON_DEVICE_CLAIMED);
	ck_assert_int_eq(d->mine, m.flags == MON_DEVICE_MINE);
	ck_assert_int_eq(d->allowed, m.flags == MON_DEVICE_ALLOWED);
	ck_assert_str_eq(d->why, m.why);
	vfiobroker__reply__free_unpacked(r, NULL);
}
END_TEST

START_TEST(device_edges)
{
	struct mon_device m = { .h = { MON_DEVICE, SEQ } };
	Vfiobroker__Reply *r;

	m.group = m.numa = -1;
	m.owner = UINT32_MAX;
	m.class = 0xffffff;
	m.vendor = m.device = 0xffff;
	m.state = STATE_GONE;
	memset(m.driver, 'd', sizeof(m.driver) - 1);
	memset(m.why, 'w', sizeof(m.why) - 1);
	ck_assert(monmsg_check_answer(&m, sizeof(m)));
	r = unpack(encode_item(UINT32_MAX, &m, buf));
	ck_assert_int_eq(r->device->group, -1);
	ck_assert_int_eq(r->device->numa, -1);
	ck_assert(!r->device->has_owner);
	ck_assert_uint_eq(r->device->owner, 0);
	ck_assert_uint_eq(r->device->class_, 0xffffff);
	ck_assert_uint_eq(r->device->vendor, 0xffff);
	ck_assert_str_eq(r->device->driver, m.driver);
	ck_assert_str_eq(r->device->why, m.why);
	vfiobroker__reply__free_unpacked(r, NULL);
}
END_TEST

START_TEST(lease)
{
	struct mon_lease m = good_lease;
	Vfiobroker__Reply *r;

	for (uint32_t n = 0; n <= MON_MAX_DEVICES; n++) {
		memset(m.devices, 0, sizeof(m.devices));
		for (uint32_t i = 0; i < n; i++)
			m.devices[i] = (struct bdf){ i, 255, 31, 7, 0 };
		m.ndevices = n;
		m.flags = n % 2;
		r = unpack(encode_item(3, &m, buf));
		ck_assert(r->more);
		ck_assert_int_eq(r->body_case, VFIOBROKER__REPLY__BODY_LEASE);
		ck_assert_uint_eq(r->lease->id, m.id);
		ck_assert_uint_eq(r->lease->uid, m.uid);
		ck_assert_uint_eq(r->lease->pid, m.pid);
		ck_assert_str_eq(r->lease->comm, m.comm);
		ck_assert_str_eq(r->lease->label, m.label);
		ck_assert_uint_eq(r->lease->since, m.since);
		ck_assert_uint_eq(r->lease->memlock, m.memlock);
		ck_assert_int_eq(r->lease->revoking, m.flags != 0);
		ck_assert_uint_eq(r->lease->n_devices, n);
		for (uint32_t i = 0; i < n; i++)
			check_bdf(r->lease->devices[i], &m.devices[i]);
		vfiobroker__reply__free_unpacked(r, NULL);
	}
}
END_TEST

START_TEST(grant)
{
	struct mon_grant m = good_grant;
	Vfiobroker__Reply *r;

	m.nfds = MON_MAX_FDS;
	for (int32_t i = 2; i < MON_MAX_FDS; i++) {
		m.fds[i].kind = MON_FD_GROUP;
		m.fds[i].group = i * 1000;
	}
	ck_assert(monmsg_check_answer(&m, sizeof(m)));
	r = unpack(encode_item(3, &m, buf));
	ck_assert(r->more);
	ck_assert_int_eq(r->body_case, VFIOBROKER__REPLY__BODY_GRANT);
	ck_assert_uint_eq(r->grant->lease, m.lease);
	ck_assert_uint_eq(r->grant->memlock, m.memlock);
	ck_assert_uint_eq(r->grant->n_fds, MON_MAX_FDS);
	for (int i = 0; i < MON_MAX_FDS; i++) {
		ck_assert_int_eq(
		    (int)r->grant->fds[i]->kind, (int)m.fds[i].kind);
		ck_assert_int_eq(r->grant->fds[i]->group, m.fds[i].group);
	}
	vfiobroker__reply__free_unpacked(r, NULL);
}
END_TEST

START_TEST(grant_of_cdevs)
{
	struct mon_grant m = good_cdev_grant;
	Vfiobroker__Reply *r = unpack(encode_item(3, &m, buf));

	ck_assert_uint_eq(r->grant->n_fds, 3);
	ck_assert_ptr_null(r->grant->fds[0]->device);
	ck_assert_ptr_null(r->grant->fds[1]->device);
	ck_assert_int_eq((int)r->grant->fds[1]->kind, MON_FD_IOMMUFD);
	ck_assert_int_eq((int)r->grant->fds[2]->kind, MON_FD_DEVICE);
	ck_assert_uint_eq(r->grant->fds[2]->device->bus, 1);
	ck_assert_uint_eq(r->grant->fds[2]->device->dev, 0x10);
	vfiobroker__reply__free_unpacked(r, NULL);
}
END_TEST

START_TEST(event)
{
	static const char *const kinds[] = { NULL, "device", "lease",
		"policy" };
	struct mon_event m = good_event;
	Vfiobroker__Reply *r;
	Vfiobroker__Event *e;

	m.kind = (uint32_t)_i;
	if (m.kind != MON_EVENT_DEVICE) {
		m.from = m.to = 0;
		memset(&m.device, 0, sizeof(m.device));
		m.uid = UINT32_MAX;
	}
	ck_assert(monmsg_check_answer(&m, sizeof(m)));
	r = unpack(encode_item(0, &m, buf));
	ck_assert_uint_eq(r->id, 0);
	ck_assert(!r->more);
	ck_assert_int_eq(r->body_case, VFIOBROKER__REPLY__BODY_EVENT);
	e = r->event;
	ck_assert_uint_eq(e->number, m.number);
	ck_assert_uint_eq(e->time_us, m.time_us);
	ck_assert_uint_eq(e->duration_us, m.duration_us);
	ck_assert_uint_eq(e->lease, m.lease);
	ck_assert_str_eq(e->kind, kinds[_i]);
	ck_assert_str_eq(e->text, m.text);
	if (m.kind == MON_EVENT_DEVICE) {
		check_bdf(e->device, &m.device);
		ck_assert_str_eq(e->from, "leased");
		ck_assert_str_eq(e->to, "draining");
		ck_assert(e->has_owner);
		ck_assert_uint_eq(e->owner, 1000);
	} else {
		ck_assert_ptr_null(e->device);
		ck_assert_str_eq(e->from, "");
		ck_assert_str_eq(e->to, "");
		ck_assert(!e->has_owner);
	}
	vfiobroker__reply__free_unpacked(r, NULL);
}
END_TEST

START_TEST(no_item)
{
	ck_assert_uint_eq(encode_item(1, &good_end, buf), 0);
	ck_assert_uint_eq(encode_item(1, &good_welcome, buf), 0);
	ck_assert_uint_eq(encode_item(1, &good_acquire, buf), 0);
	ck_assert_uint_eq(
	    encode_item(1, &(struct mon_header){ 9999, 0 }, buf), 0);
}
END_TEST

START_TEST(end)
{
	static struct texts t;
	struct mon_text m = good_text;
	Vfiobroker__Reply *r = unpack(encode_end(5, (enum status)_i, &t, buf));

	ck_assert_uint_eq(r->id, 5);
	ck_assert(!r->more);
	ck_assert_int_eq((int)r->status, _i);
	ck_assert_uint_eq(r->n_texts, 0);
	vfiobroker__reply__free_unpacked(r, NULL);
	m.more = 0;
	ck_assert(texts_add(&t, &m));
	m.kind = MON_TEXT_FIX;
	ck_assert(texts_add(&t, &m));
	r = unpack(encode_end(5, (enum status)_i, &t, buf));
	ck_assert_uint_eq(r->n_texts, 2);
	ck_assert_int_eq(r->texts[0]->kind, VFIOBROKER__TEXT__KIND__WHY);
	ck_assert_int_eq(r->texts[1]->kind, VFIOBROKER__TEXT__KIND__FIX);
	ck_assert_str_eq(r->texts[1]->text, m.text);
	ck_assert(!r->texts[1]->more);
	vfiobroker__reply__free_unpacked(r, NULL);
}
END_TEST

/* ---- texts ------------------------------------------------------------ */

static struct mon_text
piece(const char *s, uint32_t more)
{
	struct mon_text m = { .h = { MON_TEXT, SEQ }, .kind = MON_TEXT_RULE };

	m.more = more;
	memcpy(m.text, s, strlen(s));
	return m;
}

START_TEST(texts_join)
{
	static struct texts t;
	struct mon_text m = piece("one ", 1);

	ck_assert(texts_add(&t, &m));
	m = piece("", 1);
	ck_assert(texts_add(&t, &m));
	m = piece("line", 0);
	ck_assert(texts_add(&t, &m));
	m = piece("", 0);
	ck_assert(texts_add(&t, &m));
	m = piece("another", 0);
	ck_assert(texts_add(&t, &m));
	ck_assert_uint_eq(t.n, 3);
	ck_assert_str_eq(t.buf + t.items[0].start, "one line");
	ck_assert_str_eq(t.buf + t.items[1].start, "");
	ck_assert_str_eq(t.buf + t.items[2].start, "another");
	texts_set(&t, MON_TEXT_WHY, "no");
	ck_assert_uint_eq(t.n, 1);
	ck_assert_str_eq(t.buf + t.items[0].start, "no");
	texts_clear(&t);
	ck_assert_uint_eq(t.n, 0);
	/* A rest whose beginning has been sent starts anew. */
	m = piece("rest", 0);
	ck_assert(texts_add(&t, &m));
	ck_assert_uint_eq(t.n, 1);
}
END_TEST

/*
 * Property: whatever comes in pieces comes out the same, in messages that are
 * not too long, and there is always room for one record more.
 */
START_TEST(texts_stream)
{
	static struct texts t;
	static char in[1 << 20], out[1 << 20];
	size_t nin = 0, nout = 0, messages = 0;
	Vfiobroker__Reply *r;

	srandom((unsigned)_i);
	while (nin < sizeof(in) - 600) {
		struct mon_text m = piece("", 0);
		long max = _i % 2 != 0 ? MON_TEXT_MAX : 1 + random() % 20;
		size_t len = (size_t)(random() % max);
		bool last = nin + 600 >= sizeof(in) - 600;

		m.more = random() % (_i + 1) != 0 && !last;
		for (size_t i = 0; i < len; i++)
			m.text[i] = (char)(' ' + random() % 95);
		nin += (size_t)sprintf(
		    in + nin, "%s%s", m.text, m.more ? "" : "\n");
		ck_assert(texts_add(&t, &m));
		if (texts_room(&t) && !last)
			continue;
		r = unpack(encode_texts(9, &t, buf));
		ck_assert(r->more);
		ck_assert_uint_eq(r->id, 9);
		for (size_t i = 0; i < r->n_texts; i++)
			nout += (size_t)sprintf(out + nout, "%s%s",
			    r->texts[i]->text, r->texts[i]->more ? "" : "\n");
		vfiobroker__reply__free_unpacked(r, NULL);
		texts_clear(&t);
		messages++;
		if (last)
			break;
	}
	ck_assert_uint_eq(nin, nout);
	ck_assert_mem_eq(in, out, nin);
	ck_assert_uint_gt(messages, 1);
}
END_TEST

START_TEST(texts_full)
{
	static struct texts t;
	struct mon_text m = piece("", 0);
	size_t n = 0;

	while (texts_add(&t, &m))
		n++;
	ck_assert_uint_eq(n, TEXTS_MAX);
	ck_assert(!texts_room(&t));
	vfiobroker__reply__free_unpacked(
	    unpack(encode_texts(UINT32_MAX, &t, buf)), NULL);
	texts_clear(&t);
	memset(m.text, 'x', sizeof(m.text) - 1);
	for (n = 0; texts_add(&t, &m); n++)
		ck_assert(texts_room(&t) || n + 1 == t.n);
	ck_assert_uint_eq(n, TEXTS_BYTES / MON_TEXT_MAX);
	vfiobroker__reply__free_unpacked(
	    unpack(encode_texts(UINT32_MAX, &t, buf)), NULL);
}
END_TEST

int
main(void)
{
	TCase *tc = tcase_create("encode");
	Suite *s = suite_create("session_encode");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_add_test(tc, welcome);
	tcase_add_loop_test(tc, device, 0, 6);
	tcase_add_test(tc, device_edges);
	tcase_add_test(tc, lease);
	tcase_add_test(tc, grant);
	tcase_add_test(tc, grant_of_cdevs);
	tcase_add_loop_test(tc, event, 1, MON_EVENT_KIND_COUNT);
	tcase_add_test(tc, no_item);
	tcase_add_loop_test(tc, end, 0, STATUS_COUNT);
	tcase_add_test(tc, texts_join);
	tcase_add_loop_test(tc, texts_stream, 0, 6);
	tcase_add_test(tc, texts_full);
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
