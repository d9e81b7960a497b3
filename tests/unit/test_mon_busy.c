/* SPDX-License-Identifier: ISC */
/*
 * What somebody else has, or one's own past: who is told of whom, who waits
 * and who is refused, and which siblings come along.
 */

#include "tests/unit/test_mon_ask.h"

#define GROUP 77
#define SIBLING 1002U /* may have the second function alone */
#define TAKER 1003U /* and take its siblings */
#define DENIED 1004U
#define LIMITED 1005U
#define COUNTED 1006U
#define LESS 1007U /* one line has the terms, another the count */
#define ADMIN 1009U

static const char policy[] =
    "allow uid 1000 use all managed\n"
    "allow uid 1001 use all managed\n"
    "allow uid 1002 use 0000:01:00.1 managed\n"
    "allow uid 1003 use 0000:01:00.1 managed siblings take\n"
    "allow uid 1004 use 0000:01:00.1 managed\n"
    "deny uid 1004 use 0000:01:00.0\n"
    "allow uid 1005 use all managed\n"
    "limit uid 1005 devices 1\n"
    "allow uid 1006 use all managed siblings take count 1\n"
    "allow uid 1007 use all managed siblings take count 1\n"
    "allow uid 1007 use 0000:01:00.1 managed\n"
    "admin uid 1009\n";

static struct answer answer;
static struct session *session; /* that asked last */

static void
setup(void)
{
	ask_setup(policy);
}

static struct device *
on_vfio(unsigned n)
{
	struct device *d = work_device(n, "vfio-pci");

	life_settle(d);
	return d;
}

/* Two of a group, which are on these drivers. */
static void
siblings(const char *first, const char *second)
{
	for (unsigned n = 0; n < 2; n++) {
		struct device *d = work_device(n, n == 0 ? first : second);

		d->facts.group = GROUP;
		life_settle(d);
	}
}

static struct device *
device(unsigned n)
{
	return inventory_find(&(struct bdf){ .bus = 1, .fn = n & 7 });
}

/* A user asks for a device in a session of its own. */
static void
asks_for(uid_t uid, unsigned n, uint32_t flags)
{
	struct mon_acquire m = { .ndevices = 1, .flags = flags };

	m.devices[0] = (struct bdf){ .bus = 1, .fn = n & 7 };
	session = ask_session(uid, &answer);
	ask(session, &answer, &m, MON_ACQUIRE);
}

/* Its grant; the fds of which stay open. */
static struct lease *
has(uid_t uid, unsigned n)
{
	asks_for(uid, n, 0);
	answer_wait(&answer);
	ck_assert_int_eq(answer.status, STATUS_OK);
	return lease_find(answer.grant.lease);
}

static void
assert_refused(enum status status, const char *why, const char *fix)
{
	answer_wait(&answer);
	ck_assert_int_eq(answer.status, status);
	ck_assert_msg(strstr(answer.why, why) != NULL, "%s", answer.why);
	ck_assert_msg(strstr(answer.fix, fix) != NULL, "%s", answer.fix);
}

static bool
is_claiming(void *arg)
{
	const struct device *d = arg;

	return d->state == STATE_CLAIMING;
}

START_TEST(held_by_another)
{
	on_vfio(0);
	has(USER, 0);
	asks_for(OTHER, 0, 0);
	assert_refused(STATUS_BUSY, "0000:01:00.0 is held by uid 1000, pid ",
	    "or an administrator can ask for it back: vfiobroker revoke ");
}
END_TEST

START_TEST(held_by_oneself)
{
	on_vfio(0);
	has(USER, 0);
	asks_for(USER, 0, 0);
	assert_refused(STATUS_BUSY, "0000:01:00.0 is held by uid 1000, pid ",
	    " is your own: it ends with that process\n");
}
END_TEST

/* Who may not have the sibling does not hear who has. */
START_TEST(sibling_held)
{
	siblings("vfio-pci", NULL);
	has(USER, 0);
	asks_for(SIBLING, 1, 0);
	assert_refused(STATUS_BUSY,
	    "0000:01:00.1 is in one IOMMU group (77) with 0000:01:00.0\n"
	    "0000:01:00.0 is leased\n",
	    "wait until its lease ends\n");
	asks_for(OTHER, 1, 0);
	assert_refused(STATUS_BUSY, "0000:01:00.0 is held by uid 1000, ", "");
}
END_TEST

