/* SPDX-License-Identifier: ISC */
/*
 * From a request for devices to the grant: all of them or none, and what a
 * refusal says of why and of what would mend it.
 */

#include <sched.h>
#include <sys/mount.h>

#include "tests/unit/test_mon_ask.h"

#define RECORDS "run/devices/"

static struct session *s;
static struct answer answer;

static void
setup(void)
{
	ask_setup("allow uid 1000 use all managed memlock unlimited\n"
		  "allow uid 0 use all managed memlock unlimited\n"
		  "limit uid 0 memlock 24K\n");
	s = ask_session(USER, &answer);
}

static struct device *
ready(unsigned n)
{
	struct device *d = work_device(n, "vfio-pci");

	life_settle(d);
	ck_assert_int_eq(d->state, STATE_READY);
	return d;
}

static void
acquire(struct mon_acquire m)
{
	ask(s, &answer, &m, MON_ACQUIRE);
}

static void
assert_refused(enum status status, const char *why, const char *fix)
{
	answer_wait(&answer);
	ck_assert_int_eq(answer.status, status);
	ck_assert_uint_eq(answer.nfds, 0);
	ck_assert_msg(strstr(answer.why, why) != NULL, "%s", answer.why);
	ck_assert_msg(strstr(answer.fix, fix) != NULL, "%s", answer.fix);
}

static bool
is_at_rest(void *arg)
{
	const struct device *d = arg;

	return d->state == STATE_READY || d->state == STATE_QUARANTINED;
}

static bool
is_claiming(void *arg)
{
	const struct device *d = arg;

	return d->state == STATE_CLAIMING;
}

static void
assert_free(const struct device *d)
{
	ck_assert_ptr_null(d->lease);
	ck_assert_ptr_null(d->held_by);
	ck_assert_uint_eq(d->record.lease, 0);
}

START_TEST(granted)
{
	struct device *d = ready(0), *e = ready(1);
	struct lease *l;

	acquire(ask_for(2));
	answer_wait(&answer);
	ck_assert_int_eq(answer.status, STATUS_OK);
	ck_assert_uint_eq(answer.grant.nfds, 4); /* container, lease, groups */
	ck_assert_uint_eq(answer.nfds, 4);
	l = lease_find(answer.grant.lease);
	ck_assert_ptr_nonnull(l);
	ck_assert_ptr_eq(d->lease, l);
	ck_assert_ptr_eq(e->lease, l);
}
END_TEST

/* The second of two can not be written down: a restart would not know of it,
 * so nobody gets the first either. */
START_TEST(second_not_written_down)
{
	struct device *d = ready(0), *e = ready(1);
	struct record r;

	fixture_dir(&tree, RECORDS "%s", device_name(e));
	acquire(ask_for(2));
	assert_refused(STATUS_OS, "cannot write down the lease in ",
	    "an administrator can see what is wrong there");
	ck_assert(TAILQ_EMPTY(&leases));
	ck_assert_int_eq(e->state, STATE_READY);
	assert_free(e);
	ck_assert_ptr_null(d->lease);
	ck_assert_int_eq(d->state, STATE_DRAINING);
	/* What a restart would read. */
	ck_assert_int_eq(record_read(&d->facts.bdf, &r), 0);
	ck_assert_str_ne(r.step, "leased");
}
END_TEST

/* Devices for a lease that one has: it stays as it was. */
START_TEST(more_not_written_down)
{
	struct device *d = ready(0), *e = ready(1), *f = ready(2);
	struct mon_acquire m = ask_for(3);
	struct lease *l;

	acquire(ask_for(1));
	answer_wait(&answer);
	l = d->lease;
	ck_assert_ptr_nonnull(l);
	fixture_dir(&tree, RECORDS "%s", device_name(f));
	m.lease = l->id;
	m.ndevices = 2;
	m.devices[0] = e->facts.bdf;
	m.devices[1] = f->facts.bdf;
	m.devices[2] = (struct bdf){ .bus = 0 };
	acquire(m);
	assert_refused(STATUS_OS, "cannot write down the lease in ", "ls -lR ");
	ck_assert_ptr_eq(d->lease, l);
	ck_assert_int_eq(d->state, STATE_LEASED);
	ck_assert_ptr_null(e->lease);
	ck_assert_int_eq(e->state, STATE_DRAINING);
	ck_assert_int_eq(f->state, STATE_READY);
	ck_assert_ptr_eq(TAILQ_FIRST(&l->devices), d);
	ck_assert_ptr_null(TAILQ_NEXT(d, of_lease));
}
END_TEST

