/* SPDX-License-Identifier: ISC */
/*
 * The supervisor for real, without VFIO: memfds stand for the nodes.  Each
 * test forks a "program" that goes under a supervisor and does system calls;
 * it exits with 0, or with the number of the line that went wrong.
 */

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "client/cmd/supervise.h"

/* In a program: ends it with the line's number (exit statuses are bytes). */
#define EXPECT(e)                                                      \
	do {                                                           \
		if (!(e)) {                                            \
			dprintf(2, "%s:%d: %s (errno %d)\n", __FILE__, \
			    __LINE__, #e, errno);                      \
			return 1;                                      \
		}                                                      \
	} while (0)

/* ---- the nodes -------------------------------------------------------- */

static int
late(uint64_t lease, const struct node *node, struct late_nodes *out)
{
	if (lease != 42)
		return -EPERM;
	if (node->kind != NODE_GROUP)
		return 0;
	switch (node->number) {
	case 11:
		out->fd = memfd_create("late", MFD_CLOEXEC);
		return 0;
	case 12:
		return -EACCES;
	case 13:
		/* Not abort(): a core file is of no use. */
		raise(SIGKILL);
		return 0;
	case 15:
		sleep(1);
		out->fd = memfd_create("slow", MFD_CLOEXEC);
		return 0;
	case 16:
		out->fd = memfd_create("sixteen", MFD_CLOEXEC);
		out->containerfd = memfd_create("gift", MFD_CLOEXEC);
		return 0;
	default:
		return 0;
	}
}

/* The end of a pipe whose other end is group 10's node. */
static int pipefd = -1;

static int
make_pipe(void)
{
	int p[2];

	if (pipe2(p, O_CLOEXEC) != 0)
		return -1;
	pipefd = p[0];
	return p[1];
}

static int
go_under(void)
{
	struct supervision s = { .dir = "/dev",
		.lease = 42,
		.nnodes = 6,
		.nodes = { { { NODE_CONTAINER, -1 },
			       memfd_create("container", MFD_CLOEXEC) },
		    { { NODE_GROUP, 7 }, memfd_create("seven", MFD_CLOEXEC) },
		    { { NODE_GROUP, 9 }, memfd_create("nine", MFD_CLOEXEC) },
		    { { NODE_GROUP, 10 }, make_pipe() },
		    { { NODE_IOMMUFD, -1 },
			memfd_create("iommufd", MFD_CLOEXEC) },
		    { { NODE_CDEV, 7 }, memfd_create("cdev", MFD_CLOEXEC) } },
		.late = late };

	return supervise_start(&s);
}

/* Whether fd is the memfd of this name. */
static int
is_memfd(int fd, const char *name)
{
	char path[64], link[128] = "", want[128];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	snprintf(want, sizeof(want), "/memfd:%s (deleted)", name);
	if (readlink(path, link, sizeof(link) - 1) < 0)
		return 0;
	return strcmp(link, want) == 0;
}

/* ---- programs and their supervisors ----------------------------------- */

struct run {
	pid_t pid;
	int errfd; /* ends when program and supervisor have both ended */
	char errors[4096];
};

static void
start(struct run *r, int (*program)(void))
{
	int p[2];

	ck_assert_int_eq(pipe2(p, O_CLOEXEC), 0);
	r->pid = fork();
	if (r->pid == 0) {
		setpgid(0, 0);
		/* Check's own handlers are not a program's. */
		signal(SIGINT, SIG_DFL);
		signal(SIGTERM, SIG_DFL);
		dup2(p[1], STDERR_FILENO);
		close(p[0]);
		close(p[1]);
		if (go_under() != EX_OK)
			_exit(99);
		_exit(program());
	}
	ck_assert_int_gt(r->pid, 0);
	close(p[1]);
	r->errfd = p[0];
}

/* Waits for program and supervisor; returns the program's wait status. */
static int
finish(struct run *r)
{
	struct pollfd p = { .fd = r->errfd, .events = POLLIN };
	size_t len = 0;
	ssize_t n = 1;
	int status;

	ck_assert_int_eq(waitpid(r->pid, &status, 0), r->pid);
	while (n > 0) {
		/* The supervisor goes with the program. */
		ck_assert_int_eq(poll(&p, 1, 3000), 1);
		n = read(
		    r->errfd, r->errors + len, sizeof(r->errors) - 1 - len);
		if (n > 0)
			len += (size_t)n;
	}
	r->errors[len] = '\0';
	close(r->errfd);
	return status;
}

static void
check_program(int (*program)(void))
{
	struct run r;
	int status;

	start(&r, program);
	status = finish(&r);
	ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0,
	    "status %x: %s", (unsigned)status, r.errors);
}

