/* SPDX-License-Identifier: ISC */
/*
 * Leases across the broker's death.  Every broker here is a process of its
 * own, killed with SIGKILL; the holders' files outlive it, and the next broker
 * finds out by the locks who is still there.
 */

#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <stdio.h>

#include "broker/common/fdpass.h"
#include "broker/monitor/lease.h"
#include "broker/monitor/leasefile.h"
#include "broker/monitor/rundir.h"
#include "tests/unit/fixture.h"
#include "tests/unit/test_mon.h"

static const struct mon_acquire wish = {
	.memlock = 7, .flags = MON_ACQUIRE_IOMMUFD, .label = "guest"
};

static struct fixture tree;
static char rundir[128];

static void
setup(void)
{
	log_capture();
	fixture_init(&tree);
	snprintf(rundir, sizeof(rundir), "%s/run", tree.root);
}

static void
teardown(void)
{
	fixture_fini(&tree);
}

static unsigned
nkept(void)
{
	const struct lease *l;
	unsigned n = 0;

	TAILQ_FOREACH(l, &leases, entry)
		n++;
	return n;
}

/* Makes this process the broker. */
static void
broker_up(void)
{
	ck_assert_int_eq(loop_init(), 0);
	ck_assert_int_eq(rundir_open(rundir), 0);
	ck_assert_int_eq(lease_init(), 0);
}

struct granted {
	uint64_t id;
	int fd;
};

/* Grants n leases and is killed then; their holder is who calls this. */
static void
broker_grants(struct granted *out, size_t n)
{
	const struct peer peer = {
		.who.uid = 1000, .pid = 4242, .pidfd = -1, .comm = "qemu"
	};
	int fds[2];
	pid_t broker;

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fds), 0);
	broker = fork();
	ck_assert_int_ge(broker, 0);
	if (broker == 0) {
		close(fds[0]);
		broker_up();
		for (size_t i = 0; i < n; i++) {
			struct lease *l;
			int fd;

			if (lease_create(&peer, &wish, &l, &fd) != 0 ||
			    fdpass_send(
				fds[1], &l->id, sizeof(l->id), &fd, 1) != 0)
				_exit(1);
			close(fd);
		}
		for (;;)
			pause();
	}
	close(fds[1]);
	for (size_t i = 0; i < n; i++) {
		size_t one = 1;

		ck_assert_int_eq(fdpass_recv(fds[0], &out[i].id,
				     sizeof(out[i].id), &out[i].fd, &one, 0),
		    sizeof(out[i].id));
	}
	close(fds[0]);
	child_kill(broker);
}

static bool
is_over(void *arg)
{
	return lease_find(*(uint64_t *)arg) == NULL;
}

