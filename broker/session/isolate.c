/* SPDX-License-Identifier: ISC */
/*
 * The session's way into its box, called once by main.c before any byte of a
 * client can arrive.  Must never be skipped in part: each step that fails
 * ends the process.
 */

#include "isolate.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <errno.h>
#include <grp.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <unistd.h>

#include "session-filter.h"

/*
 * Should: leave room for what serve.c does and nothing else.  The program is
 * static and allocates nothing, so its address space is known at the start.
 *
 * Shouldn't: lower the monitor's RLIMIT_NOFILE to the few descriptors that are
 * open here.  The kernel compares it with the fds that all processes of this
 * uid have sent and that are not yet received (too_many_unix_fds(),
 * ETOOMANYREFS): clients that do not read would then stop everybody's grants.
 */
static const struct {
	int resource;
	rlim_t limit;
} limits[] = {
	{ RLIMIT_NPROC, 0 },
	{ RLIMIT_FSIZE, 0 },
	{ RLIMIT_CORE, 0 },
	{ RLIMIT_MEMLOCK, 0 },
	{ RLIMIT_MSGQUEUE, 0 },
	{ RLIMIT_SIGPENDING, 0 },
	{ RLIMIT_STACK, 128UL * 1024 },
	{ RLIMIT_DATA, 2UL * 1024 * 1024 },
	{ RLIMIT_AS, 16UL * 1024 * 1024 },
};

/* A log in a plain file must be able to grow by our lines. */
static bool
log_is_file(void)
{
	struct stat st;

	return fstat(SESSION_LOGFD, &st) == 0 && S_ISREG(st.st_mode);
}

static int
limit_resources(void)
{
	for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
		const struct rlimit rl = { limits[i].limit, limits[i].limit };

		if (limits[i].resource == RLIMIT_FSIZE && log_is_file())
			continue;
		if (setrlimit(limits[i].resource, &rl) != 0)
			return -errno;
	}
	return 0;
}

/*
 * Should: leave no descriptor but the log and the monitor, and no way to a
 * file: the root is an empty directory that belongs to somebody else.
 */
static int
leave_files(const char *emptydir)
{
	if (close_range(SESSION_CLIENTFD, UINT_MAX, 0) != 0)
		return -errno;
	if (chdir(emptydir) != 0 || chroot(".") != 0)
		return -errno;
	return 0;
}

/*
 * Should: end as uid and gid in all four senses, in no group, with no
 * capability; the kernel drops those when the last uid 0 goes.
 * Mustn't: be called for uid or gid 0, which would keep everything.
 */
static int
leave_root(uid_t uid, gid_t gid)
{
	uid_t r, e, s;

	if (uid == 0 || gid == 0)
		return -EINVAL;
	if (setgroups(0, NULL) != 0 || setresgid(gid, gid, gid) != 0 ||
	    setresuid(uid, uid, uid) != 0 || getresuid(&r, &e, &s) != 0)
		return -errno;
	return r == uid && e == uid && s == uid ? 0 : -EPERM;
}

/*
 * Should: keep other sessions, which have the same uid, from looking in or
 * steering (not dumpable also forbids ptrace), and end with the monitor.
 * Must: follow leave_root(), because a change of uid resets both.
 */
static int
leave_others(void)
{
	if (prctl(PR_SET_DUMPABLE, 0) != 0 ||
	    prctl(PR_SET_PDEATHSIG, SIGKILL) != 0)
		return -errno;
	/* A lost log must not end the session; its write then just fails. */
	return signal(SIGPIPE, SIG_IGN) == SIG_ERR ? -errno : 0;
}

/*
 * Should: from here on allow what gen/filter.c lists and kill for the rest.
 * Must: be last; the calls above are not on that list.
 */
static int
leave_kernel(void)
{
	struct sock_fprog prog = {
		.len = sizeof(session_filter) / sizeof(session_filter[0]),
	};
	const struct sock_filter *filter = session_filter;

	/* The kernel only reads it; its interface forgot the const. */
	__builtin_memcpy(&prog.filter, &filter, sizeof(filter));
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog) != 0)
		return -errno;
	return 0;
}

int
isolate(uid_t uid, gid_t gid, const char *emptydir)
{
	int r = limit_resources();

	if (r == 0)
		r = leave_files(emptydir);
	if (r == 0)
		r = leave_root(uid, gid);
	if (r == 0)
		r = leave_others();
	if (r == 0)
		r = leave_kernel();
	return r;
}
