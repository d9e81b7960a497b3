/* SPDX-License-Identifier: ISC */
/*
 * Every way a session can end: a client that misbehaves or leaves, a monitor
 * that leaves or errs, and no welcome to begin with.
 */

#include "session_peer.h"

/* ---- a client that misbehaves ----------------------------------------- */

static const struct {
	const char *bytes;
	size_t len;
	size_t nfds;
	const char *why;
} misdeeds[] = {
	{ BYTES("GET / HTTP/1.1\r\n\r\n"), 0, "not a Request" },
	{ BYTES("\0"), 0, "not a Request" },
	{ BYTES("\x08\x01"), 0, "nothing" },
	{ BYTES("\x08\x01\x82\x01\0"), 0, "has not" },
	{ BYTES("\x08\x01\x08\x02\x1a\0"), 0, "twice" },
	{ BYTES("\x08\1\x2a\5\x0a\3\x10\x80\2"), 0, "range" },
	{ BYTES(LIST), 1, "an fd where none belongs" },
	{ BYTES("\x08\x01\x12\x02\x08\x01"), 1, "an fd where none belongs" },
	{ BYTES("\x08\x01\x2a\x02\x0a\0"), 1, "an fd where none belongs" },
	{ BYTES(ACQUIRE_PIDFD), 0, "no fd where one belongs" },
	{ BYTES(ACQUIRE_PIDFD), 2, "several fds" },
	{ BYTES(LIST), 2, "several fds" },
	{ BYTES(LIST), 20, "several fds" },
	{ BYTES("x"), 1, "not a Request" },
};

START_TEST(misdeed)
{
	int files[20];

	for (size_t i = 0; i < 20; i++)
		files[i] = monfd;
	client_hello();
	client_send(
	    misdeeds[_i].bytes, misdeeds[_i].len, files, misdeeds[_i].nfds);
	expect_closed(76, misdeeds[_i].why);
	/* Nothing of it reached the monitor. */
	ck_assert_int_eq(
	    fdpass_recv(monfd, files, sizeof(files), NULL, NULL, 0), 0);
}
END_TEST

START_TEST(too_long)
{
	static char big[PROTO_MESSAGE_MAX + 1] = LIST;

	client_send(big, sizeof(big), NULL, 0);
	expect_closed(76, "longer than the limit");
}
END_TEST

START_TEST(as_long_as_may_be)
{
	static char big[PROTO_MESSAGE_MAX] = LIST;

	client_send(big, sizeof(big), NULL, 0);
	expect_closed(76, "not a Request");
}
END_TEST

START_TEST(no_bytes)
{
	client_hello();
	ck_assert_int_eq(send(clientfd, "", 0, 0), 0);
	expect_closed(76, "no bytes");
}
END_TEST

/* One that says nothing from the start; later it may think. */
START_TEST(silent)
{
	expect_closed(76, "nothing for too long");
}
END_TEST

START_TEST(thoughtful)
{
	struct pollfd p = { .fd = clientfd, .events = POLLIN };

	client_hello();
	ck_assert_int_eq(poll(&p, 1, 3 * silence_ms), 0);
	client_hello();
}
END_TEST

static void
setup_impatient(void)
{
	silence_ms = 100;
	setup_welcome();
}

START_TEST(bomb)
{
	static char buf[PROTO_MESSAGE_MAX - 1] = "\x08\1\x2a\xfa\x3f";

	for (size_t i = 5; i < sizeof(buf); i += 2)
		buf[i] = 0x0a;
	client_send(buf, sizeof(buf), NULL, 0);
	expect_closed(76, "not a Request");
}
END_TEST

/* ---- a client that leaves --------------------------------------------- */

START_TEST(leaves_idle)
{
	client_hello();
	close(clientfd);
	clientfd = -1;
	ck_assert_int_eq(session_end(), 0);
	ck_assert_str_eq(session_log(), "");
}
END_TEST

START_TEST(leaves_waiting)
{
	client_send(BYTES(LIST), NULL, 0);
	monitor_expect(MON_LIST_DEVICES, NULL, NULL, NULL);
	close(clientfd);
	clientfd = -1;
	ck_assert_int_eq(session_end(), 0);
	ck_assert_str_eq(session_log(), "");
}
END_TEST

