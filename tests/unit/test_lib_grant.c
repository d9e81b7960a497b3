/* SPDX-License-Identifier: ISC */
/*
 * Grants: fds arrive close-on-exec where they belong, and are closed wherever a
 * grant is wrong; and the requests that are answered by a status alone.
 */

#include <sys/resource.h>

#include "broker_peer.h"

static const struct vfiobroker_bdf bdf = { 0, 1, 0x10, 2, 0 };

static struct {
	unsigned nfds; /* sent */
	unsigned nkinds; /* announced */
	struct {
		int kind, group;
		unsigned fn; /* of the device, with kind DEVICE; from 1 */
	} fds[20];
	uint64_t lease;
	int status;
	bool twice;
	bool none;
} offer;

static void
send_offer(int fd, uint32_t id)
{
	Vfiobroker__Reply reply;
	Vfiobroker__Grant g;
	Vfiobroker__Fd f[20], *list[20];
	Vfiobroker__Bdf b[20];
	int fds[20];

	vfiobroker__reply__init(&reply);
	vfiobroker__grant__init(&g);
	for (unsigned i = 0; i < 20; i++) {
		vfiobroker__fd__init(&f[i]);
		f[i].kind = (Vfiobroker__Fd__Kind)offer.fds[i].kind;
		f[i].group = offer.fds[i].group;
		vfiobroker__bdf__init(&b[i]);
		b[i].bus = 1;
		b[i].dev = 0x10;
		b[i].fn = offer.fds[i].fn;
		f[i].device = b[i].fn > 0 ? &b[i] : NULL;
		list[i] = &f[i];
		fds[i] = fd;
	}
	g.lease = offer.lease;
	g.memlock = 1 << 20;
	g.n_fds = offer.nkinds;
	g.fds = list;
	reply.id = id;
	reply.more = true;
	reply.body_case = VFIOBROKER__REPLY__BODY_GRANT;
	reply.grant = &g;
	for (int i = offer.none; i < (offer.twice ? 2 : 1); i++)
		broker_send(fd, &reply, fds, offer.nfds);
	broker_end(fd, id, offer.status);
}

static void
script_grant(int fd)
{
	Vfiobroker__Request *req;
	const Vfiobroker__Acquire *a;
	int fds[1];
	size_t n = 1;

	broker_welcome(fd);
	req = broker_recv(fd, fds, &n);
	MUST(req->op_case == VFIOBROKER__REQUEST__OP_ACQUIRE);
	a = req->acquire;
	MUST(a->n_devices == 2);
	MUST(a->devices[0]->bus == 1 && a->devices[0]->dev == 16 &&
	     a->devices[0]->fn == 2 && a->devices[0]->domain == 0);
	MUST(a->devices[1]->domain == 0xffffffff);
	MUST(a->memlock == 1ULL << 34);
	MUST(a->lease == 0);
	MUST(strcmp(a->label, "guest") == 0);
	MUST(a->no_wait);
	MUST(!a->unmanaged);
	MUST(a->has_pidfd == (n == 1));
	send_offer(fd, req->id);
	vfiobroker__request__free_unpacked(req, NULL);
}

static int
acquire(struct vfiobroker_grant **g, int pidfd)
{
	const struct vfiobroker_bdf two[2] = { bdf,
		{ 0xffffffff, 255, 31, 7, 0 } };
	const struct vfiobroker_request want = { .devices = two,
		.ndevices = 2,
		.memlock = 1ULL << 34,
		.label = "guest",
		.no_wait = true,
		.pidfd = pidfd };

	return vfiobroker_acquire(h, &want, g);
}

static void
offer_usual(void)
{
	memset(&offer, 0, sizeof(offer));
	offer.lease = 5;
	offer.nfds = offer.nkinds = 4;
	offer.fds[0].kind = VFIOBROKER__FD__KIND__LEASE;
	offer.fds[0].group = -1;
	offer.fds[1].kind = VFIOBROKER__FD__KIND__CONTAINER;
	offer.fds[1].group = -1;
	offer.fds[2].kind = VFIOBROKER__FD__KIND__GROUP;
	offer.fds[2].group = 26;
	offer.fds[3].kind = VFIOBROKER__FD__KIND__GROUP;
	offer.fds[3].group = 0;
}

