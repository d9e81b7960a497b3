/* SPDX-License-Identifier: ISC */
/*
 * A lease lives exactly as long as any copy of its open file, wherever that
 * copy is.  Here with the kernel's real files, locks and inotify, and the
 * monitor's real loop: what ends a lease, and what must not.
 */

#include <sys/file.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <stdio.h>

#include "broker/common/fdpass.h"
#include "broker/monitor/acquire.h"
#include "broker/monitor/config.h"
#include "broker/monitor/inventory.h"
#include "broker/monitor/lease.h"
#include "broker/monitor/leasefile.h"
#include "broker/monitor/life.h"
#include "broker/monitor/rundir.h"
#include "broker/monitor/worker.h"
#include "tests/unit/fixture.h"
#include "tests/unit/test_mon.h"

static const struct peer peer = {
	.who.uid = 1000, .pid = 4242, .pidfd = -1, .comm = "qemu"
};

static const struct mon_acquire nothing = { .memlock = 0 };
static const struct mon_acquire wish = { .memlock = 1 << 30, .label = "guest" };

static struct fixture tree;
static struct lease *lease;
static uint64_t id;
static int holder; /* what a client would have */

static void
setup(void)
{
	char path[128];

	log_capture();
	fixture_init(&tree);
	config.sysroot = tree.root;
	snprintf(path, sizeof(path), "%s/run", tree.root);
	ck_assert_int_eq(loop_init(), 0);
	ck_assert_int_eq(rundir_open(path), 0);
	ck_assert_int_eq(acquisition_init(), 0);
	ck_assert_int_eq(lease_init(), 0);
	ck_assert_int_eq(lease_create(&peer, &wish, &lease, &holder), 0);
	id = lease->id;
}

static void
teardown(void)
{
	fixture_fini(&tree);
}

static int
open_file(uint64_t which)
{
	char path[64];

	snprintf(
	    path, sizeof(path), "run/leases/%llu", (unsigned long long)which);
	return openat(tree.rootfd, path, O_RDONLY | O_CLOEXEC);
}

static bool
file_is_there(uint64_t which)
{
	int fd = open_file(which);

	if (fd == -1)
		return false;
	close(fd);
	return true;
}

static bool
is_over(void *arg)
{
	return lease_find(*(uint64_t *)arg) == NULL;
}

static bool
has_no_doubt(void *arg)
{
	const struct lease *l = arg;

	/* All trials are made: none came out as the last close. */
	return l->doubts > 0 && !event_pending(l->doubt, EV_TIMEOUT, NULL);
}

static bool
has_doubt(void *arg)
{
	const struct lease *l = arg;

	return l->doubts > 0;
}

static void
assert_ends(void)
{
	loop_until("the end of the lease", is_over, &id);
	ck_assert(!file_is_there(id));
	ck_assert(TAILQ_EMPTY(&leases));
}

/*
 * Nothing that happened up to now has ended it: a reader's close is the last
 * of all events in the queue, and every trial that it leads to is waited for.
 */
static void
assert_lives(void)
{
	lease->doubts = 0;
	close(open_file(id));
	loop_until("the doubts about a lease", has_no_doubt, lease);
	ck_assert_ptr_eq(lease_find(id), lease);
	ck_assert(file_is_there(id));
}