START_TEST(leaves_with_a_request)
{
	kill(session, SIGSTOP);
	client_send(BYTES("\x08\x07\x3a\x02\x08\x05"), NULL, 0);
	close(clientfd);
	clientfd = -1;
	kill(session, SIGCONT);
	monitor_expect(MON_RELEASE, NULL, NULL, NULL);
	ck_assert_int_eq(session_end(), 0);
}
END_TEST

START_TEST(leaves_unread)
{
	client_send(BYTES(LIST), NULL, 0);
	monitor_end(
	    monitor_expect(MON_LIST_DEVICES, NULL, NULL, NULL), STATUS_OK);
	ck_assert(readable(clientfd, 5000));
	close(clientfd); /* the session sees ECONNRESET */
	clientfd = -1;
	ck_assert_int_eq(session_end(), 0);
	ck_assert_str_eq(session_log(), "");
}
END_TEST

START_TEST(half_closes)
{
	client_send(BYTES(LIST), NULL, 0);
	monitor_expect(MON_LIST_DEVICES, NULL, NULL, NULL);
	ck_assert_int_eq(shutdown(clientfd, SHUT_WR), 0);
	expect_closed(0, NULL);
}
END_TEST

/* ---- a monitor that leaves or errs ------------------------------------ */

START_TEST(monitor_leaves_idle)
{
	client_hello();
	close(monfd);
	monfd = -1;
	expect_closed(0, NULL);
}
END_TEST

START_TEST(monitor_leaves_busy)
{
	client_send(BYTES(LIST), NULL, 0);
	monitor_expect(MON_LIST_DEVICES, NULL, NULL, NULL);
	close(monfd);
	monfd = -1;
	expect_closed(0, NULL);
}
END_TEST

/* What the monitor said last is still delivered. */
START_TEST(monitor_leaves_with_an_answer)
{
	uint32_t seq;

	client_send(BYTES(LIST), NULL, 0);
	seq = monitor_expect(MON_LIST_DEVICES, NULL, NULL, NULL);
	monitor_end(seq, STATUS_UNAVAILABLE);
	close(monfd);
	monfd = -1;
	client_expect_end(7, STATUS_UNAVAILABLE);
	expect_closed(0, NULL);
}
END_TEST

enum error {
	WRONG_SEQ,
	NOT_CANONICAL,
	CUT,
	STRETCHED,
	WELCOME_AGAIN,
	A_REQUEST,
	FD_UNASKED,
	FD_MISSING,
	FD_TOO_MANY,
	ENDED_TWICE,
	ERRORS,
};

START_TEST(monitor_errs)
{
	struct mon_device d = good_device;
	struct mon_grant g = good_grant;
	uint8_t big[MON_MAX_SIZE + 1] = { 0 };
	int fds[4] = { monfd, monfd, monfd, monfd };

	client_send(BYTES(LIST), NULL, 0);
	d.h.seq = g.h.seq = monitor_expect(MON_LIST_DEVICES, NULL, NULL, NULL);
	switch ((enum error)_i) {
	case WRONG_SEQ:
		d.h.seq++;
		monitor_send(&d, NULL, 0);
		break;
	case NOT_CANONICAL:
		d.pad = 1;
		monitor_send(&d, NULL, 0);
		break;
	case CUT:
		fdpass_send(monfd, &d, sizeof(d) - 1, NULL, 0);
		break;
	case STRETCHED:
		memcpy(big, &d, sizeof(d));
		fdpass_send(monfd, big, sizeof(big), NULL, 0);
		break;
	case WELCOME_AGAIN:
		monitor_send(&good_welcome, fds, 1);
		break;
	case A_REQUEST:
		monitor_send(&good_release, NULL, 0);
		break;
	case FD_UNASKED:
		monitor_send(&d, fds, 1);
		break;
	case FD_MISSING:
		monitor_send(&g, fds, 2);
		break;
	case FD_TOO_MANY:
		monitor_send(&g, fds, 4);
		break;
	case ENDED_TWICE:
		monitor_end(g.h.seq, STATUS_OK);
		monitor_end(g.h.seq, STATUS_OK);
		client_expect_end(7, STATUS_OK);
		break;
	case ERRORS:
		break;
	}
	expect_closed(70, "the monitor");
}
END_TEST