static bool
cloexec(int fd)
{
	return fcntl(fd, F_GETFD) == FD_CLOEXEC;
}

START_TEST(granted)
{
	struct vfiobroker_grant *g;
	int kept;

	offer_usual();
	open_to(script_grant);
	ck_assert_int_eq(acquire(&g, _i == 0 ? -1 : STDERR_FILENO), 0);
	ck_assert_uint_eq(g->lease, 5);
	ck_assert_uint_eq(g->memlock, 1 << 20);
	ck_assert(cloexec(g->leasefd));
	ck_assert(cloexec(g->containerfd));
	ck_assert_uint_eq(g->ngroups, 2);
	ck_assert_int_eq(g->groups[0].group, 26);
	ck_assert_int_eq(g->groups[1].group, 0);
	ck_assert(cloexec(g->groups[0].fd));
	ck_assert(cloexec(g->groups[1].fd));
	ck_assert_uint_eq(fd_count(), before + 4);
	kept = g->groups[0].fd;
	g->groups[0].fd = -1;
	vfiobroker_grant_free(g);
	ck_assert_uint_eq(fd_count(), before + 1);
	close(kept);
	broker_finish();
}
END_TEST

START_TEST(granted_cdevs)
{
	struct vfiobroker_grant *g;

	offer_usual();
	offer.fds[1].kind = VFIOBROKER__FD__KIND__IOMMUFD;
	for (int i = 2; i < 4; i++) {
		offer.fds[i].kind = VFIOBROKER__FD__KIND__DEVICE;
		offer.fds[i].fn = (unsigned)i;
	}
	open_to(script_grant);
	ck_assert_int_eq(acquire(&g, -1), 0);
	ck_assert(cloexec(g->leasefd));
	ck_assert(cloexec(g->iommufd));
	ck_assert_int_eq(g->containerfd, -1);
	ck_assert_uint_eq(g->ngroups, 0);
	ck_assert_uint_eq(g->ncdevs, 2);
	for (uint8_t i = 0; i < 2; i++) {
		ck_assert_uint_eq(g->cdevs[i].device.bus, 1);
		ck_assert_uint_eq(g->cdevs[i].device.fn, i + 2U);
		ck_assert(cloexec(g->cdevs[i].fd));
	}
	vfiobroker_grant_free(g);
	ck_assert_uint_eq(fd_count(), before);
}
END_TEST

START_TEST(granted_most)
{
	struct vfiobroker_grant *g;

	offer_usual();
	offer.nfds = offer.nkinds = 18;
	for (int i = 2; i < 18; i++) {
		offer.fds[i].kind = VFIOBROKER__FD__KIND__GROUP;
		offer.fds[i].group = i;
	}
	open_to(script_grant);
	ck_assert_int_eq(acquire(&g, -1), 0);
	ck_assert_uint_eq(g->ngroups, 16);
	ck_assert_uint_eq(fd_count(), before + 18);
	vfiobroker_grant_free(g);
	ck_assert_uint_eq(fd_count(), before);
}
END_TEST

/* Devices added to a lease: neither its fd nor the container come again. */
START_TEST(granted_groups_only)
{
	struct vfiobroker_grant *g;

	offer_usual();
	offer.nfds = offer.nkinds = 1;
	offer.fds[0].kind = VFIOBROKER__FD__KIND__GROUP;
	offer.fds[0].group = 3;
	open_to(script_grant);
	ck_assert_int_eq(acquire(&g, -1), 0);
	ck_assert_int_eq(g->leasefd, -1);
	ck_assert_int_eq(g->containerfd, -1);
	ck_assert_uint_eq(g->ngroups, 1);
	vfiobroker_grant_free(g);
	ck_assert_uint_eq(fd_count(), before);
}
END_TEST