/* It is over, and one of its devices is not free: it is kept, once. */
START_TEST(over_but_held)
{
	struct device d = { .state = STATE_DRAINING };
	struct lease *next;
	int fd;

	lease_add(lease, &d);
	lease_drop(lease, &d);
	/* A reader's close leads to trials, which must end with the lease. */
	close(open_file(id));
	loop_until("a doubt", has_doubt, lease);
	lease_end(lease, "released");
	ck_assert_ptr_null(lease->doubt);
	ck_assert_ptr_eq(TAILQ_FIRST(&ended_leases), lease);
	ck_assert_ptr_eq(TAILQ_NEXT(lease, entry), NULL);
	ck_assert(TAILQ_EMPTY(&leases));
	ck_assert(!file_is_there(id));
	ck_assert_int_eq(
	    faccessat(rundir_dirfd(RUNDIR_LEASES), "1.ended", F_OK, 0), 0);
	ck_assert_int_eq(lease_create(&peer, &nothing, &next, &fd), 0);
	ck_assert_ptr_eq(lease_find(next->id), next);
	lease_unheld(&d);
	ck_assert_ptr_null(d.held_by);
	ck_assert(TAILQ_EMPTY(&ended_leases));
	ck_assert_int_eq(
	    faccessat(rundir_dirfd(RUNDIR_LEASES), "1.ended", F_OK, 0), -1);
	ck_assert_ptr_eq(TAILQ_FIRST(&leases), next);
	close(fd);
}
END_TEST

START_TEST(made)
{
	char text[LEASE_TEXT_MAX];
	struct lease read = { .probefd = -1 };
	struct stat st;
	ssize_t n;

	ck_assert_int_eq(fstat(holder, &st), 0);
	ck_assert_uint_eq(st.st_mode, S_IFREG | 0600);
	ck_assert_int_eq(fcntl(holder, F_GETFL) & O_ACCMODE, O_RDONLY);
	ck_assert_int_eq(fcntl(holder, F_GETFD), FD_CLOEXEC);
	ck_assert_int_eq(fcntl(lease->probefd, F_GETFD), FD_CLOEXEC);
	n = pread(holder, text, sizeof(text), 0);
	ck_assert_int_gt(n, 0);
	ck_assert_int_eq(lease_parse(text, (size_t)n, &read), 0);
	ck_assert_uint_eq(read.id, id);
	ck_assert_uint_eq(read.uid, 1000);
	ck_assert_int_eq(read.pid, 4242);
	ck_assert_str_eq(read.comm, "qemu");
	ck_assert_str_eq(read.label, "guest");
	ck_assert_uint_eq(read.memlock, 1 << 30);
	ck_assert_uint_le(clock_wall_us() / 1000000 - read.since, 60);
	assert_lives();
}
END_TEST

/* More memory is written down in place: the holder's file is still the lease. */
START_TEST(raised)
{
	char text[LEASE_TEXT_MAX], again[LEASE_TEXT_MAX];
	struct lease read = { .probefd = -1 };
	struct stat before, after;
	ssize_t n;
	int fd;

	ck_assert_int_eq(fstat(holder, &before), 0);
	lease_raise(lease, UINT64_C(123) << 40);
	ck_assert_uint_eq(lease->memlock, UINT64_C(123) << 40);
	fd = open_file(id);
	ck_assert_int_eq(fstat(fd, &after), 0);
	ck_assert_uint_eq(after.st_ino, before.st_ino);
	/* What a next broker reads. */
	n = pread(fd, text, sizeof(text), 0);
	ck_assert_int_gt(n, 0);
	ck_assert_int_eq(lease_parse(text, (size_t)n, &read), 0);
	ck_assert_uint_eq(read.id, id);
	ck_assert_uint_eq(read.uid, 1000);
	ck_assert_str_eq(read.label, "guest");
	ck_assert_uint_eq(read.since, lease->since);
	ck_assert_uint_eq(read.memlock, UINT64_C(123) << 40);
	ck_assert_int_eq(flock(fd, LOCK_EX | LOCK_NB), -1);
	ck_assert_int_eq(errno, EWOULDBLOCK);
	close(fd);
	assert_lives();
	/* Never less. */
	lease_raise(lease, 1);
	ck_assert_uint_eq(lease->memlock, UINT64_C(123) << 40);
	ck_assert_int_eq(pread(holder, again, sizeof(again), 0), n);
	ck_assert_mem_eq(again, text, (size_t)n);
	close(holder);
	assert_ends();
}
END_TEST

