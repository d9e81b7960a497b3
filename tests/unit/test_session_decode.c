/* SPDX-License-Identifier: ISC */
/*
 * Good requests become canonical records, member by member, within the budget.
 */

#include "decoding.h"

START_TEST(hello)
{
	Vfiobroker__Hello h = VFIOBROKER__HELLO__INIT;
	MESSAGE(hello, HELLO, &h);

	h.version = 1;
	ck_assert_int_eq(decode_message(&m), 0);
	ck_assert_uint_eq(req.len, 0);
	ck_assert_uint_eq(req.id, 77);
	ck_assert(!req.takes_fd);
	h.version = 2;
	ck_assert_int_eq(decode_message(&m), -EINVAL);
}
END_TEST

START_TEST(plain)
{
	static const struct {
		const char *bytes;
		uint32_t type;
	} ops[] = {
		{ "\x08\x4d\x1a\0", MON_LIST_DEVICES },
		{ "\x08\x4d\x22\0", MON_LIST_LEASES },
		{ "\x08\x4d\x52\0", MON_SHOW_POLICY },
		{ "\x08\x4d\x62\0", MON_WATCH },
	};

	ck_assert_int_eq(decode(ops[_i].bytes, 4), 0);
	check_record(ops[_i].type);
	ck_assert(!req.takes_fd);
}
END_TEST

START_TEST(acquire_least)
{
	/* One device, 0000:00:00.0, so that all is default. */
	ck_assert_int_eq(decode("\x08\x4d\x2a\x02\x0a\0", 6), 0);
	check_record(MON_ACQUIRE);
	ck_assert_uint_eq(req.record.acquire.ndevices, 1);
	ck_assert_uint_eq(req.record.acquire.flags, 0);
	ck_assert(!req.takes_fd);
}
END_TEST

START_TEST(acquire_most)
{
	Vfiobroker__Acquire a;
	Vfiobroker__Bdf bdfs[16], *list[16];
	char label[] = "a label of thirty-one letters.~";
	MESSAGE(acquire, ACQUIRE, &a);

	vfiobroker__acquire__init(&a);
	for (unsigned i = 0; i < 16; i++) {
		vfiobroker__bdf__init(&bdfs[i]);
		bdfs[i].domain = 0xffffffffU - i;
		bdfs[i].bus = 255 - i;
		bdfs[i].dev = 31 - i;
		bdfs[i].fn = i % 8;
		list[i] = &bdfs[i];
	}
	a.n_devices = 16;
	a.devices = list;
	a.memlock = UINT64_MAX;
	a.lease = UINT64_MAX - 1;
	a.label = label;
	a.no_wait = a.unmanaged = a.has_pidfd = a.iommufd = true;
	ck_assert_int_eq(decode_message(&m), 0);
	check_record(MON_ACQUIRE);
	ck_assert(req.takes_fd);
	ck_assert_uint_eq(req.record.acquire.memlock, UINT64_MAX);
	ck_assert_uint_eq(req.record.acquire.lease, UINT64_MAX - 1);
	ck_assert_uint_eq(req.record.acquire.flags,
	    MON_ACQUIRE_NO_WAIT | MON_ACQUIRE_UNMANAGED | MON_ACQUIRE_IOMMUFD);
	ck_assert_str_eq(req.record.acquire.label, label);
	for (unsigned i = 0; i < 16; i++) {
		const struct bdf want = { 0xffffffffU - i, (uint8_t)(255 - i),
			(uint8_t)(31 - i), (uint8_t)(i % 8), 0 };

		ck_assert_mem_eq(
		    &req.record.acquire.devices[i], &want, sizeof(want));
	}
	a.no_wait = a.iommufd = false;
	ck_assert_int_eq(decode_message(&m), 0);
	ck_assert_uint_eq(req.record.acquire.flags, MON_ACQUIRE_UNMANAGED);
	a.no_wait = true;
	a.unmanaged = a.has_pidfd = false;
	ck_assert_int_eq(decode_message(&m), 0);
	ck_assert_uint_eq(req.record.acquire.flags, MON_ACQUIRE_NO_WAIT);
	ck_assert(!req.takes_fd);
}
END_TEST