START_TEST(sibling_of_the_host)
{
	siblings("igbvf", "vfio-pci");
	asks_for(SIBLING, 1, 0);
	assert_refused(STATUS_GROUP,
	    "with 0000:01:00.0, which the host uses by igbvf\n",
	    "ask for 0000:01:00.0 too, or an administrator can add `siblings "
	    "take'");
	ck_assert_int_eq(device(0)->state, STATE_HOST);
	/* A bridge, and one without a driver, are in nobody's way. */
	if (_i == 0)
		device(0)->is_bridge = true;
	else
		fixture_remove(
		    &tree, "sys/bus/pci/devices/0000:01:00.0/driver");
	has(SIBLING, 1);
	ck_assert_ptr_null(device(0)->lease);
}
END_TEST

/* One on a vfio driver comes along: the group's fd opens it anyway. */
START_TEST(sibling_comes_along)
{
	struct lease *l;

	siblings("vfio-pci", "vfio-pci");
	l = has(SIBLING, 1);
	ck_assert_ptr_eq(device(0)->lease, l);
	ck_assert_ptr_eq(device(1)->lease, l);
	ck_assert_uint_eq(answer.nfds, 3); /* one group, once */
}
END_TEST

/* Where the line says so it is taken from the host, before any is lent; here
 * nothing binds it, and that is what the refusal says. */
START_TEST(sibling_taken)
{
	siblings("igbvf", "vfio-pci");
	fixture_file(&tree, "", "sys/bus/pci/drivers/igbvf/unbind");
	/* His own claims are no device on its way from somebody else. */
	asks_for(TAKER, 1, MON_ACQUIRE_NO_WAIT);
	loop_until("its claim", is_claiming, device(0));
	ck_assert(!is_answered(&answer));
	acquisition_poke();
	assert_refused(STATUS_OS,
	    "0000:01:00.0 could not be moved to vfio-pci: bind: igbvf instead "
	    "of vfio-pci has it\n",
	    "");
	ck_assert_ptr_null(device(1)->lease);
	ck_assert_ptr_null(device(1)->wanted);
}
END_TEST

/* It is had like what was asked for, so it counts like that. */
START_TEST(sibling_counts)
{
	siblings("vfio-pci", "vfio-pci");
	asks_for(LIMITED, 1, 0);
	assert_refused(STATUS_LIMIT,
	    "limited to devices 1, with this request it would "
	    "be 2 (",
	    "an administrator can change line 8 of ");
	asks_for(COUNTED, 1, 0);
	assert_refused(STATUS_DENIED, ": lacks count 2 (",
	    ": allow uid 1006 use 0000:01:00.1\n");
	ck_assert_ptr_null(device(0)->lease);
	ck_assert_ptr_null(device(1)->lease);
	/* A line about the one alone does not count the other. */
	has(LESS, 1);
}
END_TEST

/* What the first line would take the second can not, though it covers it. */
START_TEST(sibling_on_other_terms)
{
	siblings("igbvf", "vfio-pci");
	asks_for(LESS, 1, 0);
	assert_refused(STATUS_GROUP,
	    "with 0000:01:00.0, which the host uses by igbvf\n",
	    "or to give the line that says `siblings take' a count that is "
	    "enough for them too\n");
	ck_assert_int_eq(device(0)->state, STATE_HOST);
}
END_TEST

START_TEST(sibling_denied)
{
	siblings("vfio-pci", "vfio-pci");
	asks_for(DENIED, 1, 0);
	assert_refused(STATUS_GROUP,
	    "0000:01:00.0 would come along in IOMMU group 77, and a line "
	    "denies it (",
	    "or take 0000:01:00.0 off its vfio driver\n");
	ck_assert_ptr_null(device(1)->lease);
}
END_TEST

