/* SPDX-License-Identifier: ISC */
/*
 * Who asks for a device of the host: it is looked at, once the policy has
 * allowed it, for each request anew; and the world that changes meanwhile.
 */

#include "broker/common/fdpass.h"
#include "broker/monitor/acquire.h"
#include "broker/monitor/explain.h"
#include "broker/monitor/life.h"
#include "broker/monitor/policyload.h"
#include "broker/monitor/quota.h"
#include "broker/monitor/session.h"
#include "broker/monitor/settle.h"
#include "tests/unit/guard_peer.h"

#define NAME "0000:01:00.0"
#define SAYS "exec /bin/cat $T/says"
#define SLEEPS "exec /bin/sleep 1000"
#define ALLOWED                                    \
	"allow uid 1000 use " NAME " managed\n"    \
	"allow uid 1001 use " NAME " managed\n"    \
	"allow uid 1000 use 0000:01:00.1 managed " \
	"siblings take\n"

static struct device *device;
static char policy_file[128];

/* A session without its process: what it is told is read at the other end. */
struct asker {
	struct session s;
	int fd;
	enum status status;
	char said[4096];
};

static void
load(const char *text)
{
	fixture_file(&tree, text, "etc/policy.conf");
	ck_assert_int_eq(policyload_init(), 0);
}

static void
setup(void)
{
	work_setup();
	life_init();
	ck_assert_int_eq(acquisition_init(), 0);
	snprintf(
	    policy_file, sizeof(policy_file), "%s/etc/policy.conf", tree.root);
	config.policy = policy_file;
	config.policy_dir = "/nonexistent";
	loader_use(&tree);
	load(ALLOWED);
	guard_does(SAYS);
	device = work_device(0, "igbvf");
	fixture_file(&tree, "", "sys/bus/pci/drivers/igbvf/unbind");
	work_fifo("sys/bus/pci/drivers_probe"); /* claims get as far as this */
}

static struct asker *
asker(uid_t uid)
{
	static struct asker askers[2];
	static unsigned n;
	struct asker *a = &askers[n++];
	int fds[2];

	ck_assert_uint_le(n, 2);
	ck_assert_int_eq(
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds), 0);
	a->fd = fds[1];
	a->s.fd = fds[0];
	a->s.clientfd = a->s.pidfd = a->s.peer.pidfd = -1;
	a->s.peer.who.uid = uid;
	STAILQ_INIT(&a->s.queue);
	ck_assert_int_eq(quota_connect(&a->s.account, uid, 64, clock_us()), 0);
	ck_assert_int_eq(loop_event(&a->s.readable, -1, 0, impatient, a), 0);
	ck_assert_int_eq(loop_event(&a->s.later, -1, 0, impatient, a), 0);
	return a;
}

static void
acquire(struct asker *a, uint32_t flags)
{
	struct mon_acquire m = {
		.flags = flags, .ndevices = 1, .devices = { device->facts.bdf }
	};

	a->s.busy = true;
	acquisition_start(&a->s, &m);
}

static void
explain(struct asker *a)
{
	struct mon_explain m = { .device = device->facts.bdf };

	a->s.busy = true;
	explain_request(&a->s, &m);
}

static bool
is_answered(void *arg)
{
	return !((struct asker *)arg)->s.busy;
}

/* What it was told, and how that ended. */
static void
hear(struct asker *a)
{
	union {
		struct mon_header h;
		struct mon_text text;
		struct mon_end end;
		char any[MON_MAX_SIZE];
	} m;

	loop_until("an answer", is_answered, a);
	a->said[0] = '\0';
	do {
		ck_assert_int_gt(
		    fdpass_recv(a->fd, &m, sizeof(m), NULL, NULL, 0), 0);
		if (m.h.type == MON_TEXT)
			strcat(strcat(a->said, m.text.text), "\n");
	} while (m.h.type != MON_END);
	a->status = m.end.status;
}

static void
assert_said(const struct asker *a, enum status status, const char *text)
{
	ck_assert_msg(a->status == status, "%s", status_name(a->status));
	ck_assert_msg(
	    strstr(a->said, text) != NULL, "no %s in:\n%s", text, a->said);
}

static bool
is_claiming(void *arg)
{
	(void)arg;
	return device->state == STATE_CLAIMING;
}

static bool
nobody_is_left(void *arg)
{
	(void)arg;
	return waitpid(-1, NULL, WNOHANG) == -1 && errno == ECHILD;
}

static void
mounted(void)
{
	guard_finds("says", 0, REASON_MOUNTED, "vda on /srv");
	guard_ends("says", 0, 0);
}

