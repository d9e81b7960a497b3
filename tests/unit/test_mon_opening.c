/* SPDX-License-Identifier: ISC */
/*
 * A group's node once more, for who has the lease: by a child, as the kernel
 * may keep it for as long as it likes, and then nobody else waits for it.
 */

#include "tests/unit/test_mon_ask.h"

#define GROUP 1 /* of function 0 */
#define OPENINGS 4 /* of one user at a time */

static struct session *s;
static struct answer answer;
static uint64_t lease;
static int gate = -1; /* open: nobody hangs any more */
static unsigned calm; /* fds that are open while nothing goes on */

static void
setup(void)
{
	struct mon_acquire m = ask_for(1);
	struct answer grant;

	ask_setup("allow uid 1000 use all managed\n");
	s = ask_session(USER, &grant);
	life_settle(work_device(0, "vfio-pci"));
	ask(s, &grant, &m, MON_ACQUIRE);
	answer_wait(&grant);
	ck_assert_int_eq(grant.status, STATUS_OK);
	lease = grant.grant.lease;
	answer = (struct answer){ .fd = grant.fd };
	calm = fds_open();
}

static void
open_group(struct session *who, struct answer *a)
{
	struct mon_open_group m = { .lease = lease, .group = GROUP };

	ask(who, a, &m, MON_OPEN_GROUP);
}

static void
hang(void)
{
	work_fifo("hangs");
	snprintf(vfio.hangs, sizeof(vfio.hangs), "%s/hangs", tree.root);
}

/* The kernel lets go of all that wait for it, or will come to that. */
static void
let_go(void)
{
	gate = openat(tree.rootfd, "hangs", O_RDWR | O_CLOEXEC);
	ck_assert_int_ge(gate, 0);
}

static unsigned
fds_of_monitor(void)
{
	return fds_open() - (gate != -1);
}

static bool
is_calm(void *arg)
{
	const unsigned *busy = arg;

	return fds_of_monitor() != *busy;
}

static void
assert_refused(enum status status, const char *why, const char *fix)
{
	answer_wait(&answer);
	ck_assert_int_eq(answer.status, status);
	ck_assert_uint_eq(answer.nfds, 0);
	ck_assert_str_eq(answer.why, why);
	ck_assert_msg(strstr(answer.fix, fix) != NULL, "%s", answer.fix);
}

START_TEST(granted)
{
	open_group(s, &answer);
	answer_wait(&answer);
	ck_assert_int_eq(answer.status, STATUS_OK);
	ck_assert_uint_eq(answer.grant.lease, lease);
	ck_assert_uint_eq(answer.nfds, 2);
	ck_assert_int_eq(answer.grant.fds[0].kind, MON_FD_GROUP);
	ck_assert_int_eq(answer.grant.fds[0].group, GROUP);
	ck_assert_int_eq(answer.grant.fds[1].kind, MON_FD_CONTAINER);
	fdpass_close(answer.fds, answer.nfds);
	ck_assert_uint_eq(fds_of_monitor(), calm);
}
END_TEST

static const struct {
	int error;
	enum status status;
	const char *why, *fix;
} errors[] = {
	{ -EBUSY, STATUS_BUSY,
	    "cannot open /dev/vfio/1: it is open already, and a group opens "
	    "once\n",
	    "which has lease " },
	{ -EADDRINUSE, STATUS_GROUP,
	    "cannot open /dev/vfio/1: a member is bound to a host driver\n",
	    "an administrator can unbind it (see: vfiobroker groups)\n" },
	{ -EACCES, STATUS_OS, "cannot open /dev/vfio/1: Permission denied\n",
	    "an administrator can see what is wrong with it (dmesg)\n" },
};

START_TEST(refused)
{
	vfio.group = errors[_i].error;
	open_group(s, &answer);
	assert_refused(errors[_i].status, errors[_i].why, errors[_i].fix);
	ck_assert_uint_eq(fds_of_monitor(), calm);
}
END_TEST

