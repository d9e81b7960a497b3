/* SPDX-License-Identifier: ISC */
/* Packets with descriptors: what arrives, what is refused, and no leak. */

#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <check.h>

#include "../../broker/common/fdpass.h"

static int a = -1, b = -1;
static unsigned before;

static unsigned
fd_count(void)
{
	DIR *d = opendir("/proc/self/fd");
	unsigned n = 0;

	ck_assert_ptr_nonnull(d);
	while (readdir(d) != NULL)
		n++;
	closedir(d);
	return n;
}

static void
setup(void)
{
	int fds[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fds), 0);
	a = fds[0];
	b = fds[1];
	before = fd_count();
}

static void
teardown(void)
{
	close(a);
	close(b);
}

/* n times the same file; sent as they are, closed by nobody. */
static const int *
some_fds(size_t n)
{
	static int fds[64];

	for (size_t i = 0; i < n; i++)
		fds[i] = i % 2 == 0 ? a : b;
	return fds;
}

/* A packet with any number of fds, past the limit of fdpass_send(). */
static void
send_raw(size_t nfds, const void *buf, size_t len)
{
	union {
		struct cmsghdr align;
		char buf[CMSG_SPACE(64 * sizeof(int))];
	} c = { 0 };
	char copy[64];
	struct iovec iov = { copy, len };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1 };

	memcpy(copy, buf, len);
	m.msg_control = c.buf;
	m.msg_controllen = CMSG_SPACE(nfds * sizeof(int));
	c.align.cmsg_level = SOL_SOCKET;
	c.align.cmsg_type = SCM_RIGHTS;
	c.align.cmsg_len = CMSG_LEN(nfds * sizeof(int));
	memcpy(CMSG_DATA(&c.align), some_fds(nfds), nfds * sizeof(int));
	ck_assert_int_eq(sendmsg(a, &m, 0), (ssize_t)len);
}

static void
check_same_file(int fd, int other)
{
	struct stat x, y;

	ck_assert_int_eq(fstat(fd, &x), 0);
	ck_assert_int_eq(fstat(other, &y), 0);
	ck_assert_uint_eq(x.st_ino, y.st_ino);
}

START_TEST(pass)
{
	static const size_t counts[] = { 0, 1, 2, 3, 18, FDPASS_MAX_FDS };
	size_t want = counts[_i], n = FDPASS_MAX_FDS;
	int fds[FDPASS_MAX_FDS];
	char buf[16];

	ck_assert_int_eq(fdpass_send(a, "hello", 5, some_fds(want), want), 0);
	memset(fds, 0, sizeof(fds));
	ck_assert_int_eq(fdpass_recv(b, buf, sizeof(buf), fds, &n, 0), 5);
	ck_assert_mem_eq(buf, "hello", 5);
	ck_assert_uint_eq(n, want);
	ck_assert_uint_eq(fd_count(), before + want);
	for (size_t i = 0; i < FDPASS_MAX_FDS; i++) {
		if (i >= want) {
			ck_assert_int_eq(fds[i], -1);
			continue;
		}
		ck_assert_int_eq(fcntl(fds[i], F_GETFD), FD_CLOEXEC);
		check_same_file(fds[i], i % 2 == 0 ? a : b);
		close(fds[i]);
	}
}
END_TEST

START_TEST(exact_room)
{
	size_t n = 2;
	int fds[2];
	char buf[8];

	ck_assert_int_eq(fdpass_send(a, "x", 1, some_fds(2), 2), 0);
	ck_assert_int_eq(fdpass_recv(b, buf, sizeof(buf), fds, &n, 0), 1);
	ck_assert_uint_eq(n, 2);
	close(fds[0]);
	close(fds[1]);
}
END_TEST

/* room 1 is where C padding would let a second fd in unseen. */
START_TEST(too_many)
{
	static const struct {
		size_t room, sent;
	} cases[] = { { 0, 1 }, { 1, 2 }, { 1, 3 }, { 2, 3 }, { 3, 4 },
		{ 18, 19 }, { 18, 60 }, { 32, 33 } };
	size_t n = cases[_i].room;
	int fds[64];
	char buf[8];

	send_raw(cases[_i].sent, "x", 1);
	ck_assert_int_eq(fdpass_recv(b, buf, sizeof(buf), fds, &n, 0), -EPROTO);
	ck_assert_uint_eq(n, 0);
	for (size_t i = 0; i < cases[_i].room; i++)
		ck_assert_int_eq(fds[i], -1);
	ck_assert_uint_eq(fd_count(), before);
}
END_TEST

START_TEST(uninvited)
{
	char buf[8];

	send_raw(1, "x", 1);
	ck_assert_int_eq(
	    fdpass_recv(b, buf, sizeof(buf), NULL, NULL, 0), -EPROTO);
	ck_assert_uint_eq(fd_count(), before);
	/* The next packet is whole. */
	ck_assert_int_eq(fdpass_send(a, "yz", 2, NULL, 0), 0);
	ck_assert_int_eq(fdpass_recv(b, buf, sizeof(buf), NULL, NULL, 0), 2);
}
END_TEST