START_TEST(closed)
{
	close(holder);
	assert_ends();
}
END_TEST

START_TEST(copies)
{
	int second = dup(holder), third = dup(holder);

	close(holder);
	close(third);
	assert_lives();
	close(second);
	assert_ends();
}
END_TEST

START_TEST(inherited)
{
	pid_t child = child_idle();

	close(holder);
	assert_lives();
	child_kill(child);
	assert_ends();
}
END_TEST

/* In nobody's table, and still open: in a message that nobody has received. */
START_TEST(in_flight)
{
	int fds[2], got = -1;
	size_t n = 1;
	char byte = 0;

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fds), 0);
	ck_assert_int_eq(fdpass_send(fds[0], &byte, 1, &holder, 1), 0);
	close(holder);
	assert_lives();
	ck_assert_int_eq(fdpass_recv(fds[1], &byte, 1, &got, &n, 0), 1);
	assert_lives();
	ck_assert_int_eq(fdpass_send(fds[0], &byte, 1, &got, 1), 0);
	close(got);
	close(fds[0]);
	assert_lives();
	close(fds[1]);
	assert_ends();
}
END_TEST

START_TEST(mapped)
{
	void *map = mmap(NULL, 1, PROT_READ, MAP_PRIVATE, holder, 0);

	ck_assert_ptr_ne(map, MAP_FAILED);
	close(holder);
	assert_lives();
	munmap(map, 1);
	assert_ends();
}
END_TEST

/* No event tells of it: the sweep has to. */
START_TEST(unlocked)
{
	uint64_t start = clock_us();

	ck_assert_int_eq(flock(holder, LOCK_UN), 0);
	assert_ends();
	ck_assert_uint_lt(clock_us() - start, 15000000);
	close(holder);
}
END_TEST

/* A holder who takes the lock more tightly hurts nobody. */
START_TEST(locked_exclusively)
{
	ck_assert_int_eq(flock(holder, LOCK_EX | LOCK_NB), 0);
	assert_lives();
	close(holder);
	assert_ends();
}
END_TEST

START_TEST(readers)
{
	int fds[8];

	for (int i = 0; i < 8; i++) {
		fds[i] = open_file(id);
		ck_assert_int_ge(fds[i], 0);
	}
	for (int i = 0; i < 7; i++)
		close(fds[i]);
	assert_lives();
	close(holder);
	assert_ends(); /* with a reader left, who has no lock */
	close(fds[7]);
}
END_TEST

/* Released by request: over at once, with the holder's copies still open. */
START_TEST(released)
{
	int old = holder;

	lease_end(lease, "released");
	ck_assert_ptr_null(lease_find(id));
	ck_assert(!file_is_there(id));
	ck_assert_int_eq(lease_create(&peer, &nothing, &lease, &holder), 0);
	ck_assert_uint_ne(lease->id, id);
	id = lease->id;
	close(old);
	assert_lives();
}
END_TEST

START_TEST(one_of_many)
{
	struct lease *l[20];
	int fds[20];

	for (int i = 0; i < 20; i++)
		ck_assert_int_eq(
		    lease_create(&peer, &nothing, &l[i], &fds[i]), 0);
	close(holder);
	loop_until("the end of the lease", is_over, &id);
	for (int i = 0; i < 20; i++) {
		id = l[i]->id;
		lease = l[i];
		if (i == 7)
			assert_lives();
		close(fds[i]);
		loop_until("the end of the lease", is_over, &id);
	}
	ck_assert(TAILQ_EMPTY(&leases));
}
END_TEST