/* ---- what programs do ------------------------------------------------- */

static int
plain_opens(void)
{
	int fd = open("/dev/vfio/7", O_RDWR);

	EXPECT(is_memfd(fd, "seven"));
	EXPECT(fcntl(fd, F_GETFD) == 0);
	fd = open("/dev/vfio/9", O_RDWR | O_CLOEXEC);
	EXPECT(is_memfd(fd, "nine"));
	EXPECT(fcntl(fd, F_GETFD) == FD_CLOEXEC);
	fd = open("/dev/vfio/vfio", O_RDWR | O_NONBLOCK);
	EXPECT(is_memfd(fd, "container"));
	return 0;
}

static int
openat_opens(void)
{
	struct open_how how = { .flags = O_RDWR | O_CLOEXEC };
	long fd = syscall(SYS_openat, AT_FDCWD, "/dev/vfio/7", O_RDWR);

	EXPECT(is_memfd((int)fd, "seven"));
	/* An absolute path does not care about the directory. */
	fd = syscall(SYS_openat, -1, "/dev//vfio/./9", O_RDWR);
	EXPECT(is_memfd((int)fd, "nine"));
	EXPECT(is_memfd(open("/dev/iommu", O_RDWR), "iommufd"));
	EXPECT(is_memfd(open("/dev/vfio/devices/vfio7", O_RDWR), "cdev"));
	fd =
	    syscall(SYS_openat2, AT_FDCWD, "/dev/vfio/vfio", &how, sizeof(how));
	EXPECT(is_memfd((int)fd, "container"));
	EXPECT(fcntl((int)fd, F_GETFD) == FD_CLOEXEC);
	fd = syscall(SYS_openat2, AT_FDCWD, "/dev/vfio/11", NULL, 24L);
	EXPECT(fd == -1 && errno == EFAULT);
	return 0;
}

static int
relative_opens(void)
{
	int dirfd, fd;

	EXPECT(chdir("/dev") == 0);
	fd = open("vfio/7", O_RDWR);
	EXPECT(is_memfd(fd, "seven"));
	dirfd = open("/dev/shm", O_PATH);
	if (dirfd == -1)
		dirfd = open("/dev/pts", O_PATH);
	EXPECT(dirfd != -1);
	fd = openat(dirfd, "../vfio/9", O_RDWR);
	EXPECT(is_memfd(fd, "nine"));
	/* Not ours, though the name fits. */
	EXPECT(openat(dirfd, "7", O_RDWR) == -1 && errno == ENOENT);
	EXPECT(openat(99, "vfio/7", O_RDWR) == -1 && errno == EBADF);
	return 0;
}

