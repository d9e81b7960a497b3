/* SPDX-License-Identifier: ISC */
/*
 * The library and the real session, back to back: what the monitor puts into
 * records comes out of the library's structs, for random records; and what
 * the library asks arrives as canonical records.  Needs root, as the session.
 */

#include "broker_peer.h"
#include "records.h"

#include "../../broker/common/monmsg.h"

static const char *
session_path(void)
{
	static char path[512];
	const char *dir = getenv("VFIOBROKER_BUILDDIR");

	snprintf(path, sizeof(path), "%s/vfiobroker-session",
	    dir != NULL ? dir : "build");
	return path;
}

/* ---- the monitor, in the child ---------------------------------------- */

/* Starts a session for the client and returns the monitor's end. */
static int
monitor_start(int clientfd)
{
	int fds[2];

	MUST(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) == 0);
	if (fork() == 0) {
		int nullfd = open("/dev/null", O_RDWR);

		MUST(dup2(nullfd, 0) == 0 && dup2(nullfd, 1) == 1);
		MUST(dup2(fds[1], 3) == 3);
		execl(session_path(), "vfiobroker-session", "64321", "64321",
		    "/proc", NULL);
		_exit(98);
	}
	close(fds[1]);
	MUST(fdpass_send(fds[0], &good_welcome, sizeof(good_welcome), &clientfd,
		 1) == 0);
	close(clientfd);
	return fds[0];
}

static void
monitor_send(int fd, const void *record, size_t len, const int *fds, size_t n)
{
	int r;

	MUST(monmsg_check_answer(record, len));
	while ((r = fdpass_send(fd, record, len, fds, n)) == -EAGAIN)
		usleep(1000);
	MUST(r == 0);
}

static uint32_t
monitor_expect(int fd, uint32_t type, void *record)
{
	uint8_t buf[MON_MAX_SIZE];
	struct mon_header hd;
	ssize_t n = fdpass_recv(fd, buf, sizeof(buf), NULL, NULL, 0);

	MUST(n > 0 && monmsg_check_request(buf, (size_t)n));
	memcpy(&hd, buf, sizeof(hd));
	MUST(hd.type == type);
	if (record != NULL)
		memcpy(record, buf, (size_t)n);
	return hd.seq;
}

static void
monitor_end(int fd, uint32_t seq, uint32_t status)
{
	const struct mon_end m = { { MON_END, seq }, status, 0 };

	monitor_send(fd, &m, sizeof(m), NULL, 0);
}

/* The session dies with the monitor: only go when it has. */
static void
monitor_wait(int fd)
{
	char c;

	MUST(fdpass_recv(fd, &c, 1, NULL, NULL, 0) == 0);
}

/* ---- random records, the same on both sides --------------------------- */

static void
random_text(char *to, size_t size)
{
	size_t n = (size_t)random() % size;

	for (size_t i = 0; i < n; i++)
		to[i] = (char)(' ' + random() % 95);
}

static struct bdf
random_bdf(void)
{
	return (struct bdf){ (uint32_t)random(), (uint8_t)random(),
		(uint8_t)(random() % 32), (uint8_t)(random() % 8), 0 };
}

static struct mon_device
random_device(void)
{
	struct mon_device m = { .h = { MON_DEVICE, 0 } };

	m.bdf = random_bdf();
	m.lease = (uint64_t)random() << 33 | (uint64_t)random();
	m.vendor = (uint16_t)random();
	m.device = (uint16_t)random();
	m.class = (uint32_t)random() & 0xffffff;
	m.group = random() % 3 == 0 ? -1 : (int32_t)random();
	m.numa = (int32_t)(random() % 4) - 1;
	m.state = (uint32_t)random() % STATE_COUNT;
	m.flags = (uint32_t)random() & MON_DEVICE_FLAGS;
	m.owner = random() % 2 == 0 ? UINT32_MAX : (uint32_t)random();
	if ((m.flags & MON_DEVICE_VF) != 0)
		m.pf = random_bdf();
	random_text(m.driver, sizeof(m.driver));
	random_text(m.why, sizeof(m.why));
	return m;
}

static struct mon_lease
random_lease(void)
{
	struct mon_lease m = { .h = { MON_LEASE, 0 } };

	m.id = (uint64_t)random();
	m.since = (uint64_t)random();
	m.memlock = (uint64_t)random() << 32;
	m.uid = (uint32_t)random();
	m.pid = (uint32_t)random();
	m.flags = (uint32_t)random() & 1;
	m.ndevices = (uint32_t)random() % (MON_MAX_DEVICES + 1);
	for (uint32_t i = 0; i < m.ndevices; i++)
		m.devices[i] = random_bdf();
	random_text(m.comm, sizeof(m.comm));
	random_text(m.label, sizeof(m.label));
	return m;
}

