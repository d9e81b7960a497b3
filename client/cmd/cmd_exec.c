/* SPDX-License-Identifier: ISC */
/*
 * `vfiobroker exec`: becomes a program that inherits the lease and the VFIO
 * descriptors.  The same process all the way, so the limit that the broker
 * raised, the pid, stdio and the exit status are the program's.
 */

#include "command.h"

#include <stdio.h>
#include <sysexits.h>

#include "launch.h"
#include "say.h"
#include "take.h"

int
cmd_exec(const struct command *c, int argc, char **argv)
{
	struct wish wish = { .memlock = 0 };
	const struct option_spec options[] = {
		{ "device", "BDF", "a device to take; may be repeated",
		    option_device, &wish.devices },
		{ "memlock", "SIZE", "memory the program must lock for DMA",
		    option_size, &wish.memlock },
		{ "iommufd", NULL,
		    "pass an iommufd and cdevs, no container "
		    "and groups",
		    option_flag, &wish.iommufd },
		{ "label", "TEXT", "a name for the lease", option_text,
		    &wish.label },
		{ "no-wait", NULL, "do not wait for a device on its way",
		    option_flag, &wish.no_wait },
		{ .name = NULL },
	};
	struct vfiobroker_grant *grant = NULL;
	int r = options_read(c, options, &argc, &argv);

	if (r != OPTIONS_OK)
		return r;
	if (wish.devices.n == 0)
		return say_usage(c->name, "exec: --device is missing");
	if (argc == 0)
		return say_usage(c->name, "exec: the program is missing");
	r = take_lease(&wish, &grant);
	if (r != EX_OK)
		return r;
	r = launch_pass_fds(grant);
	if (r != 0) {
		vfiobroker_grant_free(grant);
		return say_oserr(-r, "cannot pass the descriptors");
	}
	/* What the grant had is in the descriptors now, for this process. */
	vfiobroker_grant_free(grant);
	return launch_exec(argv);
}