static void
unused(void)
{
	fixture_file(&tree, "", "says");
	guard_ends("says", 0, 0);
}

START_TEST(refused)
{
	struct asker *a = asker(1000);

	mounted();
	acquire(a, 0);
	ck_assert(a->s.busy); /* nothing before the look */
	hear(a);
	assert_said(a, STATUS_HOST_IN_USE,
	    "the host needs " NAME ": MOUNTED: a file system on it is mounted "
	    "(vda on /srv)\n");
	assert_said(a, STATUS_HOST_IN_USE, "tolerate mounted on " NAME);
	ck_assert_int_eq(device->state, STATE_HOST);
	/* The next request is the next look. */
	unused();
	acquire(a, 0);
	loop_until("a claim", is_claiming, NULL);
	ck_assert_uint_eq(guard_asked(), 2);
	ck_assert(a->s.busy);
}
END_TEST

/* Who is not allowed starts none, whatever he asks. */
START_TEST(not_allowed)
{
	struct asker *a = asker(1002);

	acquire(a, 0);
	hear(a);
	assert_said(a, STATUS_DENIED, "the policy does not let uid 1002 use");
	explain(a);
	hear(a);
	assert_said(a, STATUS_DENIED, "the policy does not let uid 1002 use");
	loop_until("no guard", nobody_is_left, NULL);
	ck_assert_uint_eq(guard_asked(), 0);
}
END_TEST

/* Not even with a word about it. */
START_TEST(cannot_tell)
{
	struct asker *a = asker(1000);

	guard_ends("says", 0, -EACCES);
	acquire(a, MON_ACQUIRE_NO_WAIT);
	hear(a);
	assert_said(a, STATUS_HOST_IN_USE,
	    "cannot tell whether the host needs " NAME ": Permission denied");
	fixture_file(&tree, "nonsense", "says");
	acquire(a, MON_ACQUIRE_NO_WAIT);
	hear(a);
	assert_said(a, STATUS_HOST_IN_USE,
	    "cannot tell whether the host needs " NAME ": Bad message");
	ck_assert_int_eq(device->state, STATE_HOST);
}
END_TEST

/* All reasons at once, also those that are not the guard's. */
START_TEST(with_the_group)
{
	struct asker *a = asker(1000);
	struct device *sibling = work_device(1, "e1000");

	sibling->facts.group = device->facts.group;
	mounted();
	acquire(a, 0);
	hear(a);
	assert_said(a, STATUS_GROUP, "which the host uses by e1000");
	assert_said(a, STATUS_GROUP, "MOUNTED");
}
END_TEST

/* One look for all of them, in one question. */
START_TEST(sibling_taken)
{
	struct asker *a = asker(1000);
	struct device *sibling = device;

	device = work_device(1, "igbvf");
	device->facts.group = sibling->facts.group;
	guard_ends("says", 0, 0);
	guard_finds("says", 1, REASON_SWAP, "vda1");
	guard_ends("says", 1, 0);
	acquire(a, 0);
	hear(a);
	assert_said(a, STATUS_HOST_IN_USE, "the host needs " NAME ": SWAP: ");
	ck_assert_uint_eq(guard_asked(), 1);
}
END_TEST

START_TEST(explained)
{
	struct asker *a = asker(1000);

	mounted();
	explain(a);
	ck_assert(a->s.busy);
	hear(a);
	assert_said(a, STATUS_HOST_IN_USE, "uid 1000 may not have " NAME);
	assert_said(a, STATUS_HOST_IN_USE, "MOUNTED");
	unused();
	explain(a);
	hear(a);
	assert_said(a, STATUS_OK, "uid 1000 may have " NAME);
	ck_assert_uint_eq(guard_asked(), 2);
	ck_assert_int_eq(device->state, STATE_HOST);
}
END_TEST

/* What is tolerated is the policy's of the moment it is used. */
START_TEST(policy_changes)
{
	struct asker *a = asker(1000), *b = asker(1001);

	mounted();
	acquire(a, 0);
	explain(b);
	load("allow uid 1000 use " NAME " managed\n"
	     "tolerate mounted on " NAME "\n");
	hear(b);
	assert_said(b, STATUS_DENIED, "does not let uid 1001 use " NAME);
	loop_until("a claim", is_claiming, NULL);
	ck_assert_uint_eq(guard_asked(), 2);
}
END_TEST

