/* SPDX-License-Identifier: ISC */
/*
 * The session's box, from outside and from inside: what the real program has
 * left of its rights, what it weighs, and that the filter kills.  Needs root;
 * otherwise there is nothing to give up.
 */

#include <sys/resource.h>
#include <sys/syscall.h>

#include <sysexits.h>

#include "../../broker/session/isolate.h"
#include "session_peer.h"

#define PRIVATE_MAX_KIB 150

static void
setup_dir(void)
{
	ck_assert_ptr_nonnull(mkdtemp(emptydir));
}

static void
teardown_dir(void)
{
	peers_close();
	rmdir(emptydir);
}

static void
setup(void)
{
	setup_dir();
	session_start(session_exec);
	monitor_welcome();
	client_hello();
}

/* The rest of the first line of a /proc file that begins with key. */
static const char *
proc_line(const char *file, const char *key)
{
	static char line[256];
	char path[64];
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/%s", session, file);
	f = fopen(path, "re");
	ck_assert_msg(f != NULL, "%s: %s", path, strerror(errno));
	while (fgets(line, sizeof(line), f) != NULL) {
		if (strncmp(line, key, strlen(key)) != 0)
			continue;
		fclose(f);
		line[strcspn(line, "\n")] = '\0';
		return line + strlen(key);
	}
	ck_abort_msg("%s has no %s", path, key);
}

static unsigned long
proc_number(const char *file, const char *key)
{
	return strtoul(proc_line(file, key), NULL, 10);
}

START_TEST(rights)
{
	static const char *const sets[] = {
		"CapInh:", "CapPrm:", "CapEff:", "CapAmb:"
	};

	ck_assert_uint_eq(proc_number("status", "Seccomp:"), 2);
	ck_assert_uint_eq(proc_number("status", "NoNewPrivs:"), 1);
	for (size_t i = 0; i < sizeof(sets) / sizeof(sets[0]); i++)
		ck_assert_str_eq(
		    proc_line("status", sets[i]), "\t0000000000000000");
	ck_assert_str_eq(proc_line("status", "Uid:"),
	    "\t" NOBODY "\t" NOBODY "\t" NOBODY "\t" NOBODY);
	ck_assert_str_eq(proc_line("status", "Gid:"),
	    "\t" NOBODY "\t" NOBODY "\t" NOBODY "\t" NOBODY);
	ck_assert_uint_eq(strspn(proc_line("status", "Groups:"), " \t"),
	    strlen(proc_line("status", "Groups:")));
}
END_TEST

START_TEST(root_is_empty)
{
	char path[64], target[128];
	ssize_t n;

	for (unsigned i = 0; i < 2; i++) {
		snprintf(path, sizeof(path), "/proc/%d/%s", session,
		    i == 0 ? "root" : "cwd");
		n = readlink(path, target, sizeof(target) - 1);
		ck_assert_int_gt(n, 0);
		target[n] = '\0';
		ck_assert_str_eq(target, emptydir);
	}
}
END_TEST

/* Not dumpable: its /proc files are root's, so others of its uid stay out. */
START_TEST(not_dumpable)
{
	char path[64];
	struct stat st;

	snprintf(path, sizeof(path), "/proc/%d/mem", session);
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_uint_eq(st.st_uid, 0);
}
END_TEST

START_TEST(descriptors)
{
	char path[64];
	DIR *d;
	struct dirent *e;
	unsigned seen = 0;

	snprintf(path, sizeof(path), "/proc/%d/fd", session);
	d = opendir(path);
	ck_assert_ptr_nonnull(d);
	while ((e = readdir(d)) != NULL)
		if (e->d_name[0] != '.')
			seen |= 1U << atoi(e->d_name);
	closedir(d);
	ck_assert_uint_eq(seen, 0x1f); /* 0 to SESSION_CLIENTFD */
}
END_TEST

