/* SPDX-License-Identifier: ISC */
/*
 * memlock BDF
 *
 * A manager of the library, for the scenario memlock: leases the device, raises
 * the limit of locked memory of itself and of a process of its own by pidfd,
 * asks for too much and for a stranger's process, and says what came of each.
 */

#include "broker/common/bdf.h"
#include "client/vfiobroker.h"

#include <err.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define MIB ((uint64_t)1 << 20)

static void
say(const char *what, struct vfiobroker *vb, int r, pid_t pid)
{
	struct rlimit lim;

	if (prlimit(pid, RLIMIT_MEMLOCK, NULL, &lim) == -1)
		lim.rlim_cur = 0;
	printf("%s: %d, %llu MiB%s%s\n", what, vfiobroker_exit_status(r),
	    (unsigned long long)(lim.rlim_cur / MIB), r == 0 ? "" : ": ",
	    r == 0 ? "" : vfiobroker_error(vb));
	fflush(stdout);
}

int
main(int argc, char **argv)
{
	struct vfiobroker_request req = {
		.ndevices = 1, .memlock = 64 * MIB, .pidfd = -1
	};
	struct vfiobroker_grant *grant = NULL;
	struct vfiobroker *vb = NULL;
	struct vfiobroker_bdf device;
	struct bdf bdf;
	int childfd, initfd;
	pid_t child;

	if (argc != 2 || bdf_parse(argv[1], &bdf) != 0)
		errx(64, "usage: memlock BDF");
	memcpy(&device, &bdf, sizeof(device));
	req.devices = &device;
	child = fork();
	if (child == 0) {
		pause();
		_exit(0);
	}
	childfd = (int)syscall(SYS_pidfd_open, child, 0);
	initfd = (int)syscall(SYS_pidfd_open, 1, 0);
	if (vfiobroker_open(&vb, NULL) != 0 || childfd == -1 || initfd == -1)
		errx(69, "%s", vfiobroker_error(vb));
	say("acquire", vb, vfiobroker_acquire(vb, &req, &grant), getpid());
	if (grant == NULL)
		return 1;
	say("more", vb, vfiobroker_set_memlock(vb, grant->lease, 128 * MIB, -1),
	    getpid());
	say("less", vb, vfiobroker_set_memlock(vb, grant->lease, MIB, -1),
	    getpid());
	say("child", vb,
	    vfiobroker_set_memlock(vb, grant->lease, 256 * MIB, childfd),
	    child);
	say("too much", vb,
	    vfiobroker_set_memlock(vb, grant->lease, 2048 * MIB, -1), getpid());
	say("stranger", vb,
	    vfiobroker_set_memlock(vb, grant->lease, 256 * MIB, initfd),
	    getpid());
	say("no lease", vb, vfiobroker_set_memlock(vb, 424242, MIB, -1),
	    getpid());
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	vfiobroker_grant_free(grant);
	vfiobroker_close(vb);
	return 0;
}
