/* SPDX-License-Identifier: ISC */
/*
 * Lists: every member arrives, and of a list that is wrong anywhere nothing is
 * handed out.
 */

#include "broker_peer.h"

static int device_error;

static void
device_fill(Vfiobroker__Reply *reply, Vfiobroker__Device *d,
    Vfiobroker__Bdf b[2], char strings[3][256])
{
	vfiobroker__reply__init(reply);
	vfiobroker__device__init(d);
	vfiobroker__bdf__init(&b[0]);
	vfiobroker__bdf__init(&b[1]);
	b[0].domain = 0x10000;
	b[0].bus = 255;
	b[0].dev = 31;
	b[0].fn = 7;
	b[1].bus = 3;
	strcpy(strings[0], "quarantined");
	strcpy(strings[1], "vfio-pci");
	strcpy(strings[2], "because");
	d->bdf = &b[0];
	d->pf = &b[1];
	d->vendor = 0x8086;
	d->device = 0xffff;
	d->class_ = 0xffffff;
	d->group = -1;
	d->numa = 3;
	d->state = strings[0];
	d->driver = strings[1];
	d->why = strings[2];
	d->lease = 1ULL << 40;
	d->has_owner = true;
	d->owner = 1000;
	d->mine = d->claimed = true;
	reply->more = true;
	reply->body_case = VFIOBROKER__REPLY__BODY_DEVICE;
	reply->device = d;
}

static void
script_devices(int fd)
{
	static const unsigned counts[] = { 0, 1, 31, 32, 33, 150 };
	Vfiobroker__Reply reply;
	Vfiobroker__Device d;
	Vfiobroker__Bdf b[2];
	char strings[3][256];
	uint32_t id;

	broker_welcome(fd);
	for (unsigned i = 0; i < 6; i++) {
		id = broker_expect(fd, VFIOBROKER__REQUEST__OP_LIST_DEVICES);
		device_fill(&reply, &d, b, strings);
		reply.id = id;
		for (unsigned j = 0; j < counts[i]; j++) {
			d.lease = j;
			broker_send(fd, &reply, NULL, 0);
			d.pf = NULL;
			d.has_owner = d.mine = false;
			d.is_pf = d.is_bridge = d.allowed = true;
		}
		broker_end(fd, id, 0);
	}
}

static void
check_device(const struct vfiobroker_device *d, unsigned i)
{
	ck_assert_uint_eq(d->lease, i);
	ck_assert_uint_eq(d->bdf.domain, 0x10000);
	ck_assert_uint_eq(d->bdf.bus, 255);
	ck_assert_uint_eq(d->bdf.dev, 31);
	ck_assert_uint_eq(d->bdf.fn, 7);
	ck_assert_uint_eq(d->bdf.pad, 0);
	ck_assert_uint_eq(d->pf.bus, i == 0 ? 3 : 0);
	ck_assert_int_eq(d->is_vf, i == 0);
	ck_assert_int_eq(d->is_pf, i != 0);
	ck_assert_int_eq(d->is_bridge, i != 0);
	ck_assert_int_eq(d->allowed, i != 0);
	ck_assert_int_eq(d->mine, i == 0);
	ck_assert(d->claimed);
	ck_assert_uint_eq(d->vendor, 0x8086);
	ck_assert_uint_eq(d->device, 0xffff);
	ck_assert_uint_eq(d->class_code, 0xffffff);
	ck_assert_int_eq(d->group, -1);
	ck_assert_int_eq(d->numa, 3);
	ck_assert_int_eq(d->has_owner, i == 0);
	ck_assert_uint_eq(d->owner, 1000);
	ck_assert_str_eq(d->state, "quarantined");
	ck_assert_str_eq(d->driver, "vfio-pci");
	ck_assert_str_eq(d->why, "because");
}

START_TEST(devices)
{
	static const unsigned counts[] = { 0, 1, 31, 32, 33, 150 };
	struct vfiobroker_device *d;
	size_t n;

	open_to(script_devices);
	for (unsigned i = 0; i < 6; i++) {
		ck_assert_int_eq(vfiobroker_list_devices(h, &d, &n), 0);
		ck_assert_uint_eq(n, counts[i]);
		for (unsigned j = 0; j < n; j++)
			check_device(&d[j], j);
		free(d);
	}
	broker_finish();
}
END_TEST

enum device_error {
	NO_BDF,
	BAD_BDF,
	BAD_PF,
	BAD_VENDOR,
	BAD_DEVICE,
	BAD_CLASS,
	BAD_GROUP,
	BAD_NUMA,
	LONG_STATE,
	LONG_DRIVER,
	LONG_WHY,
	WITH_FD,
	A_LEASE,
	CLOSED,
	DEVICE_ERRORS,
};

static void
script_bad_device(int fd)
{
	Vfiobroker__Reply reply;
	Vfiobroker__Device d;
	Vfiobroker__Bdf b[2];
	Vfiobroker__Lease lease;
	char strings[3][256];

	broker_welcome(fd);
	device_fill(&reply, &d, b, strings);
	reply.id = broker_expect(fd, VFIOBROKER__REQUEST__OP_LIST_DEVICES);
	broker_send(fd, &reply, NULL, 0);
	switch ((enum device_error)device_error) {
	case NO_BDF:
		d.bdf = NULL;
		break;
	case BAD_BDF:
		b[0].bus = 256;
		break;
	case BAD_PF:
		b[1].fn = 8;
		break;
	case BAD_VENDOR:
		d.vendor = 0x10000;
		break;
	case BAD_DEVICE:
		d.device = 0x10000;
		break;
	case BAD_CLASS:
		d.class_ = 0x1000000;
		break;
	case BAD_GROUP:
		d.group = -2;
		break;
	case BAD_NUMA:
		d.numa = -2;
		break;
	case LONG_STATE:
		strcpy(strings[0], "0123456789abcdef");
		break;
	case LONG_DRIVER:
		strcpy(strings[1], "0123456789abcdef0123456789abcdef");
		break;
	case LONG_WHY:
		memset(strings[2], 'w', 232);
		strings[2][232] = '\0';
		break;
	case WITH_FD:
		broker_send(fd, &reply, &fd, 1);
		return;
	case A_LEASE:
		vfiobroker__lease__init(&lease);
		reply.body_case = VFIOBROKER__REPLY__BODY_LEASE;
		reply.lease = &lease;
		break;
	case CLOSED:
		return;
	case DEVICE_ERRORS:
		break;
	}
	broker_send(fd, &reply, NULL, 0);
}

