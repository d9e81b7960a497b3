/* SPDX-License-Identifier: ISC */
#ifndef VFIOBROKER_TEST_SESSION_PEER_H
#define VFIOBROKER_TEST_SESSION_PEER_H

/*
 * Both neighbours of a session, played by a test: the monitor that sends
 * records and the client that sends requests.  The session between them is
 * a child process.
 */

#include <sys/syscall.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <check.h>

#include "vfiobroker.pb-c.h"

#include "../../broker/common/fdpass.h"
#include "../../broker/session/serve.h"
#include "../../proto/limits.h"
#include "records.h"

#define BYTES(s) s, sizeof(s) - 1
#define LIST "\x08\x07\x1a\0" /* id 7, ListDevices */
#define ACQUIRE_PIDFD "\x08\x07\x2a\x08\x0a\x04\x10\x01\x18\x10\x38\x01"
#define NOBODY "64321" /* a uid and gid that own nothing */

static int monfd = -1, clientfd = -1, logfd = -1;
static pid_t session;
static char emptydir[] = "/tmp/session-test.XXXXXX";

/* ---- the child -------------------------------------------------------- */

static inline const char *
session_path(void)
{
	static char path[512];
	const char *dir = getenv("VFIOBROKER_BUILDDIR");

	snprintf(path, sizeof(path), "%s/vfiobroker-session",
	    dir != NULL ? dir : "build");
	return path;
}

/* A child that becomes the real program. */
static inline void
session_exec(int fd)
{
	int nullfd = open("/dev/null", O_RDWR);

	if (nullfd < 0 || dup2(nullfd, 0) < 0 || dup2(nullfd, 1) < 0 ||
	    dup2(fd, 3) < 0 || close_range(4, ~0U, 0) != 0)
		_exit(99);
	execl(session_path(), "vfiobroker-session", NOBODY, NOBODY, emptydir,
	    NULL);
	_exit(98);
}

static int silence_ms = 60000;

/* A child that is only the loop, without isolation. */
static inline void
session_serve(int fd)
{
	int r;

	close(monfd);
	close(clientfd);
	close(logfd);
	signal(SIGPIPE, SIG_IGN);
	r = serve(fd, silence_ms);
	_exit(r == 0 ? 0 : r == -EPROTO ? 76 : 70);
}

/* Starts a session by child, which gets its end of the monitor's socket. */
static inline void
session_start(void (*child)(int))
{
	int mon[2], log[2];

	ck_assert_int_eq(
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, mon), 0);
	ck_assert_int_eq(pipe2(log, O_CLOEXEC), 0);
	monfd = mon[0];
	logfd = log[0];
	session = fork();
	ck_assert_int_ge(session, 0);
	if (session == 0) {
		dup2(log[1], STDERR_FILENO);
		close(log[1]);
		child(mon[1]);
	}
	close(mon[1]);
	close(log[1]);
}

/* The end of the session: its exit status, or minus the signal. */
static inline int
session_end(void)
{
	int status;

	ck_assert_int_eq(waitpid(session, &status, 0), session);
	session = 0;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static inline const char *
session_log(void)
{
	static char log[4096];
	ssize_t n = read(logfd, log, sizeof(log) - 1);

	ck_assert_int_ge(n, 0);
	log[n] = '\0';
	return log;
}

static inline void
peers_close(void)
{
	if (monfd >= 0)
		close(monfd);
	if (clientfd >= 0)
		close(clientfd);
	monfd = clientfd = -1;
	if (session > 0) {
		kill(session, SIGKILL);
		waitpid(session, NULL, 0);
	}
	if (logfd >= 0)
		close(logfd);
}

/* ---- the monitor ------------------------------------------------------ */

static inline void
monitor_send(const void *record, const int *fds, size_t nfds)
{
	const struct mon_header *h = record;
	struct pollfd p = { monfd, POLLOUT, 0 };

	ck_assert_int_eq(poll(&p, 1, 5000), 1);
	ck_assert_int_eq(
	    fdpass_send(monfd, record, monmsg_size(h->type), fds, nfds), 0);
}

/* The client's socket is handed over; the test keeps the other end. */
static inline void
monitor_welcome(void)
{
	int client[2];

	ck_assert_int_eq(
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, client), 0);
	clientfd = client[0];
	monitor_send(&good_welcome, &client[1], 1);
	close(client[1]);
}

static inline int
readable(int fd, int ms)
{
	struct pollfd p = { fd, POLLIN, 0 };

	return poll(&p, 1, ms) == 1;
}

