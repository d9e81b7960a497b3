/* SPDX-License-Identifier: ISC */
/*
 * The session's loop against a monitor and a client that a script plays:
 * requests and answers, fds, events, and a client that does not read.
 */

#include "session_peer.h"

static unsigned
fd_count(pid_t pid)
{
	char path[64];
	DIR *d;
	unsigned n = 0;

	snprintf(path, sizeof(path), "/proc/%d/fd", pid);
	d = opendir(path);
	ck_assert_ptr_nonnull(d);
	while (readdir(d) != NULL)
		n++;
	closedir(d);
	return n;
}

START_TEST(hello)
{
	client_hello();
	client_hello();
}
END_TEST

START_TEST(list)
{
	struct mon_device m = good_device;
	Vfiobroker__Reply *r;

	client_send(BYTES(LIST), NULL, 0);
	m.h.seq = monitor_expect(MON_LIST_DEVICES, NULL, NULL, NULL);
	for (uint8_t i = 0; i < 3; i++) {
		m.bdf.fn = i;
		monitor_send(&m, NULL, 0);
		r = client_recv(NULL, NULL);
		ck_assert_uint_eq(r->id, 7);
		ck_assert(r->more);
		ck_assert_uint_eq(r->device->bdf->fn, i);
		reply_free(r);
	}
	monitor_end(m.h.seq, STATUS_OK);
	client_expect_end(7, STATUS_OK);
}
END_TEST

START_TEST(seq_and_id)
{
	uint32_t first, second;

	client_send(BYTES("\x08\xff\xff\xff\xff\x0f\x1a\0"), NULL, 0);
	first = monitor_expect(MON_LIST_DEVICES, NULL, NULL, NULL);
	monitor_end(first, STATUS_BUSY);
	client_expect_end(UINT32_MAX, STATUS_BUSY);
	/* The client's ids are its own affair; ours never repeat. */
	client_send(BYTES("\x08\xff\xff\xff\xff\x0f\x22\0"), NULL, 0);
	second = monitor_expect(MON_LIST_LEASES, NULL, NULL, NULL);
	ck_assert_uint_ne(first, second);
	ck_assert_uint_ne(second, 0);
	monitor_end(second, STATUS_OK);
	client_expect_end(UINT32_MAX, STATUS_OK);
}
END_TEST

START_TEST(acquire)
{
	struct mon_acquire m;
	struct mon_grant g = good_grant;
	struct stat st;
	int files[3], fds[4];
	size_t n = 4;
	unsigned before;
	Vfiobroker__Reply *r;

	for (int i = 0; i < 3; i++) {
		files[i] = open(i == 0   ? "/dev/null"
				: i == 1 ? "/dev/zero"
					 : "/dev/full",
		    O_RDONLY | O_CLOEXEC);
		ck_assert_int_ge(files[i], 0);
	}
	client_hello();
	before = fd_count(session);
	client_send(BYTES("\x08\x07\x2a\x06\x0a\x04\x10\x01\x18\x10"), NULL, 0);
	g.h.seq = monitor_expect(MON_ACQUIRE, &m, NULL, NULL);
	ck_assert_uint_eq(m.ndevices, 1);
	ck_assert_uint_eq(m.devices[0].dev, 0x10);
	monitor_send(&g, files, 3);
	r = client_recv(fds, &n);
	ck_assert_uint_eq(n, 3);
	ck_assert(r->more);
	ck_assert_uint_eq(r->grant->n_fds, 3);
	reply_free(r);
	for (int i = 0; i < 3; i++) {
		struct stat want;

		ck_assert_int_eq(fstat(fds[i], &st), 0);
		ck_assert_int_eq(fstat(files[i], &want), 0);
		ck_assert_uint_eq(st.st_rdev, want.st_rdev);
		close(fds[i]);
		close(files[i]);
	}
	monitor_end(g.h.seq, STATUS_OK);
	client_expect_end(7, STATUS_OK);
	ck_assert_uint_eq(fd_count(session), before);
}
END_TEST