static void
finish(void)
{
	vfiobroker_close(h);
	h = NULL;
	broker_finish();
}

/* ---- the tests -------------------------------------------------------- */

#define MANY 300

static void
script_lists(int clientfd)
{
	int fd = monitor_start(clientfd);
	struct mon_device d;
	struct mon_lease l;
	uint32_t seq;

	srandom(7);
	seq = monitor_expect(fd, MON_LIST_DEVICES, NULL);
	for (unsigned i = 0; i < MANY; i++) {
		d = random_device();
		d.h.seq = seq;
		monitor_send(fd, &d, sizeof(d), NULL, 0);
	}
	monitor_end(fd, seq, STATUS_OK);
	seq = monitor_expect(fd, MON_LIST_LEASES, NULL);
	for (unsigned i = 0; i < MANY; i++) {
		l = random_lease();
		l.h.seq = seq;
		monitor_send(fd, &l, sizeof(l), NULL, 0);
	}
	monitor_end(fd, seq, STATUS_OK);
	monitor_wait(fd);
}

static void
check_device(const struct vfiobroker_device *d, const struct mon_device *m)
{
	ck_assert_mem_eq(&d->bdf, &m->bdf, sizeof(m->bdf));
	ck_assert_mem_eq(&d->pf, &m->pf, sizeof(m->pf));
	ck_assert_int_eq(d->is_vf, (m->flags & MON_DEVICE_VF) != 0);
	ck_assert_int_eq(d->is_pf, (m->flags & MON_DEVICE_PF) != 0);
	ck_assert_int_eq(d->is_bridge, (m->flags & MON_DEVICE_BRIDGE) != 0);
	ck_assert_int_eq(d->claimed, (m->flags & MON_DEVICE_CLAIMED) != 0);
	ck_assert_int_eq(d->mine, (m->flags & MON_DEVICE_MINE) != 0);
	ck_assert_int_eq(d->allowed, (m->flags & MON_DEVICE_ALLOWED) != 0);
	ck_assert_uint_eq(d->vendor, m->vendor);
	ck_assert_uint_eq(d->device, m->device);
	ck_assert_uint_eq(d->class_code, m->class);
	ck_assert_int_eq(d->group, m->group);
	ck_assert_int_eq(d->numa, m->numa);
	ck_assert_uint_eq(d->lease, m->lease);
	ck_assert_int_eq(d->has_owner, m->owner != UINT32_MAX);
	ck_assert_uint_eq(d->owner, d->has_owner ? m->owner : 0);
	ck_assert_str_eq(d->state, state_name((enum state)m->state));
	ck_assert_str_eq(d->driver, m->driver);
	ck_assert_str_eq(d->why, m->why);
}

static void
check_lease(const struct vfiobroker_lease *l, const struct mon_lease *m)
{
	ck_assert_uint_eq(l->id, m->id);
	ck_assert_uint_eq(l->uid, m->uid);
	ck_assert_uint_eq((uint32_t)l->pid, m->pid);
	ck_assert_uint_eq((uint64_t)l->since, m->since);
	ck_assert_uint_eq(l->memlock, m->memlock);
	ck_assert_int_eq(l->revoking, m->flags != 0);
	ck_assert_uint_eq(l->ndevices, m->ndevices);
	ck_assert_mem_eq(l->devices, m->devices, sizeof(m->devices));
	ck_assert_str_eq(l->comm, m->comm);
	ck_assert_str_eq(l->label, m->label);
}

START_TEST(lists)
{
	struct vfiobroker_device *d;
	struct vfiobroker_lease *l;
	size_t n;

	open_to(script_lists);
	ck_assert_uint_eq(vfiobroker_welcome(h)->uid, good_welcome.uid);
	srandom(7);
	ck_assert_int_eq(vfiobroker_list_devices(h, &d, &n), 0);
	ck_assert_uint_eq(n, MANY);
	for (size_t i = 0; i < n; i++) {
		struct mon_device m = random_device();

		check_device(&d[i], &m);
	}
	free(d);
	ck_assert_int_eq(vfiobroker_list_leases(h, &l, &n), 0);
	ck_assert_uint_eq(n, MANY);
	for (size_t i = 0; i < n; i++) {
		struct mon_lease m = random_lease();

		check_lease(&l[i], &m);
	}
	free(l);
	finish();
}
END_TEST

