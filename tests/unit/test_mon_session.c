/* SPDX-License-Identifier: ISC */
/*
 * Connections as the monitor takes them in: what each of them costs its user,
 * also one that had to wait, and what refused ones cost the log.  A session's
 * process is a cat here, which ends with its socket.
 */

#include <sys/un.h>

#include <grp.h>

#include "broker/monitor/server.h"
#include "broker/monitor/spawn.h"
#include "tests/unit/test_mon_ask.h"

#define SECOND 1000000ULL
#define CROWD 100
#define LOG_BURST 20 /* lines at once, and then one each 200 ms */

static int clients[CROWD]; /* the other ends */
static unsigned nclients;

static void
setup(void)
{
	static char path[128];

	ask_setup("limit uid 1000 connections 4 requests 2/s\n"
		  "limit uid 1001 connections 0\n");
	fixture_file(&tree, "#!/bin/sh\nexec cat <&3 >/dev/null\n", "session");
	snprintf(path, sizeof(path), "%s/session", tree.root);
	ck_assert_int_eq(chmod(path, 0755), 0);
	config.session = path;
	spawn_init();
}

static void
connects(uid_t uid)
{
	struct peer p = { .uid = uid, .pid = getpid(), .pidfd = -1 };
	int pair[2];

	ck_assert_uint_lt(nclients, CROWD);
	ck_assert_int_eq(
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
	clients[nclients++] = pair[0];
	session_start(pair[1], &p);
}

static unsigned
served(void)
{
	const struct session *s;
	unsigned n = 0;

	TAILQ_FOREACH(s, &sessions, entry)
		n += s->fd != -1;
	return n;
}

static bool
is_served(void *arg)
{
	return served() == *(unsigned *)arg;
}

/* Two of four come at once and the others by and by, and all of them cost. */
START_TEST(waited)
{
	uint64_t start = clock_us();
	unsigned all = 4;
	struct account *a;

	for (unsigned i = 0; i < all; i++)
		connects(USER);
	ck_assert_uint_eq(served(), 2);
	loop_until("its turn", is_served, &all);
	a = TAILQ_FIRST(&sessions)->account;
	/* Half a second each, of which one second's worth is free. */
	ck_assert_uint_ge(quota_request(a, start, 2), 3 * SECOND / 2);
}
END_TEST

/* Who leaves before his turn leaves nothing, and the next comes at his. */
START_TEST(left_waiting)
{
	unsigned all = 4; /* the limit */

	for (unsigned i = 0; i < all; i++)
		connects(USER);
	ck_assert_uint_eq(served(), 2);
	session_close(TAILQ_LAST(&sessions, sessions));
	connects(USER);
	ck_assert_uint_eq(served(), 2);
	loop_until("its turn", is_served, &all);
}
END_TEST

/* Refused connections are closed, and the log tells of some of them. */
START_TEST(too_many)
{
	uint64_t start = clock_us();
	unsigned said;
	char byte;

	for (unsigned i = 0; i < CROWD; i++)
		connects(OTHER);
	ck_assert(TAILQ_EMPTY(&sessions));
	for (unsigned i = 0; i < CROWD; i++)
		ck_assert_int_eq(read(clients[i], &byte, 1), 0);
	said = log_count(logfd, "uid 1001, ");
	ck_assert_uint_eq(said, log_count(logfd, "too many connections"));
	ck_assert_uint_ge(said, LOG_BURST);
	ck_assert_uint_le(
	    said, LOG_BURST + 1 + (clock_us() - start) * 5 / SECOND);
}
END_TEST

/* ---- peers that can not be identified --------------------------------- */

/* In the child: more groups than are kept, and as many connections. */
static void __attribute__((noreturn)) stranger(const char *path, unsigned n)
{
	static gid_t gids[5000];
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	char byte;
	int fd;

	alarm(PATIENCE_MS / 1000);
	for (size_t i = 0; i < sizeof(gids) / sizeof(gids[0]); i++)
		gids[i] = (gid_t)(100000 + i);
	strcpy(addr.sun_path, path);
	if (setgroups(sizeof(gids) / sizeof(gids[0]), gids) != 0)
		_exit(1);
	for (unsigned i = 0; i < n; i++) {
		fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
		if (fd == -1 || connect(fd, (const struct sockaddr *)&addr,
				    sizeof(addr)) != 0)
			_exit(2);
		if (read(fd, &byte, 1) != 0 && errno != ECONNRESET)
			_exit(3);
		close(fd);
	}
	_exit(0);
}

static bool
has_ended(void *arg)
{
	int status;

	if (waitpid(*(pid_t *)arg, &status, WNOHANG) == 0)
		return false;
	ck_assert_int_eq(status, 0);
	return true;
}

static void
strangers(unsigned n)
{
	pid_t pid;

	nobody_reaps = true; /* but us */
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0)
		stranger(config.socket, n);
	loop_until("the strangers", has_ended, &pid);
	nobody_reaps = false;
}

static bool
is_pause_over(void *arg)
{
	return clock_us() >= *(uint64_t *)arg;
}

START_TEST(not_identified)
{
	static const char said[] = "a peer can not be identified: ";
	static char path[128];
	uint64_t start = clock_us(), later;
	struct event *tick;

	snprintf(path, sizeof(path), "%s/sock", tree.root);
	config.socket = path;
	ck_assert_int_eq(server_init(), 0);
	strangers(CROWD);
	ck_assert(TAILQ_EMPTY(&sessions));
	ck_assert_uint_ge(log_count(logfd, said), LOG_BURST);
	ck_assert_uint_le(log_count(logfd, said),
	    LOG_BURST + 1 + (clock_us() - start) * 5 / SECOND);
	/* The next one that is told of tells how many there were. */
	later = clock_us() + SECOND / 4;
	ck_assert_int_eq(loop_event(&tick, -1, 0, ask_nothing, NULL), 0);
	loop_timer(tick, 251);
	loop_until("a while", is_pause_over, &later);
	strangers(1);
	ck_assert_uint_ge(log_count(logfd, " more like it unsaid"), 1);
}
END_TEST

int
main(void)
{
	TCase *tc = tcase_create("connections");
	Suite *suite = suite_create("session");

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, setup, work_teardown);
	tcase_add_test(tc, waited);
	tcase_add_test(tc, left_waiting);
	tcase_add_test(tc, too_many);
	tcase_add_test(tc, not_identified);
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
