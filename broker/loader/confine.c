/* SPDX-License-Identifier: ISC */
/*
 * The loader's box, called once by main.c before it reads anything.  Root was
 * left before this program was executed.
 *
 * No empty root and no filter of system calls: NSS opens its own configuration
 * and whatever libraries that names, reads files, asks daemons through sockets,
 * and some of its modules start threads.  What they need is not for us to know.
 */

#include "confine.h"

#include <errno.h>
#include <stddef.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

/*
 * Should: leave room for the largest policy and any name service.
 * Shouldn't: limit RLIMIT_NPROC, since all sessions count there too.
 */
static const struct {
	int resource;
	rlim_t limit;
} limits[] = {
	{ RLIMIT_CORE, 0 },
	{ RLIMIT_MEMLOCK, 0 },
	{ RLIMIT_MSGQUEUE, 0 },
	{ RLIMIT_NOFILE, 256 },
	{ RLIMIT_STACK, 8UL << 20 },
	{ RLIMIT_AS, 1UL << 30 },
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

/*
 * Should: end with the monitor, gain nothing by executing, and not be looked
 * into by sessions, which have the same uid.
 */
int
confine(void)
{
	if (geteuid() == 0 || getegid() == 0)
		return -EPERM;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
	    prctl(PR_SET_DUMPABLE, 0) != 0 ||
	    prctl(PR_SET_PDEATHSIG, SIGKILL) != 0)
		return -errno;
	return limit_resources();
}