/* An answer before any question. */
START_TEST(monitor_too_soon)
{
	monitor_end(1, STATUS_OK);
	expect_closed(70, "the monitor");
}
END_TEST

/* ---- the start -------------------------------------------------------- */

START_TEST(spare_is_not_needed)
{
	usleep(20000);
	close(monfd);
	monfd = -1;
	ck_assert_int_eq(session_end(), 0);
	ck_assert_str_eq(session_log(), "");
}
END_TEST

START_TEST(welcome_without_client)
{
	monitor_send(&good_welcome, NULL, 0);
	ck_assert_int_eq(session_end(), 70);
	ck_assert_ptr_nonnull(strstr(session_log(), "welcome"));
}
END_TEST

START_TEST(welcome_with_two)
{
	int fds[2] = { monfd, monfd };

	monitor_send(&good_welcome, fds, 2);
	ck_assert_int_eq(session_end(), 70);
}
END_TEST

START_TEST(no_welcome)
{
	monitor_send(&good_end, NULL, 0);
	ck_assert_int_eq(session_end(), 70);
}
END_TEST

/* Even if it brings an fd, as only a welcome may. */
START_TEST(grant_for_welcome)
{
	struct mon_grant m = good_grant;
	int fds[1] = { monfd };

	m.h.seq = 0;
	m.nfds = 1;
	memset(&m.fds[1], 0, sizeof(m.fds) - sizeof(m.fds[0]));
	monitor_send(&m, fds, 1);
	ck_assert_int_eq(session_end(), 70);
}
END_TEST

START_TEST(welcome_not_canonical)
{
	struct mon_welcome w = good_welcome;
	int fds[1] = { monfd };

	w.admin = 2;
	monitor_send(&w, fds, 1);
	ck_assert_int_eq(session_end(), 70);
}
END_TEST

static TCase *
case_ends(void)
{
	TCase *tc = tcase_create("ends");

	tcase_add_checked_fixture(tc, setup_welcome, peers_close);
	tcase_set_timeout(tc, 20);
	tcase_add_loop_test(
	    tc, misdeed, 0, sizeof(misdeeds) / sizeof(misdeeds[0]));
	tcase_add_test(tc, too_long);
	tcase_add_test(tc, as_long_as_may_be);
	tcase_add_test(tc, no_bytes);
	tcase_add_test(tc, bomb);
	tcase_add_test(tc, leaves_idle);
	tcase_add_test(tc, leaves_waiting);
	tcase_add_test(tc, leaves_with_a_request);
	tcase_add_test(tc, leaves_unread);
	tcase_add_test(tc, half_closes);
	tcase_add_test(tc, monitor_leaves_idle);
	tcase_add_test(tc, monitor_leaves_busy);
	tcase_add_test(tc, monitor_leaves_with_an_answer);
	tcase_add_loop_test(tc, monitor_errs, 0, ERRORS);
	tcase_add_test(tc, monitor_too_soon);
	return tc;
}

static TCase *
case_silence(void)
{
	TCase *tc = tcase_create("silence");

	tcase_add_checked_fixture(tc, setup_impatient, peers_close);
	tcase_add_test(tc, silent);
	tcase_add_test(tc, thoughtful);
	return tc;
}

static TCase *
case_start(void)
{
	TCase *tc = tcase_create("start");

	tcase_add_checked_fixture(tc, setup_unwelcome, peers_close);
	tcase_add_test(tc, spare_is_not_needed);
	tcase_add_test(tc, welcome_without_client);
	tcase_add_test(tc, welcome_with_two);
	tcase_add_test(tc, no_welcome);
	tcase_add_test(tc, grant_for_welcome);
	tcase_add_test(tc, welcome_not_canonical);
	return tc;
}

static Suite *
suite(void)
{
	Suite *s = suite_create("session_ends");

	suite_add_tcase(s, case_ends());
	if (child == session_serve) /* the program's patience is longer */
		suite_add_tcase(s, case_silence());
	suite_add_tcase(s, case_start());
	return s;
}

int
main(void)
{
	return run_both(suite);
}
