/* SPDX-License-Identifier: ISC */
/*
 * steal LEASE BDF GROUP
 *
 * A client that knows the number of a lease and uses it as if it were its own:
 * asks to have its limit of locked memory raised for it, the device added to it,
 * its group opened, and to release it. Says what came of each, and what it has
 * gained.
 */

#include "broker/common/bdf.h"
#include "client/vfiobroker.h"

#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#define MIB ((uint64_t)1 << 20)

static void
say(const char *what, struct vfiobroker *vb, int r)
{
	printf("%s: %d%s%s\n", what, vfiobroker_exit_status(r),
	    r == 0 ? "" : ": ", r == 0 ? "" : vfiobroker_error(vb));
}

static uint64_t
memlock(void)
{
	struct rlimit lim;

	if (getrlimit(RLIMIT_MEMLOCK, &lim) == -1)
		err(71, "getrlimit");
	return lim.rlim_cur;
}

int
main(int argc, char **argv)
{
	struct vfiobroker_request req = { .ndevices = 1, .pidfd = -1 };
	struct vfiobroker_grant *grant = NULL;
	struct vfiobroker *vb = NULL;
	struct vfiobroker_bdf device;
	int groupfd = -1, containerfd = -1;
	uint64_t before = memlock();
	struct bdf bdf;

	if (argc != 4 || bdf_parse(argv[2], &bdf) != 0)
		errx(64, "usage: steal LEASE BDF GROUP");
	memcpy(&device, &bdf, sizeof(device));
	req.devices = &device;
	req.lease = strtoull(argv[1], NULL, 10);
	if (vfiobroker_open(&vb, NULL) != 0)
		errx(69, "%s", vfiobroker_error(vb));
	say("memlock", vb,
	    vfiobroker_set_memlock(vb, req.lease, before + MIB, -1));
	say("add", vb, vfiobroker_acquire(vb, &req, &grant));
	say("group", vb,
	    vfiobroker_open_group(
		vb, req.lease, atoi(argv[3]), &groupfd, &containerfd));
	say("release", vb, vfiobroker_release(vb, req.lease));
	printf("gained: %s%s%s\n", memlock() != before ? "memory " : "",
	    grant != NULL ? "lease " : "",
	    groupfd != -1 || containerfd != -1 ? "group" : "");
	vfiobroker_grant_free(grant);
	vfiobroker_close(vb);
	return 0;
}