/* On its way back: who can wait gets it, who can not is told what it is. */
START_TEST(waits)
{
	struct answer first;

	on_vfio(0);
	vfio.unheld = -EBUSY;
	lease_end(has(USER, 0), "over");
	asks_for(OTHER, 0, MON_ACQUIRE_NO_WAIT);
	assert_refused(STATUS_BUSY, "0000:01:00.0 is draining: over\n",
	    "try again in a moment; vfiobroker show 0000:01:00.0 ");
	asks_for(OTHER, 0, 0);
	ck_assert(!is_answered(&answer));
	first = answer;
	asks_for(USER, 0, 0);
	ck_assert(!is_answered(&answer));
	vfio.unheld = 0;
	answer_wait(&first); /* who came first */
	ck_assert_int_eq(first.status, STATUS_OK);
	assert_refused(STATUS_BUSY, "is held by uid 1001", "");
}
END_TEST

/* Who leaves is not waited for. */
START_TEST(leaves)
{
	struct answer first;

	on_vfio(0);
	vfio.unheld = -EBUSY;
	lease_end(has(USER, 0), "over");
	asks_for(OTHER, 0, 0);
	ck_assert(!is_answered(&answer));
	session_close(session);
	asks_for(USER, 0, 0);
	first = answer;
	vfio.unheld = 0;
	answer_wait(&first);
	ck_assert_int_eq(first.status, STATUS_OK);
}
END_TEST

/*
 * One of two is ready and the other not yet: the first is nobody else's, and
 * nor is what shares its group, until who wants both has them or leaves.
 */
START_TEST(wanted)
{
	struct mon_acquire m = { .ndevices = 2 };
	struct session *first;

	siblings("vfio-pci", NULL);
	work_device(2, "igbvf");
	m.devices[0] = (struct bdf){ .bus = 1 };
	m.devices[1] = (struct bdf){ .bus = 1, .fn = 2 };
	first = ask_session(USER, &answer);
	ask(first, &answer, &m, MON_ACQUIRE);
	loop_until("its claim", is_claiming, device(2));
	ck_assert(!is_answered(&answer));
	ck_assert_int_eq(device(0)->state, STATE_READY);
	asks_for(OTHER, 0, MON_ACQUIRE_NO_WAIT);
	assert_refused(STATUS_BUSY, "0000:01:00.0 is ready", "try again");
	asks_for(SIBLING, 1, MON_ACQUIRE_NO_WAIT);
	assert_refused(STATUS_BUSY,
	    "0000:01:00.1 is in one IOMMU group (77) with 0000:01:00.0\n",
	    "try again");
	asks_for(SIBLING, 1, 0);
	ck_assert(!is_answered(&answer));
	session_close(first);
	ck_assert_ptr_null(device(0)->wanted);
	ck_assert_ptr_null(device(2)->wanted);
	loop_until("its claim", is_claiming, device(1));
}
END_TEST

/* Not for ever: twenty seconds and the workers' time, which is as much less
 * here as leaves one. */
START_TEST(waits_in_vain)
{
	on_vfio(0);
	vfio.unheld = -EBUSY;
	lease_end(has(USER, 0), "over");
	config.worker_timeout = 1 - 20U;
	asks_for(OTHER, 0, 0);
	ck_assert(!is_answered(&answer));
	assert_refused(STATUS_BUSY, "0000:01:00.0 is draining: ", "try again");
}
END_TEST

/* More for a lease that ends while that is waited for. */
START_TEST(lease_over_meanwhile)
{
	struct mon_acquire m = { .ndevices = 1 };
	struct lease *l;

	on_vfio(0);
	work_device(1, "igbvf");
	l = has(USER, 0);
	m.lease = l->id;
	m.devices[0] = (struct bdf){ .bus = 1, .fn = 1 };
	ask(session, &answer, &m, MON_ACQUIRE);
	loop_until("its claim", is_claiming, device(1));
	ck_assert(!is_answered(&answer));
	vfio.unheld = -EBUSY;
	lease_end(l, "over");
	assert_refused(STATUS_NOT_FOUND, "lease 1 is over\n", "");
	ck_assert_ptr_null(device(1)->wanted);
}
END_TEST

/* His lease is over, but he has the device: he gets another one after it. */
START_TEST(still_counts)
{
	on_vfio(0);
	on_vfio(1);
	vfio.unheld = -EBUSY;
	lease_end(has(LIMITED, 0), "over");
	asks_for(LIMITED, 1, MON_ACQUIRE_NO_WAIT);
	assert_refused(STATUS_BUSY,
	    "which is over, still counts: it is draining",
	    "end the processes that have it open, or wait\n");
	asks_for(LIMITED, 1, 0);
	ck_assert(!is_answered(&answer));
	vfio.unheld = 0;
	answer_wait(&answer);
	ck_assert_int_eq(answer.status, STATUS_OK);
	asks_for(LIMITED, 0, 0);
	assert_refused(STATUS_LIMIT, "devices 1", "");
}
END_TEST