START_TEST(limits)
{
	static const struct {
		const char *name;
		unsigned long max;
	} table[] = {
		{ "Max processes", 0 },
		{ "Max file size", 0 },
		{ "Max core file size", 0 },
		{ "Max locked memory", 0 },
		{ "Max data size", 2 << 20 },
		{ "Max address space", 16 << 20 },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		unsigned long soft, hard;

		ck_assert_int_eq(sscanf(proc_line("limits", table[i].name),
				     "%lu %lu", &soft, &hard),
		    2);
		ck_assert_uint_eq(soft, table[i].max);
		ck_assert_uint_eq(hard, table[i].max);
	}
}
END_TEST

/*
 * What is sent and not yet read counts for all sessions together, as they have
 * one uid, against the limit of open files of each: so that is the monitor's.
 */
START_TEST(open_files)
{
	struct rlimit lim;
	unsigned long soft, hard;

	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &lim), 0);
	ck_assert_int_eq(sscanf(proc_line("limits", "Max open files"),
			     "%lu %lu", &soft, &hard),
	    2);
	ck_assert_uint_eq(soft, lim.rlim_cur);
	ck_assert_uint_eq(hard, lim.rlim_max);
}
END_TEST

#define GRANTS 30 /* more fds than some thrifty limit would have */

static void
grant_all(uint32_t seq)
{
	struct mon_grant m = {
		.h = { MON_GRANT, seq }, .lease = 5, .nfds = MON_MAX_FDS
	};
	int fds[MON_MAX_FDS];

	for (int i = 0; i < MON_MAX_FDS; i++) {
		fds[i] = STDIN_FILENO;
		m.fds[i].kind = i == 0   ? MON_FD_LEASE
				: i == 1 ? MON_FD_CONTAINER
					 : MON_FD_GROUP;
		m.fds[i].group = i < 2 ? -1 : i;
	}
	monitor_send(&m, fds, MON_MAX_FDS);
}

/* A client that asks and does not read has many fds under way, and gets them
 * all when it does. */
START_TEST(grants_unread)
{
	int fds[FDPASS_MAX_FDS];
	Vfiobroker__Reply *r;
	uint32_t seq;
	size_t n;

	for (int i = 0; i < GRANTS; i++) {
		client_send(
		    BYTES("\x08\x07\x2a\x06\x0a\x04\x10\x01\x18\x10"), NULL, 0);
		seq = monitor_expect(MON_ACQUIRE, NULL, NULL, NULL);
		grant_all(seq);
		monitor_end(seq, STATUS_OK);
	}
	for (int i = 0; i < GRANTS; i++) {
		n = FDPASS_MAX_FDS;
		r = client_recv(fds, &n);
		ck_assert_ptr_nonnull(r);
		ck_assert_uint_eq(n, MON_MAX_FDS);
		fdpass_close(fds, n);
		reply_free(r);
		client_expect_end(7, STATUS_OK);
	}
}
END_TEST

START_TEST(memory)
{
	struct mon_device m = good_device;
	unsigned long kib;

	/* After it has worked a little. */
	for (unsigned i = 0; i < 20; i++) {
		client_send(BYTES("\x08\x07\x1a\0"), NULL, 0);
		m.h.seq = monitor_expect(MON_LIST_DEVICES, NULL, NULL, NULL);
		monitor_send(&m, NULL, 0);
		monitor_text(m.h.seq, MON_TEXT_WHY, "why", 0);
		monitor_end(m.h.seq, STATUS_DENIED);
		reply_free(client_recv(NULL, NULL));
		client_expect_end(7, STATUS_DENIED);
	}
	/*
	 * The pages of the program are shared with the other sessions; where
	 * it has just been built they count as dirty, but are not its own.
	 */
	kib = proc_number("smaps_rollup", "Anonymous:");
	printf("session: %lu KiB private, %lu KiB resident\n", kib,
	    proc_number("smaps_rollup", "Rss:"));
	fflush(stdout);
	ck_assert_uint_lt(kib, PRIVATE_MAX_KIB);
}
END_TEST

/* poll() goes on with restart_syscall(2), which the filter must know. */
START_TEST(stopped_and_continued)
{
	for (unsigned i = 0; i < 3; i++) {
		ck_assert_int_eq(kill(session, SIGSTOP), 0);
		usleep(20000);
		ck_assert_int_eq(kill(session, SIGCONT), 0);
		usleep(20000);
		client_hello();
	}
}
END_TEST

