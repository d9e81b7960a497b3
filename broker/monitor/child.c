/* SPDX-License-Identifier: ISC */
/* See child.h.  Must not fail: the child has nobody to tell. */

#include "child.h"

#include "broker/common/fdpass.h"
#include "broker/common/log.h"
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <linux/capability.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

static pid_t monitor; /* who forked last */

pid_t
child_fork(enum child_channel channel, int *fd)
{
	pid_t pid;
	int ends[2], r;

	*fd = -1;
	r = channel == CHILD_WRITES
		? pipe2(ends, O_CLOEXEC)
		: socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends);
	if (r == -1)
		return -errno;
	monitor = getpid();
	/* Not with both ends: the child may be a program that can wait. */
	pid = fcntl(ends[0], F_SETFL, O_NONBLOCK) == -1 ? -1 : fork();
	if (pid == -1) {
		pid = -errno;
		fdpass_close(ends, 2);
		return pid;
	}
	*fd = ends[pid == 0];
	close(ends[pid != 0]);
	return pid;
}

/* The loop's handlers write into a pipe that the monitor reads. */
static void
signals_restore(void)
{
	static const int signals[] = { SIGCHLD, SIGHUP, SIGTERM, SIGINT };

	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		(void)signal(signals[i], SIG_DFL);
}

static void
close_between(unsigned first, unsigned last)
{
	/* Linux 5.9; the broker needs a younger one anyway. */
	if (first <= last)
		(void)syscall(SYS_close_range, first, last, 0U);
}

/* The lowest of them from a number on, or UINT_MAX. */
static unsigned
next_kept(const int *keep, size_t nkeep, unsigned from)
{
	unsigned next = UINT_MAX;

	for (size_t i = 0; i < nkeep; i++) {
		if ((unsigned)keep[i] >= from && (unsigned)keep[i] < next)
			next = (unsigned)keep[i];
	}
	return next;
}

void
child_prepare(const int *keep, size_t nkeep)
{
	unsigned from = STDERR_FILENO + 1, kept;

	signals_restore();
	while ((kept = next_kept(keep, nkeep, from)) != UINT_MAX) {
		close_between(from, kept - 1);
		from = kept + 1;
	}
	close_between(from, UINT_MAX);
}

void
child_become(const char *name, const int *keep, size_t nkeep)
{
	child_prepare(keep, nkeep);
	(void)signal(SIGPIPE, SIG_IGN);
	prctl(PR_SET_NAME, name);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != monitor)
		_exit(1);
}

/* Ambient ones are what an ordinary program has when it is executed. */
static int
keep_capabilities(uint64_t caps)
{
	struct __user_cap_header_struct head = {
		.version = _LINUX_CAPABILITY_VERSION_3
	};
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = { 0 };

	if (syscall(SYS_capget, &head, data) != 0)
		return -errno;
	for (size_t i = 0; i < _LINUX_CAPABILITY_U32S_3; i++) {
		data[i].permitted &= (uint32_t)(caps >> 32 * i);
		data[i].effective = data[i].inheritable = data[i].permitted;
	}
	if (syscall(SYS_capset, &head, data) != 0)
		return -errno;
	for (unsigned cap = 0; cap < 64; cap++) {
		if ((data[cap / 32].permitted & 1U << cap % 32) != 0 &&
		    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, cap, 0, 0) != 0)
			return -errno;
	}
	return 0;
}

/*
 * Shouldn't: be called for uid or gid 0, which would keep everything.
 */
static int
leave_root(uint64_t caps)
{
	uid_t uid = config.session_uid, r, e, s;
	gid_t gid = config.session_gid;

	if (uid == 0 || gid == 0)
		return -EINVAL;
	if (prctl(PR_SET_KEEPCAPS, caps != 0, 0, 0, 0) != 0 ||
	    setgroups(0, NULL) != 0 || setresgid(gid, gid, gid) != 0 ||
	    setresuid(uid, uid, uid) != 0 || getresuid(&r, &e, &s) != 0 ||
	    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		return -errno;
	if (r != uid || e != uid || s != uid)
		return -EPERM;
	return keep_capabilities(caps);
}

void
child_execute(const char *program, char *const argv[], int out, uint64_t caps)
{
	char *envp[] = { NULL };
	int r;

	child_prepare(&out, 1);
	(void)signal(SIGPIPE, SIG_DFL);
	r = dup2(out, STDOUT_FILENO) == -1 ? -errno : leave_root(caps);
	if (r == 0) {
		execve(program, argv, envp);
		r = -errno;
	}
	log_warn("cannot execute %s: %s", program, strerror(-r));
	_exit(127);
}