static bool
file_is_there(const char *name)
{
	char path[128];

	snprintf(path, sizeof(path), "run/leases/%s", name);
	return faccessat(tree.rootfd, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

static unsigned
files(void)
{
	char name[24];
	unsigned n = 0;

	for (unsigned long long i = 1; i < 100; i++) {
		snprintf(name, sizeof(name), "%llu", i);
		n += file_is_there(name);
	}
	return n;
}

START_TEST(adopted)
{
	struct granted g[3];
	struct lease *l;
	pid_t holder;

	broker_grants(g, 3);
	ck_assert_uint_eq(files(), 3);
	close(g[1].fd); /* while there is no broker */
	holder = child_idle();
	close(g[0].fd);
	close(g[2].fd); /* but the holder has them */
	broker_up();

	ck_assert_uint_eq(nkept(), 2);
	ck_assert_ptr_null(lease_find(g[1].id));
	ck_assert_uint_eq(files(), 2);
	l = lease_find(g[0].id);
	ck_assert_ptr_nonnull(l);
	ck_assert_uint_eq(l->uid, 1000);
	ck_assert_int_eq(l->pid, 4242);
	ck_assert_str_eq(l->comm, "qemu");
	ck_assert_str_eq(l->label, "guest");
	ck_assert_uint_eq(l->memlock, 7);
	ck_assert_ptr_nonnull(lease_find(g[2].id));

	child_kill(holder);
	loop_until("the first lease's end", is_over, &g[0].id);
	loop_until("the other one's end", is_over, &g[2].id);
	ck_assert_uint_eq(files(), 0);
}
END_TEST

/* Several deaths in a row, with nobody looking in between. */
START_TEST(adopted_again)
{
	struct granted g[4];

	for (int i = 0; i < 4; i++)
		broker_grants(&g[i], 1);
	broker_up();
	ck_assert_uint_eq(nkept(), 4);
	for (int i = 3; i >= 0; i--) {
		close(g[i].fd);
		loop_until("a lease's end", is_over, &g[i].id);
	}
	ck_assert(TAILQ_EMPTY(&leases));
}
END_TEST

/* Unlocked while there was no broker: released, though it is open. */
START_TEST(unlocked_meanwhile)
{
	struct granted g;

	broker_grants(&g, 1);
	ck_assert_int_eq(flock(g.fd, LOCK_UN), 0);
	broker_up();
	ck_assert_uint_eq(nkept(), 0);
	ck_assert_uint_eq(files(), 0);
}
END_TEST

/* What a broker leaves that dies between writing the file and locking it. */
START_TEST(never_locked)
{
	char text[LEASE_TEXT_MAX];
	struct lease l = { .id = 5, .uid = 1 };

	fixture_dir(&tree, "run");
	lease_format(&l, text, sizeof(text));
	fixture_file(&tree, text, "run/leases/5");
	fixture_file(&tree, text, "run/leases/.new-6");
	broker_up();
	ck_assert_uint_eq(nkept(), 0);
	ck_assert_uint_eq(files(), 0);
	ck_assert(!file_is_there(".new-6"));
}
END_TEST

/* Locked or not, what is no lease of that name is none. */
START_TEST(junk)
{
	static const char *const names[] = { "7", "8", "007", "x", "9", "10",
		"-1", "18446744073709551617", "sequence.bak" };
	char text[LEASE_TEXT_MAX];
	struct lease l = { .id = 7, .uid = 1 };

	lease_format(&l, text, sizeof(text));
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		/* A good text under every name; but 7's is cut off. */
		fixture_file(&tree,
		    i == 0 ? "vfiobroker-lease 1\nid 7\n" : text,
		    "run/leases/%s", names[i]);
	}
	fixture_remove(&tree, "run/leases/9");
	fixture_link(&tree, "8", "run/leases/9");
	fixture_remove(&tree, "run/leases/10");
	ck_assert_int_eq(mkfifoat(tree.rootfd, "run/leases/10", 0600), 0);
	fixture_dir(&tree, "run/leases/11");
	broker_up();
	ck_assert_uint_eq(nkept(), 0);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		ck_assert_msg(!file_is_there(names[i]), "%s", names[i]);
}
END_TEST

/* Two holders of one file: a copy of it under another name is no lease. */
START_TEST(copied_file)
{
	struct granted g;
	char from[32];

	broker_grants(&g, 1);
	snprintf(
	    from, sizeof(from), "run/leases/%llu", (unsigned long long)g.id);
	ck_assert_int_eq(
	    linkat(tree.rootfd, from, tree.rootfd, "run/leases/99", 0), 0);
	broker_up();
	ck_assert_uint_eq(nkept(), 1);
	ck_assert_ptr_nonnull(lease_find(g.id));
	ck_assert_ptr_null(lease_find(99));
	ck_assert(!file_is_there("99"));
}
END_TEST

START_TEST(ids_are_never_used_twice)
{
	struct granted g[40];

	for (int i = 0; i < 8; i++) {
		broker_grants(g + 5 * i, 5);
		if (i % 2 == 0)
			close(g[5 * i + 4].fd); /* some end */
	}
	for (int i = 0; i < 40; i++) {
		ck_assert_uint_ne(g[i].id, 0);
		for (int j = 0; j < i; j++)
			ck_assert_uint_ne(g[i].id, g[j].id);
	}
}
END_TEST

static const char *const sequences[] = { "", "junk\n", "0\n", "-1\n", "1",
	"18446744073709551615\n", "99999999999999999999999999999999999999\n",
	"18446744073709\n" };

/* The counter is lost or damaged: no id of a lease that lives comes again. */
START_TEST(counter_damaged)
{
	struct granted first[3], later[3];

	broker_grants(first, 3);
	fixture_file(&tree, sequences[_i], "run/leases/sequence");
	broker_grants(later, 3);
	for (int i = 0; i < 3; i++) {
		ck_assert_uint_ne(later[i].id, 0);
		for (int j = 0; j < 3; j++)
			ck_assert_uint_ne(later[i].id, first[j].id);
	}
	broker_up();
	ck_assert_uint_eq(nkept(), 6);
}
END_TEST

START_TEST(counter_lost)
{
	struct granted first[3], later[3];

	broker_grants(first, 3);
	fixture_remove(&tree, "run/leases/sequence");
	broker_grants(later, 3);
	broker_up();
	ck_assert_uint_eq(nkept(), 6);
}
END_TEST

START_TEST(no_directory)
{
	ck_assert_int_eq(loop_init(), 0);
	ck_assert_int_eq(rundir_open(rundir), 0);
	fixture_remove(&tree, "run/leases");
	ck_assert_int_eq(lease_init(), -ENOENT);
}
END_TEST

int
main(void)
{
	TCase *tc = tcase_create("leasekept");
	Suite *s = suite_create("leasekept");

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, adopted);
	tcase_add_test(tc, adopted_again);
	tcase_add_test(tc, unlocked_meanwhile);
	tcase_add_test(tc, never_locked);
	tcase_add_test(tc, junk);
	tcase_add_test(tc, copied_file);
	tcase_add_test(tc, ids_are_never_used_twice);
	tcase_add_loop_test(
	    tc, counter_damaged, 0, sizeof(sequences) / sizeof(sequences[0]));
	tcase_add_test(tc, counter_lost);
	tcase_add_test(tc, no_directory);
	suite_add_tcase(s, tc);
	return run_suite(s);
}