START_TEST(open_group)
{
	Vfiobroker__OpenGroup o = VFIOBROKER__OPEN_GROUP__INIT;
	MESSAGE(open_group, OPEN_GROUP, &o);

	o.lease = 9;
	o.group = INT32_MAX;
	ck_assert_int_eq(decode_message(&m), 0);
	check_record(MON_OPEN_GROUP);
	ck_assert_uint_eq(req.record.open_group.lease, 9);
	ck_assert_uint_eq(req.record.open_group.group, INT32_MAX);
	o.group = 0x80000000;
	ck_assert_int_eq(decode_message(&m), -EBADMSG);
}
END_TEST

START_TEST(open_device)
{
	Vfiobroker__OpenDevice o = VFIOBROKER__OPEN_DEVICE__INIT;
	Vfiobroker__Bdf b = VFIOBROKER__BDF__INIT;
	MESSAGE(open_device, OPEN_DEVICE, &o);

	o.lease = 9;
	ck_assert_int_eq(decode_message(&m), -EINVAL); /* of none */
	o.device = &b;
	b.bus = 1;
	b.dev = 0x10;
	ck_assert_int_eq(decode_message(&m), 0);
	check_record(MON_OPEN_DEVICE);
	ck_assert_uint_eq(req.record.open_device.lease, 9);
	ck_assert_uint_eq(req.record.open_device.device.dev, 0x10);
	b.fn = 8;
	ck_assert_int_eq(decode_message(&m), -EBADMSG);
}
END_TEST

START_TEST(open_iommufd)
{
	Vfiobroker__OpenIommufd o = VFIOBROKER__OPEN_IOMMUFD__INIT;
	MESSAGE(open_iommufd, OPEN_IOMMUFD, &o);

	ck_assert_int_eq(decode_message(&m), -EINVAL); /* of none */
	o.lease = 9;
	ck_assert_int_eq(decode_message(&m), 0);
	check_record(MON_OPEN_IOMMUFD);
	ck_assert_uint_eq(req.record.open_iommufd.lease, 9);
}
END_TEST

START_TEST(release)
{
	Vfiobroker__Release x = VFIOBROKER__RELEASE__INIT;
	MESSAGE(release, RELEASE, &x);

	x.lease = 1ULL << 63;
	ck_assert_int_eq(decode_message(&m), 0);
	check_record(MON_RELEASE);
	ck_assert_uint_eq(req.record.release.lease, 1ULL << 63);
}
END_TEST

START_TEST(set_memlock)
{
	Vfiobroker__SetMemlock x = VFIOBROKER__SET_MEMLOCK__INIT;
	MESSAGE(set_memlock, SET_MEMLOCK, &x);

	x.lease = 3;
	x.memlock = 1ULL << 40;
	ck_assert_int_eq(decode_message(&m), 0);
	check_record(MON_SET_MEMLOCK);
	ck_assert_uint_eq(req.record.set_memlock.lease, 3);
	ck_assert_uint_eq(req.record.set_memlock.memlock, 1ULL << 40);
	ck_assert(!req.takes_fd);
	x.has_pidfd = true;
	ck_assert_int_eq(decode_message(&m), 0);
	ck_assert(req.takes_fd);
}
END_TEST

START_TEST(explain)
{
	Vfiobroker__Explain x = VFIOBROKER__EXPLAIN__INIT;
	Vfiobroker__Bdf bdf = VFIOBROKER__BDF__INIT;
	uint32_t gids[33];
	MESSAGE(explain, EXPLAIN, &x);

	bdf.bus = 1;
	bdf.dev = 16;
	x.device = &bdf;
	ck_assert_int_eq(decode_message(&m), 0);
	check_record(MON_EXPLAIN);
	ck_assert_uint_eq(req.record.explain.flags, 0);
	ck_assert_uint_eq(req.record.explain.device.dev, 16);
	for (unsigned i = 0; i < 33; i++)
		gids[i] = i * 0x07ffffff;
	x.memlock = 5;
	x.managed = x.has_user = true;
	x.uid = 0xfffffffe;
	x.n_gids = 33;
	x.gids = gids;
	ck_assert_int_eq(decode_message(&m), 0);
	check_record(MON_EXPLAIN);
	ck_assert_uint_eq(req.record.explain.memlock, 5);
	ck_assert_uint_eq(req.record.explain.flags, MON_EXPLAIN_FLAGS);
	ck_assert_uint_eq(req.record.explain.uid, 0xfffffffe);
	ck_assert_uint_eq(req.record.explain.ngids, 33);
	ck_assert_mem_eq(req.record.explain.gids, gids, sizeof(gids));
}
END_TEST