/* Waits for a request of a type and returns its seq. */
static inline uint32_t
monitor_expect(uint32_t type, void *record, int *fds, size_t *nfds)
{
	union {
		struct mon_header h;
		uint8_t bytes[MON_MAX_SIZE];
	} r;
	ssize_t n;

	ck_assert(readable(monfd, 5000));
	n = fdpass_recv(monfd, &r, sizeof(r), fds, nfds, 0);
	ck_assert_int_gt(n, 0);
	ck_assert(monmsg_check_request(&r, (size_t)n));
	ck_assert_uint_eq(r.h.type, type);
	if (record != NULL)
		memcpy(record, &r, (size_t)n);
	return r.h.seq;
}

static inline void
monitor_end(uint32_t seq, enum status status)
{
	const struct mon_end m = { .h = { MON_END, seq }, .status = status };

	monitor_send(&m, NULL, 0);
}

static inline void
monitor_text(
    uint32_t seq, enum mon_text_kind kind, const char *s, uint32_t more)
{
	struct mon_text m = { .h = { MON_TEXT, seq } };

	m.kind = kind;
	m.more = more;
	snprintf(m.text, sizeof(m.text), "%s", s);
	monitor_send(&m, NULL, 0);
}

/* ---- the client ------------------------------------------------------- */

static inline void
client_send(const char *bytes, size_t len, const int *fds, size_t nfds)
{
	ck_assert_int_eq(fdpass_send(clientfd, bytes, len, fds, nfds), 0);
}

/* NULL at the end of the connection. */
static inline Vfiobroker__Reply *
client_recv(int *fds, size_t *nfds)
{
	static uint8_t buf[PROTO_MESSAGE_MAX];
	Vfiobroker__Reply *reply;
	ssize_t n;

	ck_assert(readable(clientfd, 5000));
	n = fdpass_recv(clientfd, buf, sizeof(buf), fds, nfds, 0);
	if (n == 0 || n == -ECONNRESET)
		return NULL;
	ck_assert_int_gt(n, 0);
	reply = vfiobroker__reply__unpack(NULL, (size_t)n, buf);
	ck_assert_ptr_nonnull(reply);
	return reply;
}

static inline void
reply_free(Vfiobroker__Reply *reply)
{
	vfiobroker__reply__free_unpacked(reply, NULL);
}

static inline void
client_expect_end(uint32_t id, int status)
{
	Vfiobroker__Reply *r = client_recv(NULL, NULL);

	ck_assert_ptr_nonnull(r);
	ck_assert_uint_eq(r->id, id);
	ck_assert(!r->more);
	ck_assert_int_eq((int)r->status, status);
	reply_free(r);
}

static inline void
client_hello(void)
{
	Vfiobroker__Reply *r;

	client_send(BYTES("\x08\x05\x12\x02\x08\x01"), NULL, 0);
	r = client_recv(NULL, NULL);
	ck_assert_ptr_nonnull(r);
	ck_assert_uint_eq(r->id, 5);
	ck_assert_int_eq(r->body_case, VFIOBROKER__REPLY__BODY_WELCOME);
	ck_assert_uint_eq(r->welcome->uid, good_welcome.uid);
	reply_free(r);
}

/* The connection ends, the session too, and says why in one line. */
static inline void
expect_closed(int status, const char *why)
{
	const char *log;

	ck_assert_ptr_null(client_recv(NULL, NULL));
	ck_assert_int_eq(session_end(), status);
	log = session_log();
	if (why == NULL) {
		ck_assert_str_eq(log, "");
		return;
	}
	ck_assert_msg(strstr(log, why) != NULL, "log: %s", log);
	ck_assert_ptr_nonnull(strstr(log, "uid 1000"));
	ck_assert_uint_eq(strcspn(log, "\n"), strlen(log) - 1);
}

/* ---- running ---------------------------------------------------------- */

static void (*child)(int) = session_serve;

/* A session of the kind whose turn it is, not yet welcome. */
static inline void
setup_unwelcome(void)
{
	session_start(child);
}

static inline void
setup_welcome(void)
{
	session_start(child);
	monitor_welcome();
}

static inline int
run_suite(Suite *s)
{
	SRunner *sr = srunner_create(s);
	int failed;

	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed;
}

/*
 * Runs a suite with serve() alone, for the sanitizers' sake, and then, as
 * root, with the real program in its box.
 */
static inline int
run_both(Suite *(*suite)(void))
{
	int failed = run_suite(suite());

	if (geteuid() != 0 || access(session_path(), X_OK) != 0) {
		printf("not root or no program: not tried in its box\n");
		return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
	}
	if (mkdtemp(emptydir) == NULL) {
		perror(emptydir);
		return EXIT_FAILURE;
	}
	child = session_exec;
	failed += run_suite(suite());
	rmdir(emptydir);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

#endif
