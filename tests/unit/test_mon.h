/* SPDX-License-Identifier: ISC */
#ifndef VFIOBROKER_TESTS_TEST_MON_H
#define VFIOBROKER_TESTS_TEST_MON_H

/*
 * What the tests of the monitor's parts share: waiting for an event instead of
 * for a time, children that stand for another process, random numbers that are
 * the same in every run, and what was logged.
 */

#include <sys/mman.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <check.h>

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/common_interface_defs.h>
#endif

#include "broker/monitor/loop.h"

#define PATIENCE_MS 30000 /* far more than anything takes */

static inline void
impatient(void *arg)
{
	ck_abort_msg("waited too long for %s", *(const char **)arg);
}

/* Drives the loop until the condition holds. */
static inline void
loop_until(const char *what, bool (*met)(void *), void *arg)
{
	struct event *late;

	ck_assert_int_eq(loop_event(&late, -1, 0, impatient, &what), 0);
	loop_timer(late, PATIENCE_MS);
	while (!met(arg))
		ck_assert_int_eq(event_base_loop(loop_base, EVLOOP_ONCE), 0);
	loop_free(&late);
}

/* Reads exactly len bytes from a pipe or fifo, or fails the test. */
static inline void
read_exactly(int fd, void *buf, size_t len)
{
	for (char *at = buf; len > 0;) {
		struct pollfd p = { .fd = fd, .events = POLLIN };
		ssize_t n;
		int r;

		do /* a child's end may come in between */
			r = poll(&p, 1, PATIENCE_MS);
		while (r == -1 && errno == EINTR);
		ck_assert_int_eq(r, 1);
		n = read(fd, at, len);
		ck_assert_int_gt(n, 0);
		at += n;
		len -= (size_t)n;
	}
}

/* The exit status of a child, or minus the signal that killed it. */
static inline int
child_end(pid_t pid)
{
	int status;

	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static inline void
child_kill(pid_t pid)
{
	ck_assert_int_eq(kill(pid, SIGKILL), 0);
	ck_assert_int_eq(child_end(pid), -SIGKILL);
}

/* A child that does nothing, but has all that its parent has open. */
static inline pid_t
child_idle(void)
{
	pid_t pid = fork();

	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		for (;;)
			pause();
	}
	return pid;
}

static inline uint32_t
random_next(uint32_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 17;
	*seed ^= *seed << 5;
	return *seed;
}

/* Printable text of up to max bytes; without the bytes of not. */
static inline void
random_text(uint32_t *seed, char *buf, size_t max, const char * not )
{
	size_t n = random_next(seed) % (max + 1), at = 0;

	while (at < n) {
		char c = (char)(' ' + random_next(seed) % ('~' - ' ' + 1));

		if (strchr(not, c) == NULL)
			buf[at++] = c;
	}
	buf[at] = '\0';
}

/* A copy of exactly its size, so that a sanitizer sees the byte behind it. */
static inline char *
exact_copy(const char *text, size_t len)
{
	char *copy = malloc(len == 0 ? 1 : len);

	ck_assert_ptr_nonnull(copy);
	memcpy(copy, text, len);
	return copy;
}

/*
 * From now on stderr goes to a file without a name, an fd of which is
 * returned; but not what a sanitizer has to say.
 */
static inline int
log_capture(void)
{
	int fd = memfd_create("log", MFD_CLOEXEC);

	ck_assert_int_ge(fd, 0);
#ifdef __SANITIZE_ADDRESS__
	__sanitizer_set_report_fd((void *)(intptr_t)dup(STDERR_FILENO));
#endif
	ck_assert_int_ge(dup2(fd, STDERR_FILENO), 0);
	return fd;
}

/* How often a text stands in what was logged since log_capture(). */
static inline unsigned
log_count(int fd, const char *text)
{
	static char all[1 << 16];
	ssize_t n = pread(fd, all, sizeof(all) - 1, 0);
	unsigned count = 0;

	ck_assert_int_ge(n, 0);
	all[n] = '\0';
	for (const char *s = all; (s = strstr(s, text)) != NULL; s++)
		count++;
	return count;
}

/* A main() of one suite: every test by itself in a process. */
static inline int
run_suite(Suite *s)
{
	SRunner *sr = srunner_create(s);
	int failed;

	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

#endif