START_TEST(truncated)
{
	size_t n = 4;
	int fds[4];
	char buf[4];

	ck_assert_int_eq(fdpass_send(a, "hello", 5, some_fds(3), 3), 0);
	ck_assert_int_eq(
	    fdpass_recv(b, buf, sizeof(buf), fds, &n, 0), -EMSGSIZE);
	ck_assert_uint_eq(n, 0);
	ck_assert_int_eq(fds[0], -1);
	ck_assert_uint_eq(fd_count(), before);
}
END_TEST

START_TEST(no_bytes)
{
	size_t n = 2;
	int fds[2];
	char buf[4];

	send_raw(2, "", 0);
	ck_assert_int_eq(fdpass_recv(b, buf, sizeof(buf), fds, &n, 0), 0);
	ck_assert_uint_eq(n, 0);
	ck_assert_int_eq(fds[0], -1);
	ck_assert_uint_eq(fd_count(), before);
}
END_TEST

START_TEST(table_full)
{
	struct rlimit rl;
	size_t n = 2;
	int fds[2], top = dup(a);
	char buf[4];

	ck_assert_int_eq(fdpass_send(a, "x", 1, some_fds(2), 2), 0);
	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &rl), 0);
	rl.rlim_cur = (rlim_t)top + 2; /* room for one of the two */
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &rl), 0);
	ck_assert_int_eq(fdpass_recv(b, buf, sizeof(buf), fds, &n, 0), -EPROTO);
	ck_assert_uint_eq(n, 0);
	ck_assert_int_eq(fds[0], -1);
	ck_assert_int_eq(dup(a), top + 1);
}
END_TEST

START_TEST(end_of_stream)
{
	size_t n = 2;
	int fds[2];
	char buf[4];

	close(a);
	a = -1;
	ck_assert_int_eq(fdpass_recv(b, buf, sizeof(buf), fds, &n, 0), 0);
	ck_assert_int_eq(fdpass_send(b, "x", 1, NULL, 0), -EPIPE);
}
END_TEST

START_TEST(would_block)
{
	static const char big[4096];
	char buf[sizeof(big)];
	size_t sent = 0, n = 0;
	int r;

	ck_assert_int_eq(
	    fdpass_recv(b, buf, sizeof(buf), NULL, NULL, MSG_DONTWAIT),
	    -EAGAIN);
	while ((r = fdpass_send(a, big, sizeof(big), NULL, 0)) == 0)
		sent++;
	ck_assert_int_eq(r, -EAGAIN);
	while (fdpass_recv(b, buf, sizeof(buf), NULL, NULL, MSG_DONTWAIT) ==
	       sizeof(big))
		n++;
	ck_assert_uint_eq(n, sent);
}
END_TEST

START_TEST(bad_calls)
{
	size_t n = FDPASS_MAX_FDS + 1;
	int fds[FDPASS_MAX_FDS + 1];
	char buf[4];

	ck_assert_int_eq(fdpass_send(a, "", 0, NULL, 0), -EINVAL);
	ck_assert_int_eq(fdpass_send(a, "x", 1, some_fds(n), n), -EINVAL);
	ck_assert_int_eq(fdpass_recv(b, buf, sizeof(buf), fds, &n, 0), -EINVAL);
	ck_assert_int_eq(fdpass_send(-1, "x", 1, NULL, 0), -EBADF);
	n = 1;
	ck_assert_int_eq(fdpass_recv(-1, buf, 4, fds, &n, 0), -EBADF);
	ck_assert_uint_eq(n, 0);
	fds[0] = 1000;
	ck_assert_int_eq(fdpass_send(a, "x", 1, fds, 1), -EBADF);
	ck_assert_uint_eq(fd_count(), before);
}
END_TEST

static void
on_alarm(int sig)
{
	static unsigned n;

	(void)sig;
	/* Only the third interrupts for good: then there is a packet. */
	if (++n == 3)
		ck_assert_int_eq(fdpass_send(a, "z", 1, NULL, 0), 0);
}

START_TEST(interrupted)
{
	const struct itimerval every = { { 0, 20000 }, { 0, 20000 } };
	const struct sigaction sa = { .sa_handler = on_alarm };
	char buf[4];

	ck_assert_int_eq(sigaction(SIGALRM, &sa, NULL), 0);
	ck_assert_int_eq(setitimer(ITIMER_REAL, &every, NULL), 0);
	ck_assert_int_eq(fdpass_recv(b, buf, sizeof(buf), NULL, NULL, 0), 1);
}
END_TEST

int
main(void)
{
	TCase *tc = tcase_create("fdpass");
	Suite *s = suite_create("fdpass");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc, pass, 0, 6);
	tcase_add_test(tc, exact_room);
	tcase_add_loop_test(tc, too_many, 0, 8);
	tcase_add_test(tc, uninvited);
	tcase_add_test(tc, truncated);
	tcase_add_test(tc, no_bytes);
	tcase_add_test(tc, table_full);
	tcase_add_test(tc, end_of_stream);
	tcase_add_test(tc, would_block);
	tcase_add_test(tc, bad_calls);
	tcase_add_test(tc, interrupted);
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