START_TEST(bad_device)
{
	struct vfiobroker_device *d = (void *)&d;
	size_t n = 9;

	device_error = _i;
	open_to(script_bad_device);
	ck_assert_int_eq(vfiobroker_list_devices(h, &d, &n),
	    _i == CLOSED ? -ECONNRESET : -EPROTO);
	ck_assert_ptr_null(d);
	ck_assert_uint_eq(n, 0);
	ck_assert_int_eq(vfiobroker_fd(h), -1);
	ck_assert_uint_eq(fd_count(), before - 1);
	ck_assert_int_eq(vfiobroker_watch(h), -ENOTCONN);
}
END_TEST

static void
lease_fill(Vfiobroker__Reply *reply, Vfiobroker__Lease *l, Vfiobroker__Bdf *b,
    Vfiobroker__Bdf **list, char strings[2][64], unsigned ndevices)
{
	vfiobroker__reply__init(reply);
	vfiobroker__lease__init(l);
	for (unsigned i = 0; i < ndevices; i++) {
		vfiobroker__bdf__init(&b[i]);
		b[i].bus = i;
		list[i] = &b[i];
	}
	strcpy(strings[0], "qemu-system-x86");
	strcpy(strings[1], "a label of thirty-one letters.~");
	l->id = 1ULL << 63;
	l->uid = 1000;
	l->pid = 4711;
	l->comm = strings[0];
	l->label = strings[1];
	l->since = 1700000000;
	l->memlock = 1ULL << 36;
	l->revoking = true;
	l->n_devices = ndevices;
	l->devices = list;
	reply->more = true;
	reply->body_case = VFIOBROKER__REPLY__BODY_LEASE;
	reply->lease = l;
}

static void
script_leases(int fd)
{
	Vfiobroker__Reply reply;
	Vfiobroker__Lease l;
	Vfiobroker__Bdf b[17], *list[17];
	char strings[2][64];

	broker_welcome(fd);
	lease_fill(&reply, &l, b, list, strings, 16);
	reply.id = broker_expect(fd, VFIOBROKER__REQUEST__OP_LIST_LEASES);
	broker_send(fd, &reply, NULL, 0);
	l.n_devices = 0;
	l.revoking = false;
	broker_send(fd, &reply, NULL, 0);
	broker_end(fd, reply.id, 0);
}

START_TEST(leases)
{
	struct vfiobroker_lease *l;
	size_t n;

	open_to(script_leases);
	ck_assert_int_eq(vfiobroker_list_leases(h, &l, &n), 0);
	ck_assert_uint_eq(n, 2);
	ck_assert_uint_eq(l[0].id, 1ULL << 63);
	ck_assert_uint_eq(l[0].uid, 1000);
	ck_assert_int_eq(l[0].pid, 4711);
	ck_assert_str_eq(l[0].comm, "qemu-system-x86");
	ck_assert_str_eq(l[0].label, "a label of thirty-one letters.~");
	ck_assert_int_eq(l[0].since, 1700000000);
	ck_assert_uint_eq(l[0].memlock, 1ULL << 36);
	ck_assert(l[0].revoking);
	ck_assert(!l[1].revoking);
	ck_assert_uint_eq(l[0].ndevices, 16);
	for (unsigned i = 0; i < 16; i++)
		ck_assert_uint_eq(l[0].devices[i].bus, i);
	ck_assert_uint_eq(l[1].ndevices, 0);
	free(l);
	broker_finish();
}
END_TEST

static void
script_bad_lease(int fd)
{
	Vfiobroker__Reply reply;
	Vfiobroker__Lease l;
	Vfiobroker__Bdf b[17], *list[17];
	char strings[2][64];

	broker_welcome(fd);
	lease_fill(&reply, &l, b, list, strings, device_error == 0 ? 17 : 1);
	reply.id = broker_expect(fd, VFIOBROKER__REQUEST__OP_LIST_LEASES);
	if (device_error == 1)
		l.since = 1ULL << 63;
	if (device_error == 2)
		b[0].dev = 32;
	if (device_error == 3)
		strcpy(strings[0], "0123456789abcdef0123456789abcdef");
	if (device_error == 4)
		strcpy(strings[1], "0123456789abcdef0123456789abcdef");
	broker_send(fd, &reply, NULL, 0);
}

START_TEST(bad_lease)
{
	struct vfiobroker_lease *l;
	size_t n;

	device_error = _i;
	open_to(script_bad_lease);
	ck_assert_int_eq(vfiobroker_list_leases(h, &l, &n), -EPROTO);
	ck_assert_ptr_null(l);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("lib_list");
	TCase *tc = tcase_create("list");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_add_checked_fixture(tc, broker_setup, broker_teardown);
	tcase_add_test(tc, devices);
	tcase_add_loop_test(tc, bad_device, 0, DEVICE_ERRORS);
	tcase_add_test(tc, leases);
	tcase_add_loop_test(tc, bad_lease, 0, 5);
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