enum grant_error {
	FEWER_FDS,
	MORE_FDS,
	TWO_LEASES,
	TWO_CONTAINERS,
	A_SIXTH_KIND,
	CDEV_OF_NONE,
	TWO_IOMMUFDS,
	NO_KIND,
	GROUP_MINUS_1,
	SEVENTEEN_GROUPS,
	LEASE_0,
	TWO_GRANTS,
	NO_GRANT,
	TOO_MANY_TO_OPEN,
	REFUSED_AFTERWARDS,
	GRANT_ERRORS,
};

static void
offer_wrong(enum grant_error e)
{
	offer_usual();
	switch (e) {
	case FEWER_FDS:
		offer.nfds = 3;
		break;
	case MORE_FDS:
		offer.nfds = 5;
		break;
	case TWO_LEASES:
		offer.fds[1].kind = VFIOBROKER__FD__KIND__LEASE;
		break;
	case TWO_CONTAINERS:
		offer.fds[0].kind = VFIOBROKER__FD__KIND__CONTAINER;
		break;
	case A_SIXTH_KIND:
		offer.fds[3].kind = 6;
		break;
	case CDEV_OF_NONE:
		offer.fds[3].kind = VFIOBROKER__FD__KIND__DEVICE;
		break;
	case TWO_IOMMUFDS:
		offer.fds[0].kind = VFIOBROKER__FD__KIND__IOMMUFD;
		offer.fds[1].kind = VFIOBROKER__FD__KIND__IOMMUFD;
		break;
	case NO_KIND:
		offer.fds[3].kind = 0;
		break;
	case GROUP_MINUS_1:
		offer.fds[3].group = -1;
		break;
	case SEVENTEEN_GROUPS:
		offer.nfds = offer.nkinds = 17;
		for (int i = 0; i < 17; i++)
			offer.fds[i].kind = VFIOBROKER__FD__KIND__GROUP;
		offer.fds[0].group = offer.fds[1].group = 9;
		break;
	case LEASE_0:
		offer.lease = 0;
		break;
	case TWO_GRANTS:
		offer.twice = true;
		offer.nfds = offer.nkinds = 1;
		offer.fds[0].kind = VFIOBROKER__FD__KIND__GROUP;
		offer.fds[0].group = 26;
		break;
	case NO_GRANT:
		offer.none = true;
		break;
	case REFUSED_AFTERWARDS:
		offer.status = VFIOBROKER_OS;
		break;
	case TOO_MANY_TO_OPEN:
	case GRANT_ERRORS:
		break;
	}
}

START_TEST(grant_wrong)
{
	struct vfiobroker_grant *g = (void *)&g;
	struct rlimit rl, low;
	int want = _i == REFUSED_AFTERWARDS ? VFIOBROKER_OS : -EPROTO;

	offer_wrong((enum grant_error)_i);
	open_to(script_grant);
	if (_i == TOO_MANY_TO_OPEN) {
		ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &rl), 0);
		low = rl;
		low.rlim_cur = (rlim_t)vfiobroker_fd(h) + 3;
		ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &low), 0);
	}
	ck_assert_int_eq(acquire(&g, -1), want);
	if (_i == TOO_MANY_TO_OPEN)
		ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &rl), 0);
	ck_assert_ptr_null(g);
	ck_assert_uint_eq(fd_count(), before - (want < 0));
}
END_TEST

START_TEST(too_many_devices)
{
	const struct vfiobroker_bdf many[17] = { bdf };
	const struct vfiobroker_request want = {
		.devices = many, .ndevices = 17, .pidfd = -1
	};
	struct vfiobroker_grant *g;

	open_to(broker_welcome);
	ck_assert_int_eq(vfiobroker_acquire(h, &want, &g), -EINVAL);
	ck_assert_str_eq(
	    vfiobroker_error(h), "a lease has room for 16 devices, not for 17");
	ck_assert_int_ge(vfiobroker_fd(h), 0);
}
END_TEST

static void
script_open_group(int fd)
{
	Vfiobroker__Request *req;

	broker_welcome(fd);
	req = broker_recv(fd, NULL, NULL);
	MUST(req->op_case == VFIOBROKER__REQUEST__OP_OPEN_GROUP);
	MUST(req->open_group->lease == 5);
	MUST(req->open_group->group == 26);
	send_offer(fd, req->id);
	vfiobroker__request__free_unpacked(req, NULL);
}

