/* SPDX-License-Identifier: ISC */
/*
 * Connections as the monitor takes them in: what each of them costs its user,
 * also one that had to wait, and what refused ones cost the log.  A session's
 * process is a cat here, which ends with its socket.
 */

#include <sys/prctl.h>
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
	struct peer p = { .who.uid = uid, .pid = getpid(), .pidfd = -1 };
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

/* ---- sessions that break the form ------------------------------------- */

static const struct mon_plain plain = { { MON_LIST_DEVICES, 1 } };
static const struct mon_acquire acquire = { { MON_ACQUIRE, 1 }, .ndevices = 1,
	.devices = { { .bus = 1 } } };
static const struct mon_end end = { { MON_END, 1 }, .status = STATUS_OK };

static const struct {
	const void *record;
	size_t len;
	size_t nfds;
	bool pidfds; /* else of /dev/null */
} misdeeds[] = {
	{ "garbage", 7, 0, false },
	{ &plain, sizeof(plain) - 1, 0, false },
	{ &end, sizeof(end), 0, false }, /* an answer */
	{ &plain, sizeof(plain), 1, true }, /* an fd where none belongs */
	{ &acquire, sizeof(acquire), 1, false }, /* or one that is no pidfd */
	{ &acquire, sizeof(acquire), 2, true },
};

/* This program as a session: which misdeed is told by its uid. */
static int
misdeed(const char *uid)
{
	int n = atoi(uid), fds[2];
	char buf[MON_MAX_SIZE];

	fds[0] = misdeeds[n].pidfds ? (int)syscall(SYS_pidfd_open, getpid(), 0)
				    : open("/dev/null", O_RDWR);
	fds[1] = fds[0];
	prctl(PR_SET_PDEATHSIG, SIGKILL); /* nor longer than the test */
	if (fdpass_send(3, misdeeds[n].record, misdeeds[n].len, fds,
		misdeeds[n].nfds) != 0)
		return 1;
	while (read(3, buf, sizeof(buf)) > 0)
		continue;
	for (;;)
		pause(); /* it does not end by itself */
}

static bool
is_empty(void *arg)
{
	(void)arg;
	return TAILQ_EMPTY(&sessions);
}

static bool
is_dead(void *arg)
{
	return kill(*(pid_t *)arg, 0) == -1 && errno == ESRCH;
}

static bool
has_more_fds(void *arg)
{
	return fds_open() > *(unsigned *)arg;
}

static void
ring(void *arg)
{
	*(bool *)arg = true;
}

static bool
is_set(void *arg)
{
	return *(bool *)arg;
}

/* All timers that are due by then have had their turn. */
static void
pass(unsigned ms)
{
	struct event *timer;
	bool over = false;

	ck_assert_int_eq(loop_event(&timer, -1, 0, ring, &over), 0);
	loop_timer(timer, ms);
	loop_until("a while", is_set, &over);
	loop_free(&timer);
}

/* Killed, and nothing that it sent is done; an fd of which nobody knows whether
 * its close would return is left as it is, and said to be. */
START_TEST(broken)
{
	unsigned kept = misdeeds[_i].nfds == 1 && !misdeeds[_i].pidfds;
	unsigned calm = fds_open();
	pid_t pid;

	config.session = "/proc/self/exe";
	config.session_uid = (uid_t)_i;
	loop_until("a spare", has_more_fds, &calm);
	calm = fds_open();
	connects(USER);
	ck_assert_uint_eq(served(), 1);
	pid = TAILQ_FIRST(&sessions)->pid;
	loop_until("its end", is_empty, NULL);
	loop_until("its death", is_dead, &pid);
	ck_assert_uint_eq(log_count(logfd, ": session killed: "), 1);
	ck_assert_uint_eq(log_count(logfd, "is no pidfd: left open"), kept);
	pass(50); /* and there is a spare again */
	ck_assert_uint_eq(fds_open(), calm + 1 + kept); /* the client's */
}
END_TEST

/* No program, no session: the client is let go. */
START_TEST(no_program)
{
	char byte;

	config.session = "/nonexistent";
	connects(USER);
	loop_until("its end", is_empty, NULL);
	ck_assert_int_eq(read(clients[0], &byte, 1), 0);
	ck_assert_uint_ge(log_count(logfd, "cannot execute /nonexistent"), 1);
	ck_assert_uint_eq(log_count(logfd, "killed"), 0);
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

START_TEST(not_identified)
{
	static const char said[] = "a peer can not be identified: ";
	static char path[128];
	uint64_t start = clock_us();

	snprintf(path, sizeof(path), "%s/sock", tree.root);
	config.socket = path;
	ck_assert_int_eq(server_init(), 0);
	strangers(CROWD);
	ck_assert(TAILQ_EMPTY(&sessions));
	ck_assert_uint_ge(log_count(logfd, said), LOG_BURST);
	ck_assert_uint_le(log_count(logfd, said),
	    LOG_BURST + 1 + (clock_us() - start) * 5 / SECOND);
	/* The next one that is told of tells how many there were. */
	pass(250);
	strangers(1);
	ck_assert_uint_ge(log_count(logfd, " more like it unsaid"), 1);
}
END_TEST

#define N(a) ((int)(sizeof(a) / sizeof((a)[0])))

int
main(int argc, char **argv)
{
	TCase *tc;
	Suite *suite;

	if (argc > 1 && strcmp(argv[0], "vfiobroker-session") == 0)
		return misdeed(argv[1]);
	tc = tcase_create("connections");
	suite = suite_create("session");

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, setup, work_teardown);
	tcase_add_test(tc, waited);
	tcase_add_test(tc, left_waiting);
	tcase_add_test(tc, too_many);
	tcase_add_loop_test(tc, broken, 0, N(misdeeds));
	tcase_add_test(tc, no_program);
	tcase_add_test(tc, not_identified);
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
