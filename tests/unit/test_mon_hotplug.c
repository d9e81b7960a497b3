/* SPDX-License-Identifier: ISC */
/*
 * Devices that come, go and change drivers while the broker runs.  The kernel
 * itself tells of it: in a network namespace of our own root may have it send
 * uevents (since 4.18), which come from port 0 as all of the kernel's do.
 */

#include <linux/netlink.h>
#include <sched.h>

#include "broker/monitor/uevent.h"
#include "tests/unit/test_mon_ask.h"

#define DEVICES "sys/bus/pci/devices/"
#define NAME "0000:01:00.0"
#define FLOOD 10000 /* far more than the socket holds */

static const struct bdf bdf = { .bus = 1 };
static int kernelfd;

static void
setup(void)
{
	ask_setup("claim " NAME "\nallow uid 1000 use all managed\n");
	ck_assert_int_eq(unshare(CLONE_NEWNET), 0);
	ck_assert_int_eq(uevent_init(), 0);
	kernelfd =
	    socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_KOBJECT_UEVENT);
	ck_assert_int_ge(kernelfd, 0);
}

static bool
is_possible(void)
{
	int status;
	pid_t pid = fork();

	if (pid == 0)
		_exit(unshare(CLONE_NEWNET) == 0 ? 0 : 1);
	return pid > 0 && waitpid(pid, &status, 0) == pid && status == 0;
}

/* As the kernel, or as somebody whom nobody should believe. */
static void
tell(const char *action, const char *name, bool stranger)
{
	struct sockaddr_nl to = { .nl_family = AF_NETLINK,
		.nl_groups = stranger ? 1 : 0 };
	struct {
		struct nlmsghdr h;
		char text[256];
	} m = { .h = { .nlmsg_type = NLMSG_MIN_TYPE,
		    .nlmsg_flags = NLM_F_REQUEST } };
	size_t len = (size_t)snprintf(m.text, sizeof(m.text),
			 "%s@/%s%cACTION=%s%cSUBSYSTEM=pci%cPCI_SLOT_NAME=%s",
			 action, name, 0, action, 0, 0, name) +
		     1;

	m.h.nlmsg_len = (uint32_t)(NLMSG_HDRLEN + len);
	ck_assert_int_ge(sendto(kernelfd, stranger ? m.text : (void *)&m,
			     stranger ? len : m.h.nlmsg_len, 0,
			     (struct sockaddr *)&to, sizeof(to)),
	    0);
}

static void
plug(const char *name, const char *driver)
{
	fixture_pci(&tree,
	    &(struct fixture_pci){ .bdf = name, .driver = driver, .group = 5 });
}

static void
set_driver(const char *name, const char *driver)
{
	char target[64];

	snprintf(target, sizeof(target), "../drivers/%s", driver);
	fixture_link(&tree, target, DEVICES "%s/driver", name);
}

static bool
is_there(void *arg)
{
	(void)arg;
	return inventory_find(&bdf) != NULL;
}

static bool
is_gone(void *arg)
{
	(void)arg;
	return inventory_find(&bdf) == NULL;
}

static bool
is_in(void *arg)
{
	return inventory_find(&bdf)->state == *(enum state *)arg;
}

static void
assert_comes_to(enum state state)
{
	loop_until(state_name(state), is_in, &state);
}

/* Its driver comes later than the news of it: only then it is claimed. */
START_TEST(appears)
{
	plug(NAME, NULL);
	tell("add", NAME, false);
	loop_until("the device", is_there, NULL);
	ck_assert(life_arriving(inventory_find(&bdf)));
	ck_assert_int_eq(inventory_find(&bdf)->state, STATE_HOST);
	ck_assert_uint_eq(log_count(logfd, NAME " appeared"), 1);
	set_driver(NAME, "igbvf");
	tell("bind", NAME, false);
	assert_comes_to(STATE_CLAIMING);
	ck_assert_str_eq(inventory_find(&bdf)->driver, "igbvf");
}
END_TEST