/* Nor is there a lease without its own file. */
START_TEST(lease_not_written_down)
{
	struct device *d = ready(0);

	fixture_remove(&tree, "run/leases");
	acquire(ask_for(1));
	assert_refused(STATUS_OS, "No such file or directory\n",
	    "an administrator can see what is wrong there (ls -lR ");
	ck_assert(TAILQ_EMPTY(&leases));
	ck_assert_int_eq(d->state, STATE_READY);
	assert_free(d);
}
END_TEST

/* A run directory of a file system of its own, all of it in use. */
static bool
fill_rundir(void)
{
	char path[128], byte = 0;
	int fd;

	snprintf(path, sizeof(path), "%s/run", tree.root);
	if (unshare(CLONE_NEWNS) != 0 ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
	    mount("tmpfs", path, "tmpfs", 0, "size=64k") != 0)
		return false;
	ck_assert_int_eq(rundir_open(path), 0);
	strcat(path, "/full"); /* rootfd is of the old mounts */
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	ck_assert_int_ge(fd, 0);
	while (write(fd, &byte, 1) == 1)
		continue;
	ck_assert_int_eq(errno, ENOSPC);
	close(fd);
	return true;
}

START_TEST(rundir_full)
{
	struct device *d = ready(0);
	char path[128];

	if (!fill_rundir()) {
		printf("no mount of our own: a full one is not tried\n");
		return;
	}
	acquire(ask_for(1));
	assert_refused(STATUS_OS, "No space left on device\n",
	    "an administrator can make room there (see: df ");
	ck_assert(TAILQ_EMPTY(&leases));
	assert_free(d);
	snprintf(path, sizeof(path), "%s/run", tree.root);
	ck_assert_int_eq(umount2(path, MNT_DETACH), 0);
}
END_TEST

/*
 * What a lease has already is not asked for again: neither the group, which
 * opens once, nor the memory, which the request names in all.
 */
START_TEST(extended)
{
	struct device *d = ready(0), *e = work_device(1, NULL);
	struct mon_acquire m = ask_for(1);

	e->facts.group = d->facts.group;
	s = ask_session(0, &answer); /* whose process this one is */
	m.memlock = 16384;
	acquire(m);
	answer_wait(&answer);
	ck_assert_int_eq(answer.status, STATUS_OK);
	ck_assert_uint_eq(d->lease->memlock, 16384);
	ck_assert_ptr_null(e->lease);

	fixture_link(&tree, "../drivers/vfio-pci",
	    "sys/bus/pci/devices/0000:01:00.1/driver");
	m.lease = d->lease->id;
	m.memlock = 24576;
	m.devices[0] = e->facts.bdf;
	acquire(m);
	answer_wait(&answer);
	ck_assert_int_eq(answer.status, STATUS_OK);
	ck_assert_ptr_eq(e->lease, d->lease);
	ck_assert_uint_eq(d->lease->memlock, 24576);
	ck_assert_uint_eq(answer.grant.nfds, 1);
	ck_assert_int_eq(answer.grant.fds[0].kind, MON_FD_CONTAINER);

	m.memlock = 24577; /* the limit */
	m.devices[0] = ready(2)->facts.bdf;
	acquire(m);
	assert_refused(STATUS_LIMIT, "memlock", "");
}
END_TEST

/* One without a reset of its own goes on only where the line says so. */
START_TEST(reset_none)
{
	struct device *d = ready(0);

	if (_i == 1)
		ask_policy("allow uid 1000 use all managed reset none\n");
	fixture_remove(&tree, "sys/bus/pci/devices/0000:01:00.0/reset_method");
	d->record.reset_none = _i == 0; /* as it was for the one before */
	acquire(ask_for(1));
	answer_wait(&answer);
	ck_assert_int_eq(answer.status, STATUS_OK);
	lease_end(d->lease, "over");
	loop_until("its rest", is_at_rest, d);
	ck_assert_int_eq(d->state, _i == 0 ? STATE_QUARANTINED : STATE_READY);
}
END_TEST

/* Its limit can not be raised: nothing is lent, and it is not called a matter
 * of the lease.  Our own process is root's, and so not that user's. */
START_TEST(memlock_of_another)
{
	struct mon_acquire m = ask_for(1);
	struct device *d = ready(0);

	m.memlock = 1;
	acquire(m);
	assert_refused(STATUS_DENIED,
	    "cannot raise the limit of locked memory: the process is another "
	    "user's\n",
	    "name a process that runs with your own uid\n");
	ck_assert(TAILQ_EMPTY(&leases));
	assert_free(d);
}
END_TEST

