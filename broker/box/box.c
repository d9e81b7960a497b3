/* SPDX-License-Identifier: ISC */
/*
 * The box of the programs that help the monitor, called by their confine.c.
 * Root was left before they were executed; that is seen to once more.  Is no
 * part of the monitor.
 */

#include "box.h"

#include <errno.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

static int
lower_limit(const struct box_limit *l)
{
	struct rlimit rl;

	if (getrlimit(l->resource, &rl) != 0)
		return -errno;
	if (rl.rlim_max > l->limit)
		rl.rlim_max = l->limit;
	rl.rlim_cur = rl.rlim_max;
	return setrlimit(l->resource, &rl) != 0 ? -errno : 0;
}

int
box_enter(const struct box_limit *limits, size_t n)
{
	int r = 0;

	if (getuid() == 0 || geteuid() == 0 || getegid() == 0)
		return -EPERM;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
	    prctl(PR_SET_DUMPABLE, 0) != 0 ||
	    prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 ||
	    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) != 0)
		return -errno;
	for (size_t i = 0; r == 0 && i < n; i++)
		r = lower_limit(&limits[i]);
	return r;
}

int
box_capabilities(bool permitted, bool effective)
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