/* None comes: it is claimed without. */
START_TEST(appears_bare)
{
	plug(NAME, NULL);
	tell("add", NAME, false);
	loop_until("the device", is_there, NULL);
	ck_assert_int_eq(inventory_find(&bdf)->state, STATE_HOST);
	assert_comes_to(STATE_CLAIMING);
}
END_TEST

START_TEST(leaves)
{
	plug(NAME, "igbvf");
	ck_assert_int_eq(inventory_scan(), 0);
	fixture_remove(&tree, DEVICES NAME);
	tell("remove", NAME, false);
	loop_until("its end", is_gone, NULL);
	tell("remove", NAME, false); /* not known: no matter */
	plug(NAME, "igbvf");
	tell("add", NAME, false);
	loop_until("it again", is_there, NULL);
}
END_TEST

static bool
is_anew(void *arg)
{
	(void)arg; /* its memory may be the old one's */
	return log_count(logfd, NAME " appeared") > 0;
}

/* Pulled and there again before we hear of the first: another one. */
START_TEST(replaced)
{
	plug(NAME, NULL);
	ck_assert_int_eq(inventory_scan(), 0);
	strcpy(inventory_find(&bdf)->why, "of the old one");
	tell("remove", NAME, false);
	loop_until("the new one", is_anew, NULL);
	ck_assert(is_there(NULL));
	ck_assert_str_ne(inventory_find(&bdf)->why, "of the old one");
	ck_assert(life_arriving(inventory_find(&bdf)));
}
END_TEST

/* Others bind it to a vfio driver, and take it off. */
START_TEST(moved_by_others)
{
	plug(NAME, NULL);
	ck_assert_int_eq(inventory_scan(), 0);
	set_driver(NAME, "vfio-pci");
	tell("bind", NAME, false);
	assert_comes_to(STATE_READY);
	ck_assert(!inventory_find(&bdf)->record.taken);
	set_driver(NAME, "igbvf");
	tell("unbind", NAME, false);
	assert_comes_to(STATE_CLAIMING); /* by way of host */
}
END_TEST

/* Only port 0 is the kernel. */
START_TEST(stranger)
{
	static const struct bdf other = { .bus = 1, .fn = 1 };

	plug(NAME, NULL);
	plug("0000:01:00.1", NULL);
	tell("add", "0000:01:00.1", true);
	tell("add", NAME, false); /* which is read behind that one */
	loop_until("the device", is_there, NULL);
	ck_assert_ptr_null(inventory_find(&other));
}
END_TEST

/* More than the socket holds, of which nobody reads any: all is read anew. */
START_TEST(lost)
{
	static const struct bdf moved = { .bus = 2 }, left = { .bus = 3 };
	struct device *d;

	plug("0000:02:00.0", NULL);
	plug("0000:03:00.0", NULL);
	ck_assert_int_eq(inventory_scan(), 0);
	plug(NAME, NULL);
	set_driver("0000:02:00.0", "vfio-pci");
	fixture_remove(&tree, DEVICES "0000:03:00.0");
	for (unsigned i = 0; i < FLOOD; i++)
		tell("change", "0000:09:00.0", false);
	loop_until("the new one", is_there, NULL);
	ck_assert_uint_ge(log_count(logfd, "uevents were lost"), 1);
	ck_assert_ptr_null(inventory_find(&left));
	d = inventory_find(&moved);
	ck_assert_ptr_nonnull(d);
	ck_assert_int_eq(d->state, STATE_READY);
	ck_assert(life_arriving(inventory_find(&bdf)));
}
END_TEST

int
main(void)
{
	TCase *tc = tcase_create("hotplug");
	Suite *suite = suite_create("hotplug");

	if (!is_possible()) {
		printf("hotplug: no network namespace of our own: skipped\n");
		return EXIT_SUCCESS;
	}
	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, setup, work_teardown);
	tcase_add_test(tc, appears);
	tcase_add_test(tc, appears_bare);
	tcase_add_test(tc, leaves);
	tcase_add_test(tc, replaced);
	tcase_add_test(tc, moved_by_others);
	tcase_add_test(tc, stranger);
	tcase_add_test(tc, lost);
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