START_TEST(open_group)
{
	int fd = -7, containerfd = -7;

	offer_usual();
	offer.nfds = offer.nkinds = _i == 1 || _i == 4 ? 2 : 1;
	offer.fds[0].kind = offer.fds[1].kind = VFIOBROKER__FD__KIND__GROUP;
	if (_i == 4)
		offer.fds[1].kind = VFIOBROKER__FD__KIND__CONTAINER;
	offer.fds[0].group = _i == 2 ? 27 : 26;
	offer.fds[1].group = 26;
	offer.status = _i == 3 ? VFIOBROKER_BUSY : 0;
	open_to(script_open_group);
	if (_i == 0 || _i == 4) {
		ck_assert_int_eq(
		    vfiobroker_open_group(h, 5, 26, &fd, &containerfd), 0);
		ck_assert(cloexec(fd));
		ck_assert(_i == 0 ? containerfd == -1 : cloexec(containerfd));
		ck_assert_uint_eq(fd_count(), before + 1 + (_i == 4));
		close(fd);
		if (_i == 4)
			close(containerfd);
		return;
	}
	ck_assert_int_eq(vfiobroker_open_group(h, 5, 26, &fd, &containerfd),
	    _i == 3 ? VFIOBROKER_BUSY : -EPROTO);
	ck_assert_int_eq(fd, -1);
	ck_assert_int_eq(containerfd, -1);
	ck_assert_uint_eq(fd_count(), before - (_i != 3));
}
END_TEST

static void
script_open_device(int fd)
{
	Vfiobroker__Request *req;

	broker_welcome(fd);
	req = broker_recv(fd, NULL, NULL);
	if (req->op_case == VFIOBROKER__REQUEST__OP_OPEN_DEVICE) {
		MUST(req->open_device->lease == 5);
		MUST(req->open_device->device->dev == 0x10);
		MUST(req->open_device->device->fn == 2);
	} else {
		MUST(req->op_case == VFIOBROKER__REQUEST__OP_OPEN_IOMMUFD);
		MUST(req->open_iommufd->lease == 5);
	}
	send_offer(fd, req->id);
	vfiobroker__request__free_unpacked(req, NULL);
}

static const struct {
	int kind;
	unsigned fn, nfds;
	int status, result;
} devices[] = {
	{ VFIOBROKER__FD__KIND__DEVICE, 2, 1, 0, 0 },
	{ VFIOBROKER__FD__KIND__DEVICE, 3, 1, 0, -EPROTO }, /* another */
	{ VFIOBROKER__FD__KIND__DEVICE, 2, 2, 0, -EPROTO },
	{ VFIOBROKER__FD__KIND__IOMMUFD, 0, 1, 0, -EPROTO },
	{ VFIOBROKER__FD__KIND__DEVICE, 2, 1, VFIOBROKER_DENIED,
	    VFIOBROKER_DENIED },
};

static void
offer_alone(int kind, unsigned fn, unsigned nfds, int status)
{
	memset(&offer, 0, sizeof(offer));
	offer.lease = 5;
	offer.nfds = offer.nkinds = nfds;
	for (unsigned i = 0; i < nfds; i++) {
		offer.fds[i].kind = kind;
		offer.fds[i].group = -1;
		offer.fds[i].fn = fn;
	}
	offer.status = status;
	open_to(script_open_device);
}

START_TEST(open_device)
{
	int want = devices[_i].result, fd = -7;

	offer_alone(devices[_i].kind, devices[_i].fn, devices[_i].nfds,
	    devices[_i].status);
	ck_assert_int_eq(vfiobroker_open_device(h, 5, &bdf, &fd), want);
	ck_assert(want == 0 ? cloexec(fd) : fd == -1);
	ck_assert_uint_eq(fd_count(), before + (want == 0) - (want < 0));
}
END_TEST

