/* SPDX-License-Identifier: ISC */
/*
 * Taking a lease.  What the terminal shows meanwhile is asked over a
 * connection of its own.
 */

#include "take.h"

#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>

#include "address.h"
#include "command.h"
#include "progress.h"
#include "say.h"

static bool
is_wanted(const struct wish *w, const struct vfiobroker_bdf *bdf)
{
	for (size_t i = 0; i < w->devices.n; i++)
		if (address_equal(&w->devices.v[i], bdf))
			return true;
	return false;
}

/* Says of each wanted device what it does. */
static bool
tell_devices(void *arg)
{
	const struct wish *w = arg;
	struct vfiobroker *broker = NULL;
	struct vfiobroker_device *v = NULL;
	char bdf[BDF_STRLEN];
	size_t n = 0;

	if (vfiobroker_open(&broker, NULL) == 0)
		vfiobroker_list_devices(broker, &v, &n);
	vfiobroker_close(broker);
	for (size_t i = 0; i < n; i++)
		if (is_wanted(w, &v[i].bdf))
			say("waiting for %s (%s)%s%s",
			    address_format(&v[i].bdf, bdf), v[i].state,
			    v[i].why[0] != '\0' ? ": " : "", v[i].why);
	free(v);
	return n > 0;
}

int
take_lease(struct wish *w, struct vfiobroker_grant **out)
{
	const struct vfiobroker_request request = {
		.devices = w->devices.v,
		.ndevices = w->devices.n,
		.memlock = w->memlock,
		.label = w->label,
		.no_wait = w->no_wait,
		.iommufd = w->iommufd,
		.pidfd = -1,
	};
	struct vfiobroker *broker = NULL;
	int status = command_connect(&broker);
	pid_t progress;
	int r;

	*out = NULL;
	if (status != EX_OK)
		return status;
	progress = progress_start(tell_devices, w);
	r = vfiobroker_acquire(broker, &request, out);
	progress_stop(progress);
	if (r != 0)
		status = say_refusal(broker, r);
	vfiobroker_close(broker);
	return status;
}
