/* SPDX-License-Identifier: ISC */
/*
 * Who is at the other end of a socket: what the kernel noted when the peer
 * connected, whatever it has become since, and whether or not it still lives.
 */

#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <grp.h>
#include <sched.h>
#include <stdio.h>

#include <netinet/in.h>

#include "broker/monitor/peer.h"
#include "broker/monitor/pidfd.h"
#include "tests/unit/test_mon.h"

#define UID 54321
#define GID 54322
#define GROUPS_MAX 4096 /* as peer.c has it */

static int listenfd = -1;
static struct sockaddr_un addr;
static socklen_t addrlen = sizeof(addr);

/* A name of the kernel's choice, which needs no directory. */
static void
setup(void)
{
	struct sockaddr_un any = { .sun_family = AF_UNIX };

	listenfd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	ck_assert_int_ge(listenfd, 0);
	ck_assert_int_eq(
	    bind(listenfd, (struct sockaddr *)&any, sizeof(any.sun_family)), 0);
	ck_assert_int_eq(
	    getsockname(listenfd, (struct sockaddr *)&addr, &addrlen), 0);
	ck_assert_int_eq(listen(listenfd, 8), 0);
}

static void
become(uid_t uid, gid_t gid, const gid_t *gids, size_t n)
{
	if (setgroups(n, gids) != 0 || setresgid(gid, gid, gid) != 0 ||
	    setresuid(uid, uid, uid) != 0)
		_exit(1);
}

struct client {
	const gid_t *gids;
	size_t ngids;
	bool changes; /* after it has connected */
	bool ends; /* likewise */
	bool leaves; /* our user namespace, before that */
	const char *comm;
};

/* A process that connects as UID. */
static pid_t
client_start(const struct client *c)
{
	pid_t pid = fork();
	int fd;

	ck_assert_int_ge(pid, 0);
	if (pid > 0)
		return pid;
	if (c->comm != NULL)
		prctl(PR_SET_NAME, c->comm);
	if (!c->changes)
		become(UID, GID, c->gids, c->ngids);
	if (c->leaves && unshare(CLONE_NEWUSER) != 0)
		_exit(1);
	fd = socket(AF_UNIX, SOCK_SEQPACKET, 0);
	if (fd == -1 || connect(fd, (struct sockaddr *)&addr, addrlen) != 0)
		_exit(1);
	if (c->changes)
		become(UID, GID, c->gids, c->ngids);
	if (c->ends)
		_exit(0);
	if (write(fd, "", 1) != 1)
		_exit(1);
	for (;;)
		pause();
}

/* Its connection, when it has done all that it does. */
static int
client_accept(void)
{
	int fd = accept4(listenfd, NULL, NULL, SOCK_CLOEXEC);
	char byte;

	ck_assert_int_ge(fd, 0);
	ck_assert_int_ge(read(fd, &byte, 1), 0);
	return fd;
}

static bool
has_group(const struct peer *p, gid_t gid)
{
	for (size_t i = 0; i < p->who.ngids; i++) {
		if (p->who.gids[i] == gid)
			return true;
	}
	return false;
}

START_TEST(ourselves)
{
	struct peer p;
	int fds[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fds), 0);
	ck_assert_int_eq(peer_identify(fds[0], &p), 0);
	ck_assert_uint_eq(p.who.uid, geteuid());
	ck_assert_int_eq(p.pid, getpid());
	ck_assert_uint_ge(p.who.ngids, 1);
	ck_assert_uint_eq(p.who.gids[0], getegid());
	ck_assert_int_eq(pidfd_pid(p.pidfd), getpid());
	ck_assert_int_eq(fcntl(p.pidfd, F_GETFD), FD_CLOEXEC);

	peer_clear(&p);
	ck_assert_int_eq(p.pidfd, -1);
	ck_assert_ptr_null(p.who.gids);
	peer_clear(&p); /* twice does no harm */
}
END_TEST

START_TEST(another_uid)
{
	static const gid_t gids[] = { 60001, 60002, 60003 };
	struct client c = { .gids = gids, .ngids = 3, .comm = "a client" };
	pid_t pid = client_start(&c);
	int fd = client_accept();
	struct peer p;

	ck_assert_int_eq(peer_identify(fd, &p), 0);
	ck_assert_uint_eq(p.who.uid, UID);
	ck_assert_int_eq(p.pid, pid);
	ck_assert_uint_eq(p.who.ngids, 4);
	ck_assert(has_group(&p, GID));
	for (size_t i = 0; i < 3; i++)
		ck_assert(has_group(&p, gids[i]));
	ck_assert_str_eq(p.comm, "a client");
	ck_assert_int_eq(pidfd_pid(p.pidfd), pid);
	peer_clear(&p);
	child_kill(pid);
	close(fd);
}
END_TEST

START_TEST(no_groups)
{
	struct client c = { .ngids = 0 };
	pid_t pid = client_start(&c);
	int fd = client_accept();
	struct peer p;

	ck_assert_int_eq(peer_identify(fd, &p), 0);
	ck_assert_uint_eq(p.who.ngids, 1);
	ck_assert_uint_eq(p.who.gids[0], GID);
	peer_clear(&p);
	child_kill(pid);
	close(fd);
}
END_TEST

