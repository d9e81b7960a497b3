/* SPDX-License-Identifier: ISC */
/*
 * Texts and events: what is joined, shown as an error, kept for later; and calls
 * that signals and a broker's end interrupt.
 */

#include <sys/time.h>

#include "broker_peer.h"

static const struct vfiobroker_bdf bdf = { 0, 1, 0x10, 2, 0 };

static int event_error;

static void
script_explain(int fd)
{
	Vfiobroker__Request *req;
	uint32_t id;

	broker_welcome(fd);
	req = broker_recv(fd, NULL, NULL);
	MUST(req->op_case == VFIOBROKER__REQUEST__OP_EXPLAIN);
	MUST(req->explain->device->fn == 2);
	MUST(req->explain->memlock == 9);
	MUST(req->explain->managed);
	MUST(req->explain->has_user);
	MUST(req->explain->uid == 0);
	MUST(req->explain->n_gids == 2);
	MUST(req->explain->gids[1] == 0xfffffffe);
	id = req->id;
	broker_text(fd, id, VFIOBROKER_TEXT_DECISION, "a", true);
	broker_text(fd, id, VFIOBROKER_TEXT_DECISION, "llo", true);
	broker_text(fd, id, VFIOBROKER_TEXT_DECISION, "wed", false);
	broker_text(fd, id, VFIOBROKER_TEXT_STEP, "", false);
	broker_text(fd, id, VFIOBROKER_TEXT_STEP, "unbind", false);
	broker_end(fd, id, 0);
	id = broker_expect(fd, VFIOBROKER__REQUEST__OP_SHOW_POLICY);
	for (unsigned i = 0; i < 100; i++)
		broker_text(
		    fd, id, VFIOBROKER_TEXT_POLICY, "allow any use x", false);
	broker_end(fd, id, 0);
	broker_end(fd, broker_expect(fd, VFIOBROKER__REQUEST__OP_WATCH), 0);
}

START_TEST(texts)
{
	const gid_t gids[2] = { 1, 0xfffffffe };
	const struct vfiobroker_about about = { 0, gids, 2 };
	const struct vfiobroker_text *t;

	open_to(script_explain);
	ck_assert_uint_eq(vfiobroker_texts(h, &t), 0);
	ck_assert_int_eq(vfiobroker_explain(h, &bdf, 9, true, &about), 0);
	ck_assert_uint_eq(vfiobroker_texts(h, &t), 3);
	ck_assert_int_eq(t[0].kind, VFIOBROKER_TEXT_DECISION);
	ck_assert_str_eq(t[0].text, "allowed");
	ck_assert_int_eq(t[1].kind, VFIOBROKER_TEXT_STEP);
	ck_assert_str_eq(t[1].text, "");
	ck_assert_str_eq(t[2].text, "unbind");
	ck_assert_int_eq(vfiobroker_show_policy(h), 0);
	ck_assert_uint_eq(vfiobroker_texts(h, &t), 100);
	ck_assert_str_eq(t[99].text, "allow any use x");
	ck_assert_int_eq(t[99].kind, VFIOBROKER_TEXT_POLICY);
	ck_assert_int_eq(vfiobroker_watch(h), 0);
	ck_assert_uint_eq(vfiobroker_texts(h, &t), 0);
	broker_finish();
}
END_TEST

START_TEST(too_much_to_say)
{
	static gid_t gids[5000];
	const struct vfiobroker_about about = { 0, gids, 5000 };

	memset(gids, 0xff, sizeof(gids));
	open_to(broker_welcome);
	ck_assert_int_eq(
	    vfiobroker_explain(h, &bdf, 0, false, &about), -EMSGSIZE);
	ck_assert_int_eq(vfiobroker_exit_status(-EMSGSIZE), 64);
	ck_assert_int_ge(vfiobroker_fd(h), 0);
}
END_TEST

static void
script_refusals(int fd)
{
	uint32_t id;

	broker_welcome(fd);
	id = broker_expect(fd, VFIOBROKER__REQUEST__OP_RELEASE);
	broker_text(fd, id, VFIOBROKER_TEXT_WHY, "lease 5 is ", true);
	broker_text(fd, id, VFIOBROKER_TEXT_WHY, "not yours", false);
	broker_text(fd, id, VFIOBROKER_TEXT_WHY, "nor anybody's", false);
	broker_text(fd, id, VFIOBROKER_TEXT_RULE, "not shown", false);
	broker_text(fd, id, VFIOBROKER_TEXT_FIX, "look at:", false);
	broker_text(fd, id, VFIOBROKER_TEXT_FIX, "vfiobroker status", false);
	broker_end(fd, id, VFIOBROKER_NOT_FOUND);
	id = broker_expect(fd, VFIOBROKER__REQUEST__OP_RELEASE);
	broker_end(fd, id, VFIOBROKER_INTERNAL);
	id = broker_expect(fd, VFIOBROKER__REQUEST__OP_RELEASE);
	broker_text(fd, id, VFIOBROKER_TEXT_FIX, "only a fix", false);
	broker_end(fd, id, VFIOBROKER_BUSY);
	id = broker_expect(fd, VFIOBROKER__REQUEST__OP_RELEASE);
	broker_end(fd, id, 0);
}