/* The group opens, but there is no container for it. */
START_TEST(no_container)
{
	vfio.container = -ENODEV;
	open_group(s, &answer);
	assert_refused(STATUS_OS, "cannot open /dev/vfio/1: No such device\n",
	    "an administrator");
	ck_assert_uint_eq(fds_of_monitor(), calm);
}
END_TEST

/* Answered by the deadline; what comes later is for nobody, and closed. */
START_TEST(late)
{
	unsigned busy = calm + 1; /* the child's socket */

	hang();
	config.worker_timeout = 1;
	open_group(s, &answer);
	ck_assert(!is_answered(&answer));
	ck_assert_uint_eq(fds_of_monitor(), busy);
	assert_refused(STATUS_BUSY,
	    "cannot open /dev/vfio/1: the kernel does not let go of the "
	    "group\n",
	    "try again in a moment: ");
	ck_assert_uint_eq(fds_of_monitor(), busy);
	let_go();
	loop_until("what comes late", is_calm, &busy);
	ck_assert_uint_eq(fds_of_monitor(), calm);
	answer.ended = false; /* a second one would be another's answer */
	ck_assert(!is_answered(&answer));
}
END_TEST

/* Who asked is gone: nobody is answered, and nothing is kept. */
START_TEST(session_gone)
{
	unsigned busy;

	hang();
	open_group(s, &answer);
	session_close(s);
	busy = fds_of_monitor();
	let_go();
	loop_until("the child", is_calm, &busy);
	ck_assert_uint_eq(fds_of_monitor(), busy - 1);
}
END_TEST

/* The lease ended while the kernel took its time. */
START_TEST(lease_over)
{
	unsigned busy;

	hang();
	open_group(s, &answer);
	lease_end(lease_find(lease), "over");
	busy = fds_of_monitor();
	let_go();
	answer_wait(&answer);
	ck_assert_int_eq(answer.status, STATUS_NOT_FOUND);
	ck_assert_uint_eq(answer.nfds, 0);
	loop_until("the child", is_calm, &busy);
	ck_assert_uint_lt(fds_of_monitor(), busy);
}
END_TEST

/* Each that hangs is a process: so many of one user, also unanswered ones. */
START_TEST(too_many)
{
	struct session *more[OPENINGS];
	struct answer answers[OPENINGS];

	hang();
	for (int i = 0; i < OPENINGS; i++) {
		more[i] = ask_session(USER, &answers[i]);
		open_group(more[i], &answers[i]);
		ck_assert(!is_answered(&answers[i]));
	}
	session_close(more[0]);
	open_group(s, &answer);
	assert_refused(STATUS_BUSY,
	    "cannot open /dev/vfio/1: too many that you asked for still "
	    "wait\n",
	    "try again when the kernel has answered those\n");
	let_go();
	for (int i = 1; i < OPENINGS; i++) {
		answer_wait(&answers[i]);
		ck_assert_int_eq(answers[i].status, STATUS_OK);
	}
}
END_TEST

/* Of another's lease nothing is said, and none of another group. */
START_TEST(not_his)
{
	struct answer other;
	struct session *o = ask_session(OTHER, &other);
	struct mon_open_group m = { .lease = lease, .group = GROUP + 1 };

	open_group(o, &other);
	answer_wait(&other);
	ck_assert_int_eq(other.status, STATUS_NOT_FOUND);
	ask(s, &answer, &m, MON_OPEN_GROUP);
	assert_refused(STATUS_DENIED, "lease 1 has no device in group 2\n",
	    "ask for a device of that group to be added to it first\n");
}
END_TEST

#define N(a) ((int)(sizeof(a) / sizeof((a)[0])))

int
main(void)
{
	TCase *tc = tcase_create("opening");
	Suite *suite = suite_create("opening");

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, setup, work_teardown);
	tcase_add_test(tc, granted);
	tcase_add_loop_test(tc, refused, 0, N(errors));
	tcase_add_test(tc, no_container);
	tcase_add_test(tc, late);
	tcase_add_test(tc, session_gone);
	tcase_add_test(tc, lease_over);
	tcase_add_test(tc, too_many);
	tcase_add_test(tc, not_his);
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