/* So many events that the kernel drops the one that counts. */
START_TEST(events_lost)
{
	char text[16] = "";
	uint64_t start = clock_us(), others[2];
	struct lease *l;
	int fd, limit;

	fd = open("/proc/sys/fs/inotify/max_queued_events", O_RDONLY);
	ck_assert_int_gt(read(fd, text, sizeof(text) - 1), 0);
	close(fd);
	limit = atoi(text);
	if (limit > 200000)
		return;
	for (int i = 0; i < 2; i++) {
		ck_assert_int_eq(lease_create(&peer, &nothing, &l, &fd), 0);
		others[i] = l->id;
	}
	/* In turn: equal events one after another count as one. */
	for (int i = 0; i < limit; i++)
		close(open_file(others[i % 2]));
	close(holder);
	loop_until("the end of the lease", is_over, &id);
	ck_assert_ptr_nonnull(lease_find(others[0]));
	ck_assert_ptr_nonnull(lease_find(others[1]));
	/* Well before the sweep would have found it. */
	ck_assert_uint_lt(clock_us() - start, 4000000);
}
END_TEST

static void
on_child(void *arg)
{
	pid_t pid;

	(void)arg;
	while ((pid = waitpid(-1, NULL, WNOHANG)) > 0)
		worker_reaped(pid);
}

static bool
is_home(void *arg)
{
	return ((struct device *)arg)->state == STATE_HOST;
}

/* The lease's device is free at once; what follows is the device's life. */
START_TEST(device_comes_home)
{
	static const struct bdf bdf = { .bus = 1 };
	struct event *child;
	struct device *d;

	life_init();
	config.worker_timeout = 60;
	ck_assert_int_eq(
	    loop_event(&child, SIGCHLD, EV_SIGNAL | EV_PERSIST, on_child, NULL),
	    0);
	fixture_pci(
	    &tree, &(struct fixture_pci){
		       .bdf = "0000:01:00.0", .driver = "igbvf", .group = 7 });
	d = inventory_refresh(&bdf);
	ck_assert_ptr_nonnull(d);
	d->facts.group = 987654; /* that no machine has */
	d->state = STATE_LEASED;
	lease_add(lease, d);
	ck_assert_ptr_eq(TAILQ_FIRST(&lease->devices), d);
	assert_lives();
	ck_assert_int_eq(d->state, STATE_LEASED);
	close(holder);
	assert_ends();
	ck_assert_ptr_null(d->lease);
	/* A worker looks whether somebody has it still. */
	ck_assert_int_eq(d->state, STATE_DRAINING);
	ck_assert_ptr_nonnull(d->worker);
	/* A host driver has it: there is nothing to reset. */
	loop_until("the device", is_home, d);
	ck_assert_ptr_null(d->worker);
}
END_TEST

START_TEST(dropped_device)
{
	struct device d = { .state = STATE_GONE };

	lease_add(lease, &d);
	lease_drop(lease, &d);
	ck_assert_ptr_null(d.lease);
	ck_assert(TAILQ_EMPTY(&lease->devices));
	close(holder);
	assert_ends();
	ck_assert_int_eq(d.state, STATE_GONE);
}
END_TEST

/* No file can be made: no lease, and nothing left of it. */
START_TEST(not_made)
{
	struct lease *l = NULL;
	int fd = -1;

	fixture_dir(&tree, "run/leases/%llu", (unsigned long long)id + 1);
	ck_assert_int_lt(lease_create(&peer, &nothing, &l, &fd), 0);
	ck_assert_ptr_null(l);
	ck_assert_int_eq(fd, -1);
	ck_assert_ptr_null(lease_find(id + 1));
	ck_assert_int_eq(lease_create(&peer, &nothing, &l, &fd), 0);
	ck_assert_uint_eq(l->id, id + 2);
}
END_TEST

int
main(void)
{
	const TTest *const tests[] = { made, raised, closed, copies, inherited,
		in_flight, mapped, unlocked, locked_exclusively, readers,
		released, one_of_many, events_lost, device_comes_home,
		dropped_device, not_made, over_but_held };
	TCase *tc = tcase_create("lease");
	Suite *s = suite_create("lease");

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, setup, teardown);
	for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++)
		tcase_add_test(tc, tests[i]);
	suite_add_tcase(s, tc);
	return run_suite(s);
}