START_TEST(quarantined)
{
	struct mon_recover m = { .device = { .bus = 1 } };
	struct device *d = on_vfio(0);

	d->record.lease = 42; /* and never reset since */
	d->state = STATE_QUARANTINED;
	strcpy(d->why, "reset: no");
	asks_for(USER, 0, 0);
	assert_refused(STATUS_BUSY, "0000:01:00.0 is quarantined: reset: no\n",
	    "an administrator can say it is fit: vfiobroker recover "
	    "0000:01:00.0\n");
	ask(session, &answer, &m, MON_RECOVER);
	assert_refused(STATUS_DENIED, "only administrators may clear",
	    "policy.conf: admin uid 1000\n");
	session = ask_session(ADMIN, &answer);
	ask(session, &answer, &m, MON_RECOVER);
	answer_wait(&answer);
	ck_assert_int_eq(answer.status, STATUS_OK);
	ask(session, &answer, &m, MON_RECOVER);
	assert_refused(STATUS_NOT_FOUND,
	    "0000:01:00.0 is not in quarantine (see: vfiobroker show "
	    "0000:01:00.0)\n",
	    "");
	has(USER, 0);
}
END_TEST

/* Asked for as it is, it is not taken from its driver. */
START_TEST(unmanaged)
{
	work_device(0, "igbvf");
	on_vfio(1);
	asks_for(USER, 0, MON_ACQUIRE_UNMANAGED);
	assert_refused(STATUS_DENIED,
	    "0000:01:00.0 is on igbvf, not on vfio-pci, and was asked for "
	    "unmanaged\n",
	    "ask for it managed, or bind it to vfio-pci first\n");
	ck_assert_int_eq(device(0)->state, STATE_HOST);
	asks_for(USER, 1, MON_ACQUIRE_UNMANAGED);
	answer_wait(&answer);
	ck_assert_int_eq(answer.status, STATUS_OK);
}
END_TEST

/* Nobody can tell what the host needs it for: then it is not taken either. */
START_TEST(host_unknown)
{
	work_device(0, "igbvf");
	host.error = -EIO;
	asks_for(USER, 0, 0);
	assert_refused(STATUS_HOST_IN_USE,
	    "cannot tell whether the host needs 0000:01:00.0: ",
	    "an administrator can see what is wrong with its files");
	ck_assert_int_eq(device(0)->state, STATE_HOST);
}
END_TEST

/* In a container a uid says nothing, whatever the policy lets it have. */
START_TEST(foreign)
{
	struct mon_acquire m = { .ndevices = 1, .devices = { { .bus = 1 } } };

	on_vfio(0);
	session = ask_session(USER, &answer);
	session->peer.foreign = true;
	ask(session, &answer, &m, MON_ACQUIRE);
	assert_refused(STATUS_DENIED, "you are in another user namespace",
	    "run the command outside the container");
	ck_assert_ptr_null(device(0)->lease);
}
END_TEST

int
main(void)
{
	TCase *tc = tcase_create("busy");
	Suite *suite = suite_create("busy");

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, setup, work_teardown);
	tcase_add_test(tc, held_by_another);
	tcase_add_test(tc, held_by_oneself);
	tcase_add_test(tc, sibling_held);
	tcase_add_loop_test(tc, sibling_of_the_host, 0, 2);
	tcase_add_test(tc, sibling_comes_along);
	tcase_add_test(tc, sibling_taken);
	tcase_add_test(tc, sibling_counts);
	tcase_add_test(tc, sibling_on_other_terms);
	tcase_add_test(tc, sibling_denied);
	tcase_add_test(tc, waits);
	tcase_add_test(tc, leaves);
	tcase_add_test(tc, wanted);
	tcase_add_test(tc, waits_in_vain);
	tcase_add_test(tc, lease_over_meanwhile);
	tcase_add_test(tc, unmanaged);
	tcase_add_test(tc, host_unknown);
	tcase_add_test(tc, foreign);
	tcase_add_test(tc, still_counts);
	tcase_add_test(tc, quarantined);
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