static int
page_boundary(void)
{
	long page = sysconf(_SC_PAGESIZE);
	char *m = mmap(NULL, 3 * (size_t)page, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char *path;

	EXPECT(m != MAP_FAILED);
	EXPECT(mprotect(m + 2 * page, (size_t)page, PROT_NONE) == 0);
	/* Ends with the last byte that can be read. */
	path = m + 2 * page - sizeof("/dev/vfio/7");
	strcpy(path, "/dev/vfio/7");
	EXPECT(is_memfd(open(path, O_RDWR), "seven"));
	/* Lies across two pages that can be read. */
	path = m + page - 5;
	strcpy(path, "/dev/vfio/9");
	EXPECT(is_memfd(open(path, O_RDWR), "nine"));
	/* Has no end before the memory has. */
	memset(m + 2 * page - 16, 'x', 16);
	EXPECT(open(m + 2 * page - 16, O_RDWR) == -1 && errno == EFAULT);
	return 0;
}

static int
bad_pointers(void)
{
	const char *nowhere = (const char *)(uintptr_t)8;
	char path[5000];

	EXPECT(syscall(SYS_open, nowhere, O_RDWR) == -1 && errno == EFAULT);
	EXPECT(syscall(SYS_open, NULL, O_RDWR) == -1 && errno == EFAULT);
	memset(path, 'x', sizeof(path));
	path[sizeof(path) - 1] = '\0';
	EXPECT(open(path, O_RDWR) == -1 && errno == ENAMETOOLONG);
	path[0] = '\0';
	EXPECT(open(path, O_RDWR) == -1 && errno == ENOENT);
	EXPECT(is_memfd(open("/dev/vfio/7", O_RDWR), "seven"));
	return 0;
}

static int
others_untouched(void)
{
	char name[] = "/tmp/vfiobroker-test-XXXXXX";
	int fd = mkstemp(name); /* O_RDWR | O_CREAT | O_EXCL */

	EXPECT(fd != -1 && write(fd, "x", 1) == 1);
	EXPECT(open(name, O_RDWR | O_CREAT | O_EXCL, 0600) == -1 &&
	       errno == EEXIST);
	EXPECT(unlink(name) == 0);
	EXPECT(open("/dev/null", O_RDWR) != -1);
	EXPECT(open("/dev/null", O_RDONLY) != -1);
	EXPECT(open("/nonexistent", O_RDWR) == -1 && errno == ENOENT);
	EXPECT(open("/dev", O_RDWR) == -1 && errno == EISDIR);
	EXPECT(open("/dev/vfio", O_RDWR) == -1);
	/* Nodes of VFIO are handed over for reading and writing only. */
	EXPECT(open("/dev/vfio/7", O_RDONLY) == -1);
	EXPECT(open("/dev/vfio/7", O_PATH | O_RDWR) == -1);
	EXPECT(is_memfd(open("/dev/vfio/7", O_RDWR), "seven"));
	return 0;
}

static int
late_opens(void)
{
	EXPECT(is_memfd(open("/dev/vfio/11", O_RDWR), "late"));
	EXPECT(is_memfd(open("/dev/vfio/11", O_RDWR), "late"));
	EXPECT(open("/dev/vfio/12", O_RDWR) == -1 && errno == EACCES);
	/* The fetching child died. */
	EXPECT(open("/dev/vfio/13", O_RDWR) == -1 && errno == EIO);
	/* The program is left with its own rights. */
	EXPECT(open("/dev/vfio/14", O_RDWR) == -1 && errno == ENOENT);
	EXPECT(is_memfd(open("/dev/vfio/vfio", O_RDWR), "container"));
	EXPECT(open("/dev/vfio/vfio", O_RDWR) == -1);
	return 0;
}

/* A container that comes with a group is for the next open of one. */
static int
late_container(void)
{
	EXPECT(is_memfd(open("/dev/vfio/16", O_RDWR), "sixteen"));
	EXPECT(is_memfd(open("/dev/vfio/vfio", O_RDWR), "container"));
	EXPECT(open("/dev/vfio/vfio", O_RDWR) == -1);
	for (int i = 0; i < 100; i++) {
		int fd = open("/dev/vfio/16", O_RDWR);

		EXPECT(is_memfd(fd, "sixteen"));
		close(fd);
		fd = open("/dev/vfio/vfio", O_RDWR);
		EXPECT(is_memfd(fd, "gift"));
		close(fd);
	}
	EXPECT(open("/dev/vfio/vfio", O_RDWR) == -1);
	return 0;
}

static double
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void *
open_slow(void *arg)
{
	*(int *)arg = open("/dev/vfio/15", O_RDWR);
	return NULL;
}

static int
late_does_not_block(void)
{
	double begin = now();
	pthread_t thread;
	int slowfd = -1;

	EXPECT(pthread_create(&thread, NULL, open_slow, &slowfd) == 0);
	usleep(100000);
	EXPECT(open("/dev/null", O_RDWR) != -1);
	EXPECT(is_memfd(open("/dev/vfio/7", O_RDWR), "seven"));
	EXPECT(now() - begin < 0.8);
	EXPECT(pthread_join(thread, NULL) == 0);
	EXPECT(is_memfd(slowfd, "slow"));
	return 0;
}

/* More slow opens at once than the supervisor has children for. */
static int
late_is_bounded(void)
{
	pthread_t threads[12];
	int fds[12], slow = 0;

	for (int i = 0; i < 12; i++)
		EXPECT(
		    pthread_create(&threads[i], NULL, open_slow, &fds[i]) == 0);
	for (int i = 0; i < 12; i++) {
		EXPECT(pthread_join(threads[i], NULL) == 0);
		slow += is_memfd(fds[i], "slow");
	}
	EXPECT(slow == 8);
	EXPECT(is_memfd(open("/dev/vfio/11", O_RDWR), "late"));
	return 0;
}

static int
descriptor_limit(void)
{
	struct rlimit limit = { 0, 1024 }, before;

	EXPECT(getrlimit(RLIMIT_NOFILE, &before) == 0);
	limit.rlim_cur = 3;
	limit.rlim_max = before.rlim_max;
	EXPECT(setrlimit(RLIMIT_NOFILE, &limit) == 0);
	EXPECT(open("/dev/vfio/7", O_RDWR) == -1 && errno == EMFILE);
	EXPECT(open("/dev/vfio/11", O_RDWR) == -1 && errno == EMFILE);
	EXPECT(setrlimit(RLIMIT_NOFILE, &before) == 0);
	EXPECT(is_memfd(open("/dev/vfio/7", O_RDWR), "seven"));
	return 0;
}

static void *
open_many(void *arg)
{
	for (int i = 0; i < 5000; i++) {
		int fd = open("/dev/null", O_RDWR);

		if (fd == -1)
			return arg;
		close(fd);
	}
	return NULL;
}

static int
many_opens(void)
{
	pthread_t threads[4];
	void *failed;

	for (int i = 0; i < 4; i++)
		EXPECT(
		    pthread_create(&threads[i], NULL, open_many, threads) == 0);
	for (int i = 0; i < 4; i++) {
		EXPECT(pthread_join(threads[i], &failed) == 0);
		EXPECT(failed == NULL);
	}
	EXPECT(is_memfd(open("/dev/vfio/7", O_RDWR), "seven"));
	return 0;
}

static void
on_alarm(int sig)
{
	(void)sig;
}

/* Opens that signals interrupt all the time are answered once each. */
static int
opens_under_signals(void)
{
	const struct sigaction action = { .sa_handler = on_alarm,
		.sa_flags = SA_RESTART };
	const struct itimerval often = { { 0, 200 }, { 0, 200 } };
	const struct itimerval never = { { 0, 0 }, { 0, 0 } };

	EXPECT(sigaction(SIGALRM, &action, NULL) == 0);
	EXPECT(setitimer(ITIMER_REAL, &often, NULL) == 0);
	for (int i = 0; i < 2000; i++) {
		int fd = open("/dev/vfio/11", O_RDWR);

		EXPECT(is_memfd(fd, "late"));
		EXPECT(close(fd) == 0);
		if (i == 100)
			EXPECT(is_memfd(open("/dev/vfio/7", O_RDWR), "seven"));
	}
	EXPECT(setitimer(ITIMER_REAL, &never, NULL) == 0);
	return 0;
}

/* What the supervisor holds is nowhere in the program. */
static int
no_descriptor_left(void)
{
	char path[64], link[128];

	for (int fd = 3; fd < 1024; fd++) {
		ssize_t n;

		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
		n = readlink(path, link, sizeof(link) - 1);
		link[n > 0 ? n : 0] = '\0';
		EXPECT(strncmp(link, "/memfd:", 7) != 0);
		EXPECT(strncmp(link, "socket:", 7) != 0);
		EXPECT(strcmp(link, "anon_inode:seccomp notify") != 0);
		EXPECT(strcmp(link, "anon_inode:[pidfd]") != 0);
	}
	return 0;
}

/* A second holder would keep a group busy after the program closed it. */
static int
no_copy_left(void)
{
	struct pollfd p = { .fd = pipefd };
	pthread_t thread;
	int slowfd = -1, fd;

	/* Also not in a child that fetches something else at the time. */
	EXPECT(pthread_create(&thread, NULL, open_slow, &slowfd) == 0);
	usleep(100000);
	fd = open("/dev/vfio/10", O_RDWR);
	EXPECT(fd != -1);
	EXPECT(poll(&p, 1, 0) == 0);
	close(fd);
	EXPECT(poll(&p, 1, 100) == 1 && p.revents == POLLHUP);
	EXPECT(pthread_join(thread, NULL) == 0);
	return 0;
}

static int
no_child_to_reap(void)
{
	EXPECT(waitpid(-1, NULL, WNOHANG) == -1 && errno == ECHILD);
	return 0;
}

static int
forked_child_opens(void)
{
	pid_t pid = fork();
	int status;

	if (pid == 0)
		_exit(!is_memfd(open("/dev/vfio/7", O_RDWR), "seven"));
	EXPECT(waitpid(pid, &status, 0) == pid);
	EXPECT(status == 0);
	return 0;
}

/* perl and some init scripts start programs like that. */
START_TEST(ignored_children)
{
	struct run r;

	ck_assert_ptr_ne(signal(SIGCHLD, SIG_IGN), SIG_ERR);
	start(&r, plain_opens);
	ck_assert_ptr_ne(signal(SIGCHLD, SIG_DFL), SIG_ERR);
	ck_assert_msg(finish(&r) == 0, "%s", r.errors);
}
END_TEST

static int
nested(void)
{
	EXPECT(go_under() == EX_UNAVAILABLE);
	EXPECT(is_memfd(open("/dev/vfio/7", O_RDWR), "seven"));
	return 0;
}

static int
no_new_privs(void)
{
	EXPECT(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1);
	return 0;
}

static const struct {
	const char *name;
	int (*program)(void);
} programs[] = {
	{ "plain", plain_opens },
	{ "openat", openat_opens },
	{ "relative", relative_opens },
	{ "page boundary", page_boundary },
	{ "bad pointers", bad_pointers },
	{ "others", others_untouched },
	{ "late", late_opens },
	{ "late container", late_container },
	{ "late does not block", late_does_not_block },
	{ "late is bounded", late_is_bounded },
	{ "descriptor limit", descriptor_limit },
	{ "many", many_opens },
	{ "signals", opens_under_signals },
	{ "no descriptor left", no_descriptor_left },
	{ "no copy left", no_copy_left },
	{ "no child", no_child_to_reap },
	{ "forked child", forked_child_opens },
	{ "no_new_privs", no_new_privs },
};

START_TEST(program)
{
	check_program(programs[_i].program);
}
END_TEST

/* ---- life and death --------------------------------------------------- */

START_TEST(nested_is_told)
{
	struct run r;
	int status;

	start(&r, nested);
	status = finish(&r);
	ck_assert_msg(status == 0, "%s", r.errors);
	ck_assert_ptr_nonnull(strstr(r.errors, "another seccomp listener"));
}
END_TEST

static int
exits_42(void)
{
	return 42;
}

static int
sleeps(void)
{
	pause();
	return 0;
}

START_TEST(exit_status_is_kept)
{
	struct run r;
	int status;

	start(&r, exits_42);
	status = finish(&r);
	ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 42);
}
END_TEST