/* As many as anybody needs; whoever has more made them up. */
START_TEST(many_groups)
{
	static gid_t gids[GROUPS_MAX + 1];
	struct client c = { .gids = gids, .ngids = GROUPS_MAX + _i };
	struct peer p;
	pid_t pid;
	int fd;

	for (size_t i = 0; i < GROUPS_MAX + 1; i++)
		gids[i] = 200000 - (gid_t)i;
	pid = client_start(&c);
	fd = client_accept();
	ck_assert_int_eq(peer_identify(fd, &p), _i == 0 ? 0 : -E2BIG);
	ck_assert_uint_eq(p.who.ngids, _i == 0 ? GROUPS_MAX + 1 : 0);
	for (size_t i = 1; i < p.who.ngids; i++)
		ck_assert_uint_gt(p.who.gids[i], p.who.gids[i - 1]);
	peer_clear(&p);
	child_kill(pid);
	close(fd);
}
END_TEST

/* Not in a chroot, for one. */
static bool
userns_possible(void)
{
	pid_t pid = fork();

	ck_assert_int_ge(pid, 0);
	if (pid == 0)
		_exit(unshare(CLONE_NEWUSER) != 0);
	return child_end(pid) == 0;
}

/* There its uid and its groups are what its user likes. */
START_TEST(another_userns)
{
	struct client c = { .leaves = _i == 0, .ends = _i == 1 };
	struct peer p;
	pid_t pid;
	int fd;

	if (c.leaves && !userns_possible()) {
		printf("no user namespace to be had: not tried\n");
		return;
	}
	pid = client_start(&c);
	fd = client_accept();
	if (c.ends)
		ck_assert_int_eq(child_end(pid), 0);
	ck_assert_int_eq(peer_identify(fd, &p), 0);
	ck_assert_uint_eq(p.who.uid, UID);
	ck_assert_int_eq(p.foreign, _i < 2);
	peer_clear(&p);
	if (!c.ends)
		child_kill(pid);
	close(fd);
}
END_TEST

/* What it was when it connected counts, not what it is now. */
START_TEST(changed_since)
{
	static const gid_t gids[] = { 60001 };
	struct client c = { .gids = gids, .ngids = 1, .changes = true };
	pid_t pid = client_start(&c);
	int fd = client_accept();
	struct peer p;

	ck_assert_int_eq(peer_identify(fd, &p), 0);
	ck_assert_uint_eq(p.who.uid, 0);
	ck_assert(!has_group(&p, 60001));
	ck_assert(!has_group(&p, GID));
	peer_clear(&p);
	child_kill(pid);
	close(fd);
}
END_TEST

/* Gone before we looked: still known, but there is no process to change. */
START_TEST(gone)
{
	struct client c = { .ends = true };
	pid_t pid = client_start(&c);
	int fd = client_accept();
	struct peer p;

	ck_assert_int_eq(child_end(pid), 0);
	ck_assert_int_eq(peer_identify(fd, &p), 0);
	ck_assert_uint_eq(p.who.uid, UID);
	ck_assert_int_eq(p.pid, pid);
	ck_assert(p.pidfd == -1 || pidfd_pid(p.pidfd) == -ESRCH);
	ck_assert_str_eq(p.comm, "?");
	peer_clear(&p);
	close(fd);
}
END_TEST

/* A name with control bytes and such: for logs it is harmless. */
START_TEST(hostile_name)
{
	struct client c = { .comm = "a\nb\033[2J\xc3\xa4%n" };
	pid_t pid = client_start(&c);
	int fd = client_accept();
	struct peer p;

	ck_assert_int_eq(peer_identify(fd, &p), 0);
	for (const char *s = p.comm; *s != '\0'; s++)
		ck_assert_msg(*s >= ' ' && *s <= '~', "%s", p.comm);
	ck_assert_uint_lt(strlen(p.comm), sizeof(p.comm));
	peer_clear(&p);
	child_kill(pid);
	close(fd);
}
END_TEST

/* Sockets at whose other end is no process, and what is no socket. */
START_TEST(nobody)
{
	int fd = socket(AF_UNIX, SOCK_SEQPACKET, 0);
	struct peer p;

	ck_assert_int_lt(peer_identify(fd, &p), 0);
	ck_assert_int_eq(p.pidfd, -1);
	ck_assert_ptr_null(p.who.gids);
	close(fd);
	fd = socket(AF_INET, SOCK_STREAM, 0);
	if (fd >= 0) {
		ck_assert_int_lt(peer_identify(fd, &p), 0);
		close(fd);
	}
	fd = open("/dev/null", O_RDONLY);
	ck_assert_int_eq(peer_identify(fd, &p), -ENOTSOCK);
	close(fd);
	ck_assert_int_eq(peer_identify(-1, &p), -EBADF);
	ck_assert_ptr_null(p.who.gids);
	peer_clear(&p);
}
END_TEST

int
main(void)
{
	TCase *tc = tcase_create("peer");
	Suite *s = suite_create("peer");

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, setup, NULL);
	tcase_add_test(tc, ourselves);
	tcase_add_test(tc, another_uid);
	tcase_add_test(tc, no_groups);
	tcase_add_loop_test(tc, many_groups, 0, 2);
	tcase_add_loop_test(tc, another_userns, 0, 3);
	tcase_add_test(tc, changed_since);
	tcase_add_test(tc, gone);
	tcase_add_test(tc, hostile_name);
	tcase_add_test(tc, nobody);
	suite_add_tcase(s, tc);
	return run_suite(s);
}