START_TEST(most_fds)
{
	struct mon_grant g = good_grant;
	int files[MON_MAX_FDS], fds[MON_MAX_FDS + 1];
	size_t n = MON_MAX_FDS + 1;

	client_send(BYTES("\x08\x07\x2a\x02\x0a\0"), NULL, 0);
	g.h.seq = monitor_expect(MON_ACQUIRE, NULL, NULL, NULL);
	g.nfds = MON_MAX_FDS;
	for (int i = 0; i < MON_MAX_FDS; i++) {
		files[i] = monfd;
		g.fds[i].kind = MON_FD_GROUP;
		g.fds[i].group = i;
	}
	monitor_send(&g, files, MON_MAX_FDS);
	reply_free(client_recv(fds, &n));
	ck_assert_uint_eq(n, MON_MAX_FDS);
}
END_TEST

START_TEST(pidfd)
{
	int files[1] = { (int)syscall(SYS_pidfd_open, getpid(), 0) }, fds[2];
	size_t n = 2;
	unsigned before;
	uint32_t seq;

	ck_assert_int_ge(files[0], 0);
	client_hello();
	before = fd_count(session);
	client_send(BYTES(ACQUIRE_PIDFD), files, 1);
	seq = monitor_expect(MON_ACQUIRE, NULL, fds, &n);
	ck_assert_uint_eq(n, 1);
	monitor_end(seq, STATUS_OK);
	client_expect_end(7, STATUS_OK);
	ck_assert_uint_eq(fd_count(session), before);
}
END_TEST

START_TEST(refusal)
{
	Vfiobroker__Reply *r;
	uint32_t seq;

	client_send(BYTES(LIST), NULL, 0);
	seq = monitor_expect(MON_LIST_DEVICES, NULL, NULL, NULL);
	monitor_text(seq, MON_TEXT_WHY, "a sentence in ", 1);
	monitor_text(seq, MON_TEXT_WHY, "two pieces", 0);
	monitor_text(seq, MON_TEXT_FIX, "do this", 0);
	ck_assert(!readable(clientfd, 100));
	monitor_end(seq, STATUS_DENIED);
	r = client_recv(NULL, NULL);
	ck_assert(!r->more);
	ck_assert_int_eq((int)r->status, STATUS_DENIED);
	ck_assert_uint_eq(r->n_texts, 2);
	ck_assert_str_eq(r->texts[0]->text, "a sentence in two pieces");
	ck_assert_str_eq(r->texts[1]->text, "do this");
	ck_assert_int_eq(r->texts[1]->kind, VFIOBROKER__TEXT__KIND__FIX);
	reply_free(r);
	/* Nothing of it is left for the next answer. */
	client_send(BYTES(LIST), NULL, 0);
	seq = monitor_expect(MON_LIST_DEVICES, NULL, NULL, NULL);
	monitor_end(seq, STATUS_OK);
	r = client_recv(NULL, NULL);
	ck_assert_uint_eq(r->n_texts, 0);
	reply_free(r);
}
END_TEST

static void
policy_line(char line[MON_TEXT_MAX], unsigned i)
{
	snprintf(line, MON_TEXT_MAX, "allow uid %u use %0120u", i, i);
}

/* Reads one reply of a policy; false when it was the last. */
static bool
policy_reply(unsigned *got)
{
	Vfiobroker__Reply *r = client_recv(NULL, NULL);
	char want[MON_TEXT_MAX];
	bool more = r->more;

	for (size_t i = 0; i < r->n_texts; i++) {
		policy_line(want, (*got)++);
		ck_assert_str_eq(r->texts[i]->text, want);
	}
	reply_free(r);
	return more;
}

START_TEST(long_policy)
{
	char line[MON_TEXT_MAX];
	unsigned got = 0, replies = 1;
	uint32_t seq;

	client_send(BYTES("\x08\x07\x52\0"), NULL, 0);
	seq = monitor_expect(MON_SHOW_POLICY, NULL, NULL, NULL);
	for (unsigned i = 0; i < 500; i++) {
		policy_line(line, i);
		monitor_text(seq, MON_TEXT_POLICY, line, 0);
		if (i % 100 != 99)
			continue;
		ck_assert(policy_reply(&got));
		replies++;
	}
	monitor_end(seq, STATUS_OK);
	while (policy_reply(&got))
		replies++;
	ck_assert_uint_eq(got, 500);
	ck_assert_uint_gt(replies, 5);
}
END_TEST