START_TEST(refusals)
{
	const struct vfiobroker_text *t;

	open_to(script_refusals);
	ck_assert_int_eq(vfiobroker_release(h, 5), VFIOBROKER_NOT_FOUND);
	ck_assert_str_eq(vfiobroker_error(h), "lease 5 is not yours\n"
					      "nor anybody's\n"
					      "  look at:\n"
					      "  vfiobroker status");
	ck_assert_uint_eq(vfiobroker_texts(h, &t), 5);
	ck_assert_int_eq(vfiobroker_release(h, 5), VFIOBROKER_INTERNAL);
	ck_assert_str_eq(
	    vfiobroker_error(h), "the broker refused it: INTERNAL");
	ck_assert_int_eq(vfiobroker_release(h, 5), VFIOBROKER_BUSY);
	ck_assert_str_eq(vfiobroker_error(h), "  only a fix");
	/* The connection is as good as before, and the error forgotten. */
	ck_assert_int_eq(vfiobroker_release(h, 5), 0);
	ck_assert_str_eq(vfiobroker_error(h), "no error");
	broker_finish();
}
END_TEST

/* ---- events ----------------------------------------------------------- */

static void
send_event(int fd, uint64_t number, const int *fds, size_t nfds)
{
	Vfiobroker__Reply reply;
	Vfiobroker__Event e;
	Vfiobroker__Bdf b;
	char kind[] = "device", from[] = "ready", to[] = "leased";
	char text[] = "acquired";

	vfiobroker__reply__init(&reply);
	vfiobroker__event__init(&e);
	vfiobroker__bdf__init(&b);
	b.bus = 1;
	e.number = number;
	e.time_us = 1700000000000000;
	e.duration_us = 12;
	e.kind = kind;
	e.device = &b;
	e.lease = 5;
	e.from = from;
	e.to = to;
	e.has_owner = true;
	e.owner = 1000;
	e.text = text;
	reply.body_case = VFIOBROKER__REPLY__BODY_EVENT;
	reply.event = &e;
	broker_send(fd, &reply, fds, nfds);
}

static void
check_event(uint64_t number)
{
	struct vfiobroker_event e;

	ck_assert_int_eq(vfiobroker_next_event(h, &e), 0);
	ck_assert_uint_eq(e.number, number);
	ck_assert_uint_eq(e.time_us, 1700000000000000);
	ck_assert_uint_eq(e.duration_us, 12);
	ck_assert_str_eq(e.kind, "device");
	ck_assert_str_eq(e.from, "ready");
	ck_assert_str_eq(e.to, "leased");
	ck_assert_str_eq(e.text, "acquired");
	ck_assert_uint_eq(e.device.bus, 1);
	ck_assert_uint_eq(e.lease, 5);
	ck_assert(e.has_owner);
	ck_assert_uint_eq(e.owner, 1000);
}

static void
script_events(int fd)
{
	uint32_t id;

	broker_welcome(fd);
	id = broker_expect(fd, VFIOBROKER__REQUEST__OP_WATCH);
	send_event(fd, 1, NULL, 0);
	broker_end(fd, id, 0);
	send_event(fd, 2, NULL, 0);
	id = broker_expect(fd, VFIOBROKER__REQUEST__OP_RELEASE);
	send_event(fd, 3, NULL, 0);
	broker_text(fd, id, VFIOBROKER_TEXT_WHY, "no ", true);
	send_event(fd, 4, NULL, 0);
	broker_text(fd, id, VFIOBROKER_TEXT_WHY, "way", false);
	broker_end(fd, id, VFIOBROKER_DENIED);
	send_event(fd, 5, NULL, 0);
	id = broker_expect(fd, VFIOBROKER__REQUEST__OP_RELEASE);
	for (unsigned i = 6; i < 106; i++)
		send_event(fd, i, NULL, 0);
	broker_end(fd, id, 0);
	send_event(fd, 106, NULL, 0);
}