/* Nobody reads the log: the client is still only disconnected. */
START_TEST(log_is_gone)
{
	close(logfd);
	logfd = -1;
	client_send(BYTES("garbage"), NULL, 0);
	ck_assert_ptr_null(client_recv(NULL, NULL));
	ck_assert_int_eq(session_end(), EX_PROTOCOL);
}
END_TEST

/* ---- the start -------------------------------------------------------- */

static const char *const bad_args[][5] = {
	{ "s", NULL },
	{ "s", "1", "1", NULL },
	{ "s", "1", "1", "/", "x" },
	{ "s", "", "1", "/", NULL },
	{ "s", "1", "", "/", NULL },
	{ "s", "-1", "1", "/", NULL },
	{ "s", "1", "4294967295", "/", NULL },
	{ "s", "4294967296", "1", "/", NULL },
	{ "s", "99999999999999999999", "1", "/", NULL },
	{ "s", "1x", "1", "/", NULL },
	{ "s", " 1", "1", "/", NULL },
	{ "s", "root", "1", "/", NULL },
};

static const char *const no_box[][5] = {
	{ "s", "0", NOBODY, "/", NULL },
	{ "s", NOBODY, "0", "/", NULL },
	{ "s", NOBODY, NOBODY, "/nonexistent", NULL },
	{ "s", NOBODY, NOBODY, "/dev/null", NULL },
};

static int
exec_status(const char *const *args)
{
	char *argv[6] = { NULL };

	memcpy(argv, args, 5 * sizeof(argv[0]));
	session = fork();
	if (session == 0) {
		int nullfd = open("/dev/null", O_RDWR);

		dup2(nullfd, STDERR_FILENO);
		execv(session_path(), argv);
		_exit(98);
	}
	return session_end();
}

START_TEST(usage)
{
	ck_assert_int_eq(exec_status(bad_args[_i]), EX_USAGE);
}
END_TEST

START_TEST(cannot_isolate)
{
	ck_assert_int_eq(exec_status(no_box[_i]), EX_OSERR);
}
END_TEST

/* ---- the filter, from inside ------------------------------------------ */

static const struct {
	const char *name;
	long args[4]; /* the call and what it is given */
} forbidden[] = {
	{ "getpid", { SYS_getpid } },
	{ "openat", { SYS_openat, -100, 0, 0 } },
	{ "socket", { SYS_socket, 1, 5, 0 } },
	{ "clone", { SYS_clone, SIGCHLD, 0, 0 } },
	{ "execve", { SYS_execve, 0, 0, 0 } },
	{ "mmap", { SYS_mmap, 0, 4096, 3 } },
	{ "mprotect", { SYS_mprotect, 0, 4096, 7 } },
	{ "brk", { SYS_brk, 0 } },
	{ "ptrace", { SYS_ptrace, 0, 0, 0 } },
	{ "kill", { SYS_kill, 1, 0 } },
	{ "prctl", { SYS_prctl, 4, 1, 0 } },
	{ "ioctl", { SYS_ioctl, 3, 0, 0 } },
	{ "dup", { SYS_dup, 3 } },
	{ "fcntl", { SYS_fcntl, 3, 1, 0 } },
	{ "read", { SYS_read, 3, 0, 0 } },
	{ "write to the monitor", { SYS_write, 3, 0, 0 } },
	{ "write to stdout", { SYS_write, 1, 0, 0 } },
	{ "recvmsg from stdin", { SYS_recvmsg, 0, 0, 0 } },
	{ "recvmsg from a granted fd", { SYS_recvmsg, 5, 0, 0 } },
	{ "sendmsg to the log", { SYS_sendmsg, 2, 0, 0 } },
	{ "close of the monitor", { SYS_close, 3 } },
	{ "close of the log", { SYS_close, 2 } },
	{ "sendto", { SYS_sendto, 3, 0, 0 } },
	{ "process_vm_readv", { SYS_process_vm_readv, 1, 0, 0 } },
#ifdef __x86_64__
	{ "a call of x32", { 0x40000000 | SYS_poll, 0, 0, 0 } },
#endif
	{ "an unknown call", { 9999 } },
}, allowed[] = {
	{ "recvmsg from the monitor", { SYS_recvmsg, 3, 0, 0 } },
	{ "recvmsg from the client", { SYS_recvmsg, 4, 0, 0 } },
	{ "sendmsg to the monitor", { SYS_sendmsg, 3, 0, 0 } },
	{ "sendmsg to the client", { SYS_sendmsg, 4, 0, 0 } },
	{ "close of the client", { SYS_close, 4 } },
	{ "close of a granted fd", { SYS_close, 20 } },
	{ "write to the log", { SYS_write, 2, 0, 0 } },
};