static const int deadly[] = { SIGTERM, SIGKILL, SIGINT, SIGHUP };

START_TEST(signal_is_kept)
{
	struct run r;
	int status;

	start(&r, sleeps);
	usleep(50000);
	kill(r.pid, deadly[_i]);
	/* And the supervisor ends too: finish() waits for that. */
	status = finish(&r);
	ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == deadly[_i]);
}
END_TEST

static volatile sig_atomic_t interrupted;

static void
on_interrupt(int sig)
{
	(void)sig;
	interrupted = 1;
}

static int
survives_interrupt(void)
{
	signal(SIGINT, on_interrupt);
	signal(SIGQUIT, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	signal(SIGTERM, SIG_IGN);
	for (int i = 0; i < 100 && !interrupted; i++)
		usleep(20000);
	EXPECT(interrupted);
	EXPECT(is_memfd(open("/dev/vfio/7", O_RDWR), "seven"));
	return 0;
}

START_TEST(terminal_does_not_kill_the_supervisor)
{
	struct run r;
	int status;

	start(&r, survives_interrupt);
	usleep(100000);
	kill(-r.pid, SIGHUP);
	kill(-r.pid, SIGTERM);
	kill(-r.pid, SIGQUIT);
	kill(-r.pid, SIGINT);
	status = finish(&r);
	ck_assert_msg(status == 0, "%s", r.errors);
}
END_TEST

static int
goes_to_background(void)
{
	/* As -daemonize does: the parent ends, the child is the VMM. */
	if (fork() != 0)
		return 0;
	setsid();
	close(STDERR_FILENO);
	sleep(1);
	_exit(0);
}

/* Whoever reads stderr to its end must not wait for the VMM's end. */
START_TEST(background_releases_stderr)
{
	double begin = now();
	struct run r;

	start(&r, goes_to_background);
	ck_assert_int_eq(finish(&r), 0);
	ck_assert(now() - begin < 0.7);
}
END_TEST

static int
cannot_be_read(void)
{
	EXPECT(prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0);
	/* The opens go on by themselves. */
	EXPECT(open("/dev/null", O_RDWR) != -1);
	EXPECT(open("/dev/vfio/7", O_RDWR) == -1);
	EXPECT(open("/dev/vfio/7", O_RDWR) == -1);
	return 0;
}

/* What Yama does to forked children, any kernel does to this program. */
START_TEST(unreadable_program_is_told_once)
{
	struct run r;
	const char *told;
	int status;

	if (geteuid() != 0)
		return;
	ck_assert_int_eq(setgid(65534), 0);
	ck_assert_int_eq(setuid(65534), 0);
	start(&r, cannot_be_read);
	status = finish(&r);
	ck_assert_msg(status == 0, "%s", r.errors);
	told = strstr(r.errors, "cannot read the memory");
	ck_assert_ptr_nonnull(told);
	ck_assert_ptr_null(strstr(told + 1, "cannot read the memory"));
	ck_assert_ptr_nonnull(strstr(told, "ptrace_scope"));
}
END_TEST

/* ---- what it costs ---------------------------------------------------- */

static double
open_cost(int flags)
{
	const int rounds = 20000;
	double begin = now();

	for (int i = 0; i < rounds; i++)
		close(open("/dev/null", flags));
	return (now() - begin) / rounds * 1e6;
}

START_TEST(cost)
{
	double free_cost = open_cost(O_RDWR);
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		if (go_under() != EX_OK)
			_exit(1);
		printf("open and close of /dev/null: %.2f us alone, %.2f us "
		       "reading, %.2f us read-write under supervision\n",
		    free_cost, open_cost(O_RDONLY), open_cost(O_RDWR));
		fflush(stdout);
		_exit(0);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
}
END_TEST

#define COUNT(a) ((int)(sizeof(a) / sizeof((a)[0])))

int
main(void)
{
	Suite *s = suite_create("cmd_supervise");
	TCase *t = tcase_create("supervise");
	SRunner *r = srunner_create(s);
	int failed;

	tcase_set_timeout(t, 60);
	tcase_add_loop_test(t, program, 0, COUNT(programs));
	tcase_add_test(t, ignored_children);
	tcase_add_test(t, nested_is_told);
	tcase_add_test(t, exit_status_is_kept);
	tcase_add_loop_test(t, signal_is_kept, 0, COUNT(deadly));
	tcase_add_test(t, terminal_does_not_kill_the_supervisor);
	tcase_add_test(t, background_releases_stderr);
	tcase_add_test(t, unreadable_program_is_told_once);
	tcase_add_test(t, cost);
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_ENV);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
