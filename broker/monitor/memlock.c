/* SPDX-License-Identifier: ISC */
/*
 * The RFC's step 8.  VFIO charges pinned pages to the process that maps them,
 * at the time it maps: so the limit of the VMM is raised, before or while it
 * runs, and nobody has to have been started with a high one.
 *
 * prlimit(2) takes a number, so the pidfd is asked again afterwards: had the
 * number been given to another process, the first one would be gone.
 */

#include "memlock.h"

#include "broker/common/log.h"
#include "loop.h"
#include "pidfd.h"

#include <errno.h>
#include <string.h>
#include <sys/resource.h>

static rlim_t
at_least(rlim_t now, rlim_t want)
{
	/* RLIM_INFINITY is the largest value. */
	return now > want ? now : want;
}

int
memlock_raise(int pidfd, uid_t uid, uint64_t bytes, uint64_t *now)
{
	uint64_t begin = clock_us();
	struct rlimit lim;
	rlim_t before;
	pid_t pid = pidfd_pid(pidfd);
	uid_t owner;

	if (pid < 0)
		return pid;
	if (process_owner(pid, &owner) != 0)
		return -ESRCH;
	if (owner != uid && uid != 0)
		return -EACCES;
	if (prlimit(pid, RLIMIT_MEMLOCK, NULL, &lim) == -1)
		return -errno;
	before = lim.rlim_cur;
	lim.rlim_cur = at_least(lim.rlim_cur, bytes);
	lim.rlim_max = at_least(lim.rlim_max, bytes);
	if (prlimit(pid, RLIMIT_MEMLOCK, &lim, NULL) == -1)
		return -errno;
	*now = lim.rlim_cur;
	if (lim.rlim_cur != before)
		log_info("pid %d may lock %llu bytes, raised in %llu us", pid,
		    (unsigned long long)lim.rlim_cur,
		    (unsigned long long)(clock_us() - begin));
	return pidfd_pid(pidfd) == pid ? 0 : -ESRCH;
}

const char *
memlock_why(int error)
{
	if (error == -EACCES)
		return "the process is another user's";
	if (error == -ESRCH || error == -EBADF)
		return "the process is gone";
	return strerror(-error);
}

const char *
memlock_fix(int error)
{
	if (error == -EACCES)
		return "name a process that runs with your own uid";
	if (error == -ESRCH || error == -EBADF)
		return "start it again, and ask while it runs";
	if (error == -EPERM)
		return "the broker lacks CAP_SYS_RESOURCE: an administrator "
		       "can start it as the unit vfiobrokerd.service does";
	return "raise the limit of the process before it starts (ulimit -l), "
	       "and ask for no memory";
}