/* How a child ends that isolates itself and then makes a call. */
static int
call_status(const long args[4])
{
	session = fork();
	if (session == 0) {
		if (isolate(64321, 64321, emptydir) != 0)
			_exit(97);
		/* It fails for lack of arguments, or kills. */
		(void)syscall(args[0], args[1], args[2], args[3], 0L, 0L);
		/* Not _exit(), which a sanitizer would make more of. */
		(void)syscall(SYS_exit_group, 0L);
	}
	return session_end();
}

START_TEST(filter_kills)
{
	int status = call_status(forbidden[_i].args);

	ck_assert_msg(status == -SIGSYS, "%s: %d", forbidden[_i].name, status);
}
END_TEST

START_TEST(filter_allows)
{
	int status = call_status(allowed[_i].args);

	ck_assert_msg(status == 0, "%s: %d", allowed[_i].name, status);
}
END_TEST

/* The whole process dies, not the thread that made the call. */
START_TEST(filter_kills_process)
{
	static const long none[4] = { SYS_getppid };

	ck_assert_int_eq(call_status(none), -SIGSYS);
}
END_TEST

START_TEST(dies_with_the_monitor)
{
	int fds[2];
	char c;
	pid_t monitor;

	ck_assert_int_eq(pipe2(fds, O_CLOEXEC), 0);
	monitor = fork();
	if (monitor == 0) {
		int sock[2];

		/* fd 3 stays open here, so that only the signal is left. */
		if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, sock) != 0)
			_exit(1);
		if (fork() == 0) {
			dup2(fds[1], STDERR_FILENO);
			session_exec(sock[1]);
		}
		usleep(200000);
		raise(SIGKILL);
	}
	close(fds[1]);
	ck_assert_int_eq(waitpid(monitor, NULL, 0), monitor);
	/* The write end is the log of the session: it has gone as well. */
	ck_assert(readable(fds[0], 5000));
	ck_assert_int_eq(read(fds[0], &c, 1), 0);
	close(fds[0]);
}
END_TEST

#define N(a) ((int)(sizeof(a) / sizeof((a)[0])))

static Suite *
suite_run(void)
{
	Suite *s = suite_create("session_run");
	TCase *box = tcase_create("box"), *start = tcase_create("start");

	tcase_add_checked_fixture(box, setup, teardown_dir);
	tcase_add_test(box, rights);
	tcase_add_test(box, root_is_empty);
	tcase_add_test(box, not_dumpable);
	tcase_add_test(box, descriptors);
	tcase_add_test(box, limits);
	tcase_add_test(box, open_files);
	tcase_add_test(box, grants_unread);
	tcase_add_test(box, memory);
	tcase_add_test(box, stopped_and_continued);
	tcase_add_test(box, log_is_gone);
	suite_add_tcase(s, box);
	tcase_add_checked_fixture(start, setup_dir, teardown_dir);
	tcase_add_loop_test(start, usage, 0, N(bad_args));
	tcase_add_loop_test(start, cannot_isolate, 0, N(no_box));
	tcase_add_loop_test(start, filter_kills, 0, N(forbidden));
	tcase_add_loop_test(start, filter_allows, 0, N(allowed));
	tcase_add_test(start, filter_kills_process);
	tcase_add_test(start, dies_with_the_monitor);
	suite_add_tcase(s, start);
	return s;
}

int
main(void)
{
	if (geteuid() != 0 || access(session_path(), X_OK) != 0) {
		printf("session_run: not root or no %s: skipped\n",
		    session_path());
		return EXIT_SUCCESS;
	}
	return run_suite(suite_run()) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
