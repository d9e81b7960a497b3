/* SPDX-License-Identifier: ISC */
/*
 * Leases by iommufd: what is handed over, what of it can be had once more, and
 * that one lease has its devices by one kind of nodes.
 */

#include "tests/unit/test_mon_ask.h"

static struct session *s;
static struct answer answer;
static struct device *device, *sibling, *other;

static struct device *
ready(unsigned n, int group)
{
	struct device *d = work_device(n, "vfio-pci");

	d->facts.group = group;
	life_settle(d);
	ck_assert_int_eq(d->state, STATE_READY);
	return d;
}

static void
setup(void)
{
	ask_setup("allow uid 1000 use all managed siblings take\n");
	s = ask_session(USER, &answer);
	device = ready(0, 7);
	sibling = ready(1, 7);
	other = ready(2, 8);
}

static void
acquire(struct mon_acquire m)
{
	ask(s, &answer, &m, MON_ACQUIRE);
	answer_wait(&answer);
	while (answer.nfds > 0)
		close(answer.fds[--answer.nfds]);
}

static struct mon_acquire
wish(const struct device *d, uint32_t flags, uint64_t lease)
{
	struct mon_acquire m = { .ndevices = 1,
		.flags = flags,
		.lease = lease,
		.devices = { d->facts.bdf } };

	return m;
}

static void
assert_refused(enum status status, const char *why, const char *fix)
{
	ck_assert_int_eq(answer.status, status);
	ck_assert_uint_eq(answer.nfds, 0);
	ck_assert_msg(strstr(answer.why, why) != NULL, "%s", answer.why);
	ck_assert_msg(strstr(answer.fix, fix) != NULL, "%s", answer.fix);
}

/* One of the group was asked for, the other comes along and is not passed. */
START_TEST(granted)
{
	unsigned before = fds_open();

	acquire(wish(device, MON_ACQUIRE_IOMMUFD, 0));
	ck_assert_int_eq(answer.status, STATUS_OK);
	ck_assert_uint_eq(answer.grant.nfds, 3);
	ck_assert_int_eq(answer.grant.fds[0].kind, MON_FD_IOMMUFD);
	ck_assert_int_eq(answer.grant.fds[1].kind, MON_FD_DEVICE);
	ck_assert_int_eq(
	    bdf_cmp(&answer.grant.fds[1].device, &device->facts.bdf), 0);
	ck_assert_int_eq(answer.grant.fds[2].kind, MON_FD_LEASE);
	ck_assert(device->record.cdev);
	ck_assert_ptr_eq(sibling->lease, device->lease);
	ck_assert(!sibling->record.cdev);
	ck_assert(device->record.rebind && sibling->record.rebind);
	ck_assert(device->lease->iommufd);
	ck_assert_uint_eq(fds_open(), before + 1); /* to try the lock with */
}
END_TEST

/* A group can be put on an iommufd, and then no open of it proves anything. */
START_TEST(proof_by_rebind)
{
	vfio.has_iommufd = _i != 0;
	acquire(wish(device, 0, 0));
	ck_assert_int_eq(answer.status, STATUS_OK);
	ck_assert(!device->record.cdev);
	ck_assert_int_eq(device->record.rebind, vfio.has_iommufd);
	ck_assert_int_eq(sibling->record.rebind, vfio.has_iommufd);
}
END_TEST

static const struct {
	int iommufd, group, cdev;
	enum status status;
	const char *why, *fix;
} failures[] = {
	{ -ENODEV, 0, 0, STATUS_UNAVAILABLE, "/dev/iommu", "CONFIG_IOMMUFD" },
	{ -EPERM, 0, 0, STATUS_UNAVAILABLE, "/dev/iommu", "DeviceAllow=" },
	{ 0, 0, -ENODEV, STATUS_UNAVAILABLE, "no cdev for 0000:01:00.0",
	    "CONFIG_VFIO_DEVICE_CDEV" },
	{ 0, 0, -EIO, STATUS_OS, "the cdev of 0000:01:00.0: Input/output",
	    "dmesg" },
	{ 0, -EBUSY, 0, STATUS_BUSY, "group 7 is open", "fuser" },
	{ 0, -EADDRINUSE, 0, STATUS_GROUP, "group 7 is not viable", "unbind" },
};

START_TEST(does_not_open)
{
	unsigned before = fds_open();

	vfio.iommufd = failures[_i].iommufd;
	vfio.group = failures[_i].group;
	vfio.cdev = failures[_i].cdev;
	acquire(wish(device, MON_ACQUIRE_IOMMUFD, 0));
	assert_refused(failures[_i].status, failures[_i].why, failures[_i].fix);
	ck_assert_ptr_null(device->lease);
	ck_assert_uint_eq(fds_open(), before);
}
END_TEST

/* A kernel that has no nodes of groups has nobody who holds one. */
START_TEST(without_groups)
{
	vfio.group = -ENODEV;
	acquire(wish(device, MON_ACQUIRE_IOMMUFD, 0));
	ck_assert_int_eq(answer.status, STATUS_OK);
}
END_TEST