START_TEST(nonsense_is_answered)
{
	Vfiobroker__Reply *r;

	client_send(BYTES("\x08\x07\x2a\0"), NULL, 0);
	r = client_recv(NULL, NULL);
	ck_assert_uint_eq(r->id, 7);
	ck_assert(!r->more);
	ck_assert_int_eq((int)r->status, STATUS_INVALID);
	ck_assert_uint_eq(r->n_texts, 1);
	ck_assert_int_eq(r->texts[0]->kind, VFIOBROKER__TEXT__KIND__WHY);
	ck_assert_str_eq(r->texts[0]->text, "no device is named");
	reply_free(r);
	ck_assert(!readable(monfd, 50));
	client_hello();
}
END_TEST

/* A refused request's fd is closed all the same. */
START_TEST(nonsense_with_an_fd)
{
	int files[1] = { monfd };
	unsigned before;

	client_hello();
	before = fd_count(session);
	client_send(BYTES("\x08\x07\x2a\x02\x38\x01"), files, 1);
	client_expect_end(7, STATUS_INVALID);
	client_hello(); /* it is closed by then */
	ck_assert_uint_eq(fd_count(session), before);
}
END_TEST

START_TEST(one_at_a_time)
{
	uint32_t seq;

	client_send(BYTES(LIST), NULL, 0);
	client_send(BYTES("\x08\x08\x22\0"), NULL, 0);
	client_send(BYTES("\x08\x09\x12\x02\x08\x01"), NULL, 0);
	seq = monitor_expect(MON_LIST_DEVICES, NULL, NULL, NULL);
	ck_assert(!readable(monfd, 100));
	ck_assert(!readable(clientfd, 0));
	monitor_end(seq, STATUS_OK);
	client_expect_end(7, STATUS_OK);
	seq = monitor_expect(MON_LIST_LEASES, NULL, NULL, NULL);
	monitor_end(seq, STATUS_OK);
	client_expect_end(8, STATUS_OK);
	client_expect_end(9, STATUS_OK);
}
END_TEST

static void
expect_event(uint64_t number)
{
	Vfiobroker__Reply *r = client_recv(NULL, NULL);

	ck_assert_uint_eq(r->id, 0);
	ck_assert(!r->more);
	ck_assert_int_eq(r->body_case, VFIOBROKER__REPLY__BODY_EVENT);
	ck_assert_uint_eq(r->event->number, number);
	reply_free(r);
}

START_TEST(events)
{
	struct mon_event e = good_event;
	struct mon_device d = good_device;
	uint32_t seq;

	client_send(BYTES("\x08\x07\x62\0"), NULL, 0);
	seq = monitor_expect(MON_WATCH, NULL, NULL, NULL);
	e.number = 1;
	monitor_send(&e, NULL, 0);
	monitor_end(seq, STATUS_OK);
	expect_event(1);
	client_expect_end(7, STATUS_OK);
	e.number = 2;
	monitor_send(&e, NULL, 0);
	expect_event(2);
	/* In the midst of another answer, and between its texts. */
	client_send(BYTES(LIST), NULL, 0);
	d.h.seq = monitor_expect(MON_LIST_DEVICES, NULL, NULL, NULL);
	monitor_send(&d, NULL, 0);
	reply_free(client_recv(NULL, NULL));
	monitor_text(d.h.seq, MON_TEXT_WHY, "one", 1);
	e.number = 3;
	monitor_send(&e, NULL, 0);
	expect_event(3);
	monitor_text(d.h.seq, MON_TEXT_WHY, " text", 0);
	monitor_end(d.h.seq, STATUS_BUSY);
	client_expect_end(7, STATUS_BUSY);
}
END_TEST

/* ---- backpressure ----------------------------------------------------- */

/* Sends devices until the session takes no more, and returns how many. */
static unsigned
fill(struct mon_device *m)
{
	unsigned n = 0, idle = 0;

	while (idle < 20) {
		m->lease = n;
		if (fdpass_send(monfd, m, sizeof(*m), NULL, 0) == 0) {
			n++;
			idle = 0;
			continue;
		}
		usleep(10000);
		idle++;
	}
	return n;
}

/* Clock ticks that the session has run for, in user and kernel mode. */
static unsigned long
session_ticks(void)
{
	char path[64];
	unsigned long user = 0, kernel = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/stat", session);
	f = fopen(path, "re");
	ck_assert_ptr_nonnull(f);
	ck_assert_int_eq(fscanf(f,
			     "%*d (%*[^)]) %*c %*d %*d %*d %*d %*d %*u %*u %*u"
			     " %*u %*u %lu %lu",
			     &user, &kernel),
	    2);
	fclose(f);
	return user + kernel;
}