/* So it is for a lease that one has. */
START_TEST(memlock_later)
{
	struct mon_set_memlock m = { .memlock = 1 };
	pid_t pid = child_idle();

	ready(0);
	acquire(ask_for(1));
	answer_wait(&answer);
	ck_assert_int_eq(answer.status, STATUS_OK);
	m.lease = answer.grant.lease;
	ask(s, &answer, &m, MON_SET_MEMLOCK);
	assert_refused(
	    STATUS_DENIED, "the process is another user's\n", "your own uid\n");
	close(s->peer.pidfd);
	s->peer.pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	child_kill(pid);
	ask(s, &answer, &m, MON_SET_MEMLOCK);
	assert_refused(STATUS_OS, "the process is gone\n",
	    "start it again, and ask while it runs\n");
	ask_policy("");
	ask(s, &answer, &m, MON_SET_MEMLOCK);
	assert_refused(STATUS_DENIED,
	    "no line of the policy is about a device of lease ",
	    "an administrator can add one (see: vfiobroker explain)\n");
}
END_TEST

static const struct {
	int container, group;
	enum status status;
	const char *why, *fix;
} nodes[] = {
	{ -ENODEV, 0, STATUS_UNAVAILABLE,
	    "cannot open /dev/vfio/vfio: ", "load the vfio module" },
	{ -ENOENT, 0, STATUS_UNAVAILABLE,
	    "cannot open /dev/vfio/vfio: ", "load the vfio module" },
	{ -EPERM, 0, STATUS_UNAVAILABLE,
	    "cannot open /dev/vfio/vfio: ", "DeviceAllow=" },
	{ 0, -EBUSY, STATUS_BUSY, "group 1 is open in a process",
	    "fuser -v /dev/vfio/1" },
	{ 0, -EADDRINUSE, STATUS_GROUP, "group 1 is not viable",
	    "unbind that member" },
	{ 0, -EACCES, STATUS_OS, "cannot open /dev/vfio/1: Permission denied\n",
	    "an administrator can see what is wrong with it (ls -lR "
	    "/dev/vfio; dmesg)\n" },
};

/* No node, no lease. */
START_TEST(not_opened)
{
	struct device *d = ready(0);

	vfio.container = nodes[_i].container;
	vfio.group = nodes[_i].group;
	acquire(ask_for(1));
	assert_refused(nodes[_i].status, nodes[_i].why, nodes[_i].fix);
	ck_assert(TAILQ_EMPTY(&leases));
	assert_free(d);
}
END_TEST

/* What has just arrived may get its driver at any moment: a claim before that
 * would note that there was none. */
START_TEST(arriving)
{
	struct device *d = work_device(0, NULL);

	life_arrived(d);
	ck_assert(life_arriving(d));
	acquire(ask_for(1));
	ck_assert(!is_answered(&answer));
	ck_assert_int_eq(d->state, STATE_HOST);
	/* No driver came in a second: it is taken without one. */
	loop_until("its claim", is_claiming, d);
	ck_assert(!life_arriving(d));
	ck_assert(!is_answered(&answer));
}
END_TEST

/* Who does not wait is told that it pays to. */
START_TEST(arriving_no_wait)
{
	struct device *d = work_device(0, NULL);
	struct mon_acquire m = ask_for(1);

	life_arrived(d);
	m.flags = MON_ACQUIRE_NO_WAIT;
	acquire(m);
	assert_refused(
	    STATUS_BUSY, "0000:01:00.0 is host", "try again in a moment");
	ck_assert_int_eq(d->state, STATE_HOST);
}
END_TEST

#define N(a) ((int)(sizeof(a) / sizeof((a)[0])))

int
main(void)
{
	TCase *tc = tcase_create("acquire");
	Suite *suite = suite_create("acquire");

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, setup, work_teardown);
	tcase_add_test(tc, granted);
	tcase_add_test(tc, second_not_written_down);
	tcase_add_test(tc, more_not_written_down);
	tcase_add_test(tc, lease_not_written_down);
	tcase_add_test(tc, rundir_full);
	tcase_add_test(tc, extended);
	tcase_add_loop_test(tc, reset_none, 0, 2);
	tcase_add_test(tc, memlock_of_another);
	tcase_add_test(tc, memlock_later);
	tcase_add_loop_test(tc, not_opened, 0, N(nodes));
	tcase_add_test(tc, arriving);
	tcase_add_test(tc, arriving_no_wait);
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