START_TEST(extended)
{
	uint32_t has = _i % 2 == 0 ? MON_ACQUIRE_IOMMUFD : 0;
	uint32_t wants = _i / 2 == 0 ? MON_ACQUIRE_IOMMUFD : 0;

	acquire(wish(device, has, 0));
	ck_assert_int_eq(answer.status, STATUS_OK);
	acquire(wish(other, wants, device->lease->id));
	if (has == wants) {
		ck_assert_int_eq(answer.status, STATUS_OK);
		ck_assert_ptr_eq(other->lease, device->lease);
	} else {
		assert_refused(STATUS_INVALID,
		    has ? "by iommufd" : "by container and groups",
		    has ? "with iommufd" : "without iommufd");
		ck_assert_ptr_null(other->lease);
	}
}
END_TEST

static void
open_device(uint64_t lease, const struct device *d)
{
	struct mon_open_device m = { .lease = lease, .device = d->facts.bdf };

	ask(s, &answer, &m, MON_OPEN_DEVICE);
	answer_wait(&answer);
}

static void
open_iommufd(uint64_t lease)
{
	struct mon_open_iommufd m = { .lease = lease };

	ask(s, &answer, &m, MON_OPEN_IOMMUFD);
	answer_wait(&answer);
}

static void
assert_one_fd(enum mon_fd_kind kind)
{
	ck_assert_int_eq(answer.status, STATUS_OK);
	ck_assert_uint_eq(answer.nfds, 1);
	ck_assert_uint_eq(answer.grant.nfds, 1);
	ck_assert_int_eq(answer.grant.fds[0].kind, kind);
	close(answer.fds[0]);
}

START_TEST(once_more)
{
	uint64_t lease;

	acquire(wish(device, MON_ACQUIRE_IOMMUFD, 0));
	lease = device->lease->id;
	open_device(lease, device);
	assert_one_fd(MON_FD_DEVICE);
	ck_assert_int_eq(
	    bdf_cmp(&answer.grant.fds[0].device, &device->facts.bdf), 0);
	open_iommufd(lease);
	assert_one_fd(MON_FD_IOMMUFD);
	/* What the policy did not give him, it did not give him. */
	open_device(lease, sibling);
	assert_refused(STATUS_DENIED, "no cdev of 0000:01:00.1", "ask for");
	open_device(lease, other);
	assert_refused(STATUS_DENIED, "no cdev of 0000:01:00.2", "ask for");
	vfio.cdev = vfio.iommufd = -EIO;
	open_device(lease, device);
	assert_refused(STATUS_OS, "cannot open 0000:01:00.0", "dmesg");
	open_iommufd(lease);
	assert_refused(STATUS_OS, "cannot open /dev/iommu", "dmesg");
}
END_TEST

/* A group's node would give the sibling, too. */
START_TEST(no_group)
{
	struct mon_open_group m = { .group = 7 };

	acquire(wish(device, MON_ACQUIRE_IOMMUFD, 0));
	m.lease = device->lease->id;
	ask(s, &answer, &m, MON_OPEN_GROUP);
	answer_wait(&answer);
	assert_refused(STATUS_DENIED, "by iommufd", "their own nodes");
}
END_TEST

/* Of another's lease, of one that is over, and of one by groups. */
START_TEST(not_once_more)
{
	struct answer stranger;
	struct session *mine = s, *his = ask_session(OTHER, &stranger);
	int out = answer.fd;
	uint64_t lease;

	acquire(wish(device, _i == 2 ? 0 : MON_ACQUIRE_IOMMUFD, 0));
	lease = device->lease->id;
	if (_i == 0) {
		s = his;
		answer.fd = stranger.fd;
	} else if (_i == 1) {
		lease_end(device->lease, "over");
	}
	open_device(lease, device);
	assert_refused(_i == 2 ? STATUS_DENIED : STATUS_NOT_FOUND, "lease ",
	    _i == 2 ? "ask for" : "");
	open_iommufd(lease);
	assert_refused(_i == 2 ? STATUS_DENIED : STATUS_NOT_FOUND, "lease ",
	    _i == 2 ? "ask for" : "");
	s = mine;
	answer.fd = out;
}
END_TEST

int
main(void)
{
	TCase *tc = tcase_create("cdev");
	Suite *suite = suite_create("cdev");

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, setup, work_teardown);
	tcase_add_test(tc, granted);
	tcase_add_loop_test(
	    tc, does_not_open, 0, sizeof(failures) / sizeof(failures[0]));
	tcase_add_loop_test(tc, proof_by_rebind, 0, 2);
	tcase_add_test(tc, without_groups);
	tcase_add_loop_test(tc, extended, 0, 4);
	tcase_add_test(tc, once_more);
	tcase_add_test(tc, no_group);
	tcase_add_loop_test(tc, not_once_more, 0, 3);
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