START_TEST(open_iommufd)
{
	int kind = _i == 0 ? VFIOBROKER__FD__KIND__IOMMUFD
			   : VFIOBROKER__FD__KIND__CONTAINER;
	int fd = -7;

	offer_alone(kind, 0, 1, 0);
	ck_assert_int_eq(
	    vfiobroker_open_iommufd(h, 5, &fd), _i == 0 ? 0 : -EPROTO);
	ck_assert(_i == 0 ? cloexec(fd) : fd == -1);
	ck_assert_uint_eq(fd_count(), before + (_i == 0) - (_i != 0));
}
END_TEST

START_TEST(open_no_group)
{
	int fd, containerfd;

	open_to(broker_welcome);
	ck_assert_int_eq(
	    vfiobroker_open_group(h, 5, -1, &fd, &containerfd), -EINVAL);
	ck_assert_int_eq(fd, -1);
}
END_TEST

/* ---- small requests --------------------------------------------------- */

static void
script_small(int fd)
{
	Vfiobroker__Request *req;
	int fds[1];
	size_t n = 1;

	broker_welcome(fd);
	req = broker_recv(fd, NULL, NULL);
	MUST(req->op_case == VFIOBROKER__REQUEST__OP_RELEASE);
	MUST(req->release->lease == 5);
	broker_end(fd, req->id, 0);
	req = broker_recv(fd, NULL, NULL);
	MUST(req->op_case == VFIOBROKER__REQUEST__OP_SET_MEMLOCK);
	MUST(req->set_memlock->lease == 6);
	MUST(req->set_memlock->memlock == 7);
	MUST(!req->set_memlock->has_pidfd);
	broker_end(fd, req->id, 0);
	req = broker_recv(fd, fds, &n);
	MUST(req->op_case == VFIOBROKER__REQUEST__OP_SET_MEMLOCK);
	MUST(req->set_memlock->has_pidfd);
	MUST(n == 1);
	broker_end(fd, req->id, 0);
	req = broker_recv(fd, NULL, NULL);
	MUST(req->op_case == VFIOBROKER__REQUEST__OP_REVOKE);
	MUST(req->revoke->lease == 8);
	MUST(req->revoke->grace_ms == 3000);
	broker_end(fd, req->id, 0);
	req = broker_recv(fd, NULL, NULL);
	MUST(req->op_case == VFIOBROKER__REQUEST__OP_RECOVER);
	MUST(req->recover->device->dev == 16);
	broker_end(fd, req->id, 0);
}

START_TEST(small)
{
	open_to(script_small);
	ck_assert_int_eq(vfiobroker_release(h, 5), 0);
	ck_assert_int_eq(vfiobroker_set_memlock(h, 6, 7, -1), 0);
	ck_assert_int_eq(vfiobroker_set_memlock(h, 6, 7, STDERR_FILENO), 0);
	ck_assert_int_eq(vfiobroker_revoke(h, 8, 3000), 0);
	ck_assert_int_eq(vfiobroker_recover(h, &bdf), 0);
	broker_finish();
}
END_TEST

static void
script_items_unasked(int fd)
{
	broker_welcome(fd);
	offer_usual();
	offer.nfds = offer.nkinds = 1;
	send_offer(fd, broker_expect(fd, VFIOBROKER__REQUEST__OP_RELEASE));
}

START_TEST(items_unasked)
{
	open_to(script_items_unasked);
	ck_assert_int_eq(vfiobroker_release(h, 5), -EPROTO);
	ck_assert_uint_eq(fd_count(), before - 1);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("lib_grant");
	TCase *tc = tcase_create("grant");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_add_checked_fixture(tc, broker_setup, broker_teardown);
	tcase_add_loop_test(tc, granted, 0, 2);
	tcase_add_test(tc, granted_cdevs);
	tcase_add_test(tc, granted_most);
	tcase_add_test(tc, granted_groups_only);
	tcase_add_loop_test(tc, grant_wrong, 0, GRANT_ERRORS);
	tcase_add_test(tc, too_many_devices);
	tcase_add_loop_test(tc, open_group, 0, 5);
	tcase_add_loop_test(
	    tc, open_device, 0, sizeof(devices) / sizeof(devices[0]));
	tcase_add_loop_test(tc, open_iommufd, 0, 2);
	tcase_add_test(tc, open_no_group);
	tcase_add_test(tc, small);
	tcase_add_test(tc, items_unasked);
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