START_TEST(slow_reader)
{
	struct mon_device m = good_device;
	unsigned long ticks;
	unsigned n;
	Vfiobroker__Reply *r;

	client_send(BYTES(LIST), NULL, 0);
	m.h.seq = monitor_expect(MON_LIST_DEVICES, NULL, NULL, NULL);
	n = fill(&m);
	ck_assert_uint_gt(n, 100);
	/* It sleeps meanwhile, although there is more to read for it. */
	ticks = session_ticks();
	usleep(400000);
	ck_assert_uint_lt(session_ticks() - ticks, 10);
	for (unsigned i = 0; i < n; i++) {
		r = client_recv(NULL, NULL);
		ck_assert_uint_eq(r->device->lease, i);
		reply_free(r);
	}
	monitor_end(m.h.seq, STATUS_OK);
	client_expect_end(7, STATUS_OK);
}
END_TEST

/* A grant that waits keeps its fds open, and nothing but them. */
START_TEST(slow_reader_of_fds)
{
	struct mon_device m = good_device;
	struct mon_grant g = good_grant;
	int files[3] = { monfd, monfd, monfd }, fds[3];
	size_t n, granted = 0;
	Vfiobroker__Reply *r;
	unsigned before;

	client_hello();
	before = fd_count(session);
	client_send(BYTES(LIST), NULL, 0);
	m.h.seq = g.h.seq = monitor_expect(MON_LIST_DEVICES, NULL, NULL, NULL);
	fill(&m);
	r = client_recv(NULL, NULL);
	reply_free(r);
	while (fdpass_send(monfd, &g, sizeof(g), files, 3) != 0)
		reply_free(client_recv(NULL, NULL));
	monitor_end(m.h.seq, STATUS_OK);
	do {
		n = 3;
		r = client_recv(fds, &n);
		granted += n;
		for (size_t i = 0; i < n; i++)
			close(fds[i]);
		n = r->more;
		reply_free(r);
	} while (n != 0);
	ck_assert_uint_eq(granted, 3);
	ck_assert_uint_eq(fd_count(session), before);
}
END_TEST

START_TEST(slow_reader_leaves)
{
	struct mon_device m = good_device;

	client_send(BYTES(LIST), NULL, 0);
	m.h.seq = monitor_expect(MON_LIST_DEVICES, NULL, NULL, NULL);
	ck_assert_uint_gt(fill(&m), 100);
	close(clientfd);
	clientfd = -1;
	ck_assert_int_eq(session_end(), 0);
	ck_assert_str_eq(session_log(), "");
}
END_TEST

START_TEST(monitor_leaves_slow_reader)
{
	struct mon_device m = good_device;

	client_send(BYTES(LIST), NULL, 0);
	m.h.seq = monitor_expect(MON_LIST_DEVICES, NULL, NULL, NULL);
	ck_assert_uint_gt(fill(&m), 100);
	close(monfd);
	monfd = -1;
	ck_assert_int_eq(session_end(), 0);
}
END_TEST

static TCase *
case_answers(void)
{
	TCase *tc = tcase_create("answers");

	tcase_add_checked_fixture(tc, setup_welcome, peers_close);
	tcase_set_timeout(tc, 20);
	tcase_add_test(tc, hello);
	tcase_add_test(tc, list);
	tcase_add_test(tc, seq_and_id);
	tcase_add_test(tc, acquire);
	tcase_add_test(tc, most_fds);
	tcase_add_test(tc, pidfd);
	tcase_add_test(tc, refusal);
	tcase_add_test(tc, long_policy);
	tcase_add_test(tc, nonsense_is_answered);
	tcase_add_test(tc, nonsense_with_an_fd);
	tcase_add_test(tc, one_at_a_time);
	tcase_add_test(tc, events);
	tcase_add_test(tc, slow_reader);
	tcase_add_test(tc, slow_reader_of_fds);
	tcase_add_test(tc, slow_reader_leaves);
	tcase_add_test(tc, monitor_leaves_slow_reader);
	return tc;
}

static Suite *
suite(void)
{
	Suite *s = suite_create("session_answers");

	suite_add_tcase(s, case_answers());
	return s;
}

int
main(void)
{
	return run_both(suite);
}