START_TEST(explain_too_many_gids)
{
	Vfiobroker__Explain x = VFIOBROKER__EXPLAIN__INIT;
	Vfiobroker__Bdf bdf = VFIOBROKER__BDF__INIT;
	uint32_t gids[1000] = { 0 };
	MESSAGE(explain, EXPLAIN, &x);

	x.device = &bdf;
	x.has_user = true;
	x.gids = gids;
	x.n_gids = 34;
	ck_assert_int_eq(decode_message(&m), -EINVAL);
	ck_assert_ptr_nonnull(strstr(req.why, "33"));
	x.n_gids = 1000;
	ck_assert_int_eq(decode_message(&m), -EINVAL);
}
END_TEST

START_TEST(revoke)
{
	Vfiobroker__Revoke x = VFIOBROKER__REVOKE__INIT;
	MESSAGE(revoke, REVOKE, &x);

	x.lease = 6;
	x.grace_ms = UINT32_MAX;
	ck_assert_int_eq(decode_message(&m), 0);
	check_record(MON_REVOKE);
	ck_assert_uint_eq(req.record.revoke.lease, 6);
	ck_assert_uint_eq(req.record.revoke.grace_ms, UINT32_MAX);
}
END_TEST

START_TEST(recover)
{
	Vfiobroker__Recover x = VFIOBROKER__RECOVER__INIT;
	Vfiobroker__Bdf bdf = VFIOBROKER__BDF__INIT;
	MESSAGE(recover, RECOVER, &x);

	x.device = &bdf;
	bdf.fn = 7;
	ck_assert_int_eq(decode_message(&m), 0);
	check_record(MON_RECOVER);
	ck_assert_uint_eq(req.record.recover.device.fn, 7);
}
END_TEST

/* ---- the budget ------------------------------------------------------- */

START_TEST(budget)
{
	ProtobufCAllocator *a = budget_start();
	uint8_t *p = a->alloc(a->allocator_data, 1);
	uint8_t *q = a->alloc(a->allocator_data, 100);

	ck_assert_ptr_nonnull(p);
	ck_assert_ptr_nonnull(q);
	ck_assert_uint_eq((uintptr_t)q % 16, 0);
	ck_assert(q > p);
	ck_assert_ptr_null(a->alloc(a->allocator_data, BUDGET_MAX));
	ck_assert_ptr_null(a->alloc(a->allocator_data, SIZE_MAX));
	ck_assert(budget_spent());
	a = budget_start();
	ck_assert(!budget_spent());
	ck_assert_ptr_eq(a->alloc(a->allocator_data, BUDGET_MAX), p);
	ck_assert_ptr_null(a->alloc(a->allocator_data, 1));
	ck_assert(budget_spent());
	a->free(a->allocator_data, p);
	ck_assert_ptr_null(a->alloc(a->allocator_data, 1));
}
END_TEST

int
main(void)
{
	TCase *tc = tcase_create("decode");
	Suite *s = suite_create("session_decode");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_add_test(tc, hello);
	tcase_add_loop_test(tc, plain, 0, 4);
	tcase_add_test(tc, acquire_least);
	tcase_add_test(tc, acquire_most);
	tcase_add_test(tc, open_group);
	tcase_add_test(tc, open_device);
	tcase_add_test(tc, open_iommufd);
	tcase_add_test(tc, release);
	tcase_add_test(tc, set_memlock);
	tcase_add_test(tc, explain);
	tcase_add_test(tc, explain_too_many_gids);
	tcase_add_test(tc, revoke);
	tcase_add_test(tc, recover);
	tcase_add_test(tc, budget);
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