START_TEST(events)
{
	open_to(script_events);
	ck_assert_int_eq(vfiobroker_watch(h), 0);
	ck_assert_uint_eq(vfiobroker_events_queued(h), 1);
	check_event(1);
	check_event(2);
	ck_assert_int_eq(vfiobroker_release(h, 5), VFIOBROKER_DENIED);
	ck_assert_str_eq(vfiobroker_error(h), "no way");
	ck_assert_uint_eq(vfiobroker_events_queued(h), 2);
	check_event(3);
	check_event(4);
	check_event(5);
	/* A hundred between a request and its answer: the last 64 stay. */
	ck_assert_int_eq(vfiobroker_release(h, 5), 0);
	ck_assert_uint_eq(vfiobroker_events_queued(h), 64);
	for (unsigned i = 42; i < 107; i++)
		check_event(i);
	ck_assert_uint_eq(vfiobroker_events_queued(h), 0);
	broker_finish();
}
END_TEST

static void
script_bad_event(int fd)
{
	Vfiobroker__Reply reply;
	Vfiobroker__Event e;
	char text[300];

	broker_welcome(fd);
	vfiobroker__reply__init(&reply);
	vfiobroker__event__init(&e);
	reply.body_case = VFIOBROKER__REPLY__BODY_EVENT;
	reply.event = &e;
	memset(text, 'x', sizeof(text));
	text[299] = '\0';
	switch (event_error) {
	case 0:
		send_event(fd, 1, &fd, 1);
		break;
	case 1:
		broker_end(fd, 3, 0);
		break;
	case 2:
		e.text = text;
		broker_send(fd, &reply, NULL, 0);
		break;
	case 3:
		e.kind = text;
		broker_send(fd, &reply, NULL, 0);
		break;
	case 4:
		reply.id = 7;
		broker_send(fd, &reply, NULL, 0);
		break;
	case 5:
		break;
	}
}

START_TEST(bad_event)
{
	struct vfiobroker_event e;

	event_error = _i;
	open_to(script_bad_event);
	ck_assert_int_eq(
	    vfiobroker_next_event(h, &e), _i == 5 ? -ECONNRESET : -EPROTO);
	ck_assert_uint_eq(fd_count(), before - 1);
}
END_TEST

static void
script_bad_event_between(int fd)
{
	broker_welcome(fd);
	broker_expect(fd, VFIOBROKER__REQUEST__OP_RELEASE);
	send_event(fd, 1, &fd, 1);
}

START_TEST(bad_event_between)
{
	open_to(script_bad_event_between);
	ck_assert_int_eq(vfiobroker_release(h, 5), -EPROTO);
	ck_assert_uint_eq(fd_count(), before - 1);
	ck_assert_uint_eq(vfiobroker_events_queued(h), 0);
}
END_TEST

/* ---- signals ---------------------------------------------------------- */

static volatile sig_atomic_t alarms;

static void
on_alarm(int sig)
{
	(void)sig;
	alarms++;
}

static void
script_slow(int fd)
{
	broker_welcome(fd);
	for (unsigned i = 0; i < 3; i++) {
		uint32_t id =
		    broker_expect(fd, VFIOBROKER__REQUEST__OP_RELEASE);

		usleep(50000);
		broker_end(fd, id, 0);
	}
}

START_TEST(signals)
{
	const struct itimerval every = { { 0, 3000 }, { 0, 3000 } };
	const struct sigaction sa = { .sa_handler = on_alarm };

	open_to(script_slow);
	ck_assert_int_eq(sigaction(SIGALRM, &sa, NULL), 0);
	ck_assert_int_eq(setitimer(ITIMER_REAL, &every, NULL), 0);
	for (unsigned i = 0; i < 3; i++)
		ck_assert_int_eq(vfiobroker_release(h, 5), 0);
	ck_assert_int_gt(alarms, 10);
	ck_assert_int_eq(
	    setitimer(ITIMER_REAL, &(const struct itimerval){ 0 }, NULL), 0);
	broker_finish();
}
END_TEST

static void
script_gone(int fd)
{
	broker_welcome(fd);
	close(fd);
}

/* A broker that went while nobody looked: no SIGPIPE, a sentence. */
START_TEST(gone)
{
	open_to(script_gone);
	broker_finish();
	ck_assert_int_eq(vfiobroker_release(h, 5), -ECONNRESET);
	ck_assert_ptr_nonnull(strstr(vfiobroker_error(h), "closed"));
	ck_assert_int_eq(vfiobroker_exit_status(-ECONNRESET), 69);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("lib_text");
	TCase *tc = tcase_create("text");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_add_checked_fixture(tc, broker_setup, broker_teardown);
	tcase_add_test(tc, texts);
	tcase_add_test(tc, too_much_to_say);
	tcase_add_test(tc, refusals);
	tcase_add_test(tc, events);
	tcase_add_loop_test(tc, bad_event, 0, 6);
	tcase_add_test(tc, bad_event_between);
	tcase_add_test(tc, signals);
	tcase_add_test(tc, gone);
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
