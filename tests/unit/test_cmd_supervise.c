/* SPDX-License-Identifier: ISC */
/*
 * What programs under a supervisor open, in all the ways there are, and what
 * they find: the lease's nodes, all else untouched, and nothing left over.
 */

#include <linux/openat2.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/time.h>

#include "tests/unit/supervised.h"

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

int
main(void)
{
	Suite *s = suite_create("cmd_supervise");
	TCase *t = tcase_create("supervise");
	SRunner *r = srunner_create(s);
	int failed;

	tcase_set_timeout(t, 60);
	tcase_add_loop_test(t, program, 0, COUNT(programs));
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_ENV);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