static void
script_acquire(int clientfd)
{
	int fd = monitor_start(clientfd), fds[3] = { fd, fd, fd };
	struct mon_acquire m;
	struct mon_grant g = good_grant;

	g.h.seq = monitor_expect(fd, MON_ACQUIRE, &m);
	MUST(m.lease == 77);
	MUST(m.memlock == 1ULL << 40);
	MUST(m.flags == MON_ACQUIRE_UNMANAGED);
	MUST(m.ndevices == 2);
	MUST(m.devices[1].domain == 0xffffffff && m.devices[1].fn == 7);
	MUST(strcmp(m.label, "guest") == 0);
	monitor_send(fd, &g, sizeof(g), fds, 3);
	monitor_end(fd, g.h.seq, STATUS_OK);
	monitor_wait(fd);
}

START_TEST(acquire)
{
	const struct vfiobroker_bdf two[2] = { { 0, 1, 0x10, 2, 0 },
		{ 0xffffffff, 255, 31, 7, 0 } };
	const struct vfiobroker_request want = { .devices = two,
		.ndevices = 2,
		.memlock = 1ULL << 40,
		.lease = 77,
		.label = "guest",
		.unmanaged = true,
		.pidfd = -1 };
	struct vfiobroker_grant *g;

	open_to(script_acquire);
	ck_assert_int_eq(vfiobroker_acquire(h, &want, &g), 0);
	ck_assert_uint_eq(g->lease, good_grant.lease);
	ck_assert_uint_eq(g->memlock, good_grant.memlock);
	ck_assert_uint_eq(g->ngroups, 1);
	ck_assert_int_eq(g->groups[0].group, 26);
	ck_assert_uint_eq(fd_count(), before + 3);
	vfiobroker_grant_free(g);
	ck_assert_uint_eq(fd_count(), before);
	finish();
}
END_TEST

static void
script_texts(int clientfd)
{
	int fd = monitor_start(clientfd);
	struct mon_text m = { .h = { MON_TEXT, 0 } };

	m.h.seq = monitor_expect(fd, MON_SHOW_POLICY, NULL);
	m.kind = MON_TEXT_POLICY;
	/* One line of some 30 KiB, which no single reply holds. */
	memset(m.text, 'x', sizeof(m.text) - 1);
	for (unsigned i = 0; i < 130; i++) {
		m.more = i < 129;
		monitor_send(fd, &m, sizeof(m), NULL, 0);
	}
	monitor_send(fd, &m, sizeof(m), NULL, 0);
	monitor_end(fd, m.h.seq, STATUS_OK);
	monitor_wait(fd);
}

START_TEST(texts)
{
	const struct vfiobroker_text *t;

	open_to(script_texts);
	ck_assert_int_eq(vfiobroker_show_policy(h), 0);
	ck_assert_uint_eq(vfiobroker_texts(h, &t), 2);
	ck_assert_uint_eq(strlen(t[0].text), 130 * (MON_TEXT_MAX - 1));
	ck_assert_uint_eq(strlen(t[1].text), MON_TEXT_MAX - 1);
	finish();
}
END_TEST

static void
script_nothing(int clientfd)
{
	monitor_wait(monitor_start(clientfd));
}

/* What makes no sense the session itself answers, in words. */
START_TEST(nonsense)
{
	const struct vfiobroker_request want = { .pidfd = -1 };
	struct vfiobroker_grant *g;

	open_to(script_nothing);
	ck_assert_int_eq(vfiobroker_acquire(h, &want, &g), VFIOBROKER_INVALID);
	ck_assert_str_eq(vfiobroker_error(h), "no device is named");
	ck_assert_int_eq(vfiobroker_release(h, 0), VFIOBROKER_INVALID);
	ck_assert_str_eq(vfiobroker_error(h), "no lease is named");
	ck_assert_int_eq(
	    vfiobroker_set_memlock(h, 1, 0, -1), VFIOBROKER_INVALID);
	finish();
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("lib_session");
	TCase *tc = tcase_create("session");
	SRunner *sr;
	int failed;

	if (geteuid() != 0 || access(session_path(), X_OK) != 0) {
		printf("lib_session: not root or no %s: skipped\n",
		    session_path());
		return EXIT_SUCCESS;
	}
	tcase_add_checked_fixture(tc, broker_setup, broker_teardown);
	tcase_add_test(tc, lists);
	tcase_add_test(tc, acquire);
	tcase_add_test(tc, texts);
	tcase_add_test(tc, nonsense);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
