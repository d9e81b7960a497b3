/* SPDX-License-Identifier: ISC */
/*
 * The guard's box, called by main.c before it reads anything.  Root was left
 * before this program was executed; what can be left of it are two capabilities,
 * to see which files the processes of others have open.  Must not let them stay
 * where they are of no use: without the filter (filter.c) they would be enough to
 * become root again.
 */

#include "confine.h"

#include <errno.h>
#include <linux/capability.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

static const struct {
	int resource;
	rlim_t limit;
} limits[] = {
	{ RLIMIT_CORE, 0 },
	{ RLIMIT_MEMLOCK, 0 },
	{ RLIMIT_MSGQUEUE, 0 },
	{ RLIMIT_NPROC, 0 }, /* of this one: the sessions are no matter */
	{ RLIMIT_NOFILE, 64 },
	{ RLIMIT_STACK, 8UL << 20 },
	{ RLIMIT_AS, 256UL << 20 },
	{ RLIMIT_CPU, 60 },
};

static int
limit_resources(void)
{
	for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
		struct rlimit rl;

		if (getrlimit(limits[i].resource, &rl) != 0)
			return -errno;
		if (rl.rlim_max > limits[i].limit)
			rl.rlim_max = limits[i].limit;
		rl.rlim_cur = rl.rlim_max;
		if (setrlimit(limits[i].resource, &rl) != 0)
			return -errno;
	}
	return 0;
}

/* Of those that are permitted, all or none in effect; or none of either. */
static int
set_capabilities(bool permitted, bool effective)
{
	struct __user_cap_header_struct head = {
		.version = _LINUX_CAPABILITY_VERSION_3
	};
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = { 0 };

	if (syscall(SYS_capget, &head, data) != 0)
		return -errno;
	for (size_t i = 0; i < _LINUX_CAPABILITY_U32S_3; i++) {
		data[i].inheritable = 0;
		if (!permitted)
			data[i].permitted = 0;
		data[i].effective = effective ? data[i].permitted : 0;
	}
	return syscall(SYS_capset, &head, data) == 0 ? 0 : -errno;
}

/*
 * Should: end with the monitor, gain nothing by executing, and not be looked
 * into by the loader or sessions, which have the same uid.
 */
int
confine(void)
{
	int r;

	if (getuid() == 0 || geteuid() == 0 || getegid() == 0)
		return -EPERM;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
	    prctl(PR_SET_DUMPABLE, 0) != 0 ||
	    prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 ||
	    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) != 0)
		return -errno;
	r = set_capabilities(true, false);
	return r != 0 ? r : limit_resources();
}

int
confine_capabilities(bool keep)
{
	return set_capabilities(keep, keep);
}