/* The session ends in the middle, acquiring and explaining. */
START_TEST(session_gone)
{
	struct asker *a = asker(1000), *b = asker(1000);

	guard_does(SLEEPS);
	acquire(a, 0);
	explain(b);
	acquisition_drop(a->s.acquisition);
	explain_forget(&a->s);
	explain_forget(&b->s);
	loop_until("the guards' end", nobody_is_left, NULL);
	ck_assert(a->s.busy && b->s.busy); /* nobody was answered */
	ck_assert_int_eq(device->state, STATE_HOST);
	ck_assert_ptr_null(device->wanted);
}
END_TEST

/* One of them gets it, and the other waits; his look was in vain. */
START_TEST(two_at_once)
{
	struct asker *a = asker(1000), *b = asker(1001), *loser;

	unused();
	acquire(a, 0);
	acquire(b, 0);
	loop_until("a claim", is_claiming, NULL);
	loser = device->wanted == a->s.acquisition ? b : a;
	ck_assert_ptr_nonnull(loser->s.acquisition);
	ck_assert_ptr_eq(device->wanted, (loser == a ? b : a)->s.acquisition);
	ck_assert(a->s.busy && b->s.busy);
}
END_TEST

/* Another card at the same address is another one. */
START_TEST(replaced)
{
	struct asker *a = asker(1000);

	unused();
	guard_does("exec /bin/cat $T/says");
	acquire(a, 0);
	life_removed(device);
	device = work_device(0, "igbvf");
	loop_until("a claim", is_claiming, NULL);
	ck_assert_uint_eq(guard_asked(), 2);
}
END_TEST

START_TEST(removed)
{
	struct asker *a = asker(1000), *b = asker(1000);

	unused();
	acquire(a, 0);
	explain(b);
	device->claimed = true;
	life_settle(device);
	life_removed(device);
	hear(a);
	assert_said(a, STATUS_NOT_FOUND, "there is no PCI device " NAME);
	hear(b);
	assert_said(b, STATUS_NOT_FOUND, "there is no PCI device " NAME);
	loop_until("the guards' end", nobody_is_left, NULL);
}
END_TEST

static bool
is_looked_at(void *arg)
{
	(void)arg;
	return device->look == NULL;
}

/* By a claim line: looked at, and not claimed for what is found. */
START_TEST(claimed)
{
	mounted();
	load("claim " NAME "\n");
	settle_all();
	ck_assert_ptr_nonnull(device->look);
	life_settle(device); /* one look at a time */
	loop_until("a look", is_looked_at, NULL);
	ck_assert_int_eq(device->state, STATE_HOST);
	ck_assert_uint_eq(
	    log_count(logfd, NAME " is not claimed: MOUNTED: vda on /srv"), 1);
	ck_assert_uint_eq(guard_asked(), 1);
	load("claim " NAME "\ntolerate mounted on " NAME "\n");
	settle_all();
	loop_until("a claim", is_claiming, NULL);
	ck_assert_uint_eq(guard_asked(), 2);
}
END_TEST

/* The answer is good, but the line is gone, the group is the host's, or
 * somebody has come first. */
START_TEST(claimed_no_more)
{
	struct device *sibling;
	struct asker *a = asker(1000);

	unused();
	load("claim " NAME "\n" ALLOWED);
	settle_all();
	switch (_i) {
	case 0:
		load("");
		settle_all();
		break;
	case 1:
		sibling = work_device(1, "e1000");
		sibling->facts.group = device->facts.group;
		break;
	case 2:
		work_device(0, "vfio-pci"); /* by hand, and no event yet */
		device->driver[0] = '\0';
		break;
	default:
		device->claim_failed = true;
		break;
	}
	loop_until("a look", is_looked_at, NULL);
	ck_assert_int_eq(device->state, _i == 2 ? STATE_READY : STATE_HOST);
	ck_assert(!a->s.busy);
}
END_TEST

int
main(void)
{
	TCase *tc = tcase_create("asked");
	Suite *s = suite_create("asked");

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, setup, work_teardown);
	tcase_add_test(tc, refused);
	tcase_add_test(tc, not_allowed);
	tcase_add_test(tc, cannot_tell);
	tcase_add_test(tc, with_the_group);
	tcase_add_test(tc, sibling_taken);
	tcase_add_test(tc, explained);
	tcase_add_test(tc, policy_changes);
	tcase_add_test(tc, session_gone);
	tcase_add_test(tc, two_at_once);
	tcase_add_test(tc, replaced);
	tcase_add_test(tc, removed);
	tcase_add_test(tc, claimed);
	tcase_add_loop_test(tc, claimed_no_more, 0, 4);
	suite_add_tcase(s, tc);
	return run_suite(s);
}
