/* SPDX-License-Identifier: ISC */
/*
 * Taking a lease.  The library blocks until the broker answered, so what the
 * terminal shows meanwhile comes from a child that asks over a connection of
 * its own.  The child must be gone before the caller goes on.
 */

#include "take.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include "address.h"
#include "command.h"
#include "say.h"

#define PROGRESS_SECONDS 1

static bool
is_wanted(const struct wish *w, const struct vfiobroker_bdf *bdf)
{
	for (size_t i = 0; i < w->devices.n; i++)
		if (address_equal(&w->devices.v[i], bdf))
			return true;
	return false;
}

/* Says of each wanted device what it does; a device at rest is not news. */
static void
progress_tell(const struct wish *w, const struct vfiobroker_device *v, size_t n)
{
	char bdf[BDF_STRLEN];

	for (size_t i = 0; i < n; i++) {
		if (!is_wanted(w, &v[i].bdf))
			continue;
		say("waiting for %s (%s)%s%s", address_format(&v[i].bdf, bdf),
		    v[i].state, v[i].why[0] != '\0' ? ": " : "", v[i].why);
	}
}

static void
progress_loop(const struct wish *w)
{
	struct vfiobroker *broker = NULL;
	struct vfiobroker_device *v = NULL;
	unsigned pause = PROGRESS_SECONDS;
	size_t n = 0;

	sleep(pause);
	if (vfiobroker_open(&broker, NULL) != 0)
		return;
	while (vfiobroker_list_devices(broker, &v, &n) == 0) {
		progress_tell(w, v, n);
		free(v);
		v = NULL;
		pause *= 2;
		sleep(pause);
	}
}

/* Returns the child's pid, or -1 when there is no terminal to tell. */
static pid_t
progress_start(const struct wish *w)
{
	pid_t parent = getpid(), pid;

	if (isatty(STDERR_FILENO) != 1)
		return -1;
	pid = fork();
	if (pid != 0)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	/* The caller's connection must not live on in here. */
	close_range(STDERR_FILENO + 1, ~0U, 0);
	if (getppid() == parent)
		progress_loop(w);
	_exit(EX_OK);
}

static void
progress_stop(pid_t pid)
{
	if (pid == -1)
		return;
	kill(pid, SIGKILL);
	while (waitpid(pid, NULL, 0) == -1 && errno == EINTR)
		;
}

int
take_lease(const struct wish *w, struct vfiobroker_grant **out)
{
	const struct vfiobroker_request request = {
		.devices = w->devices.v,
		.ndevices = w->devices.n,
		.memlock = w->memlock,
		.label = w->label,
		.no_wait = w->no_wait,
		.pidfd = -1,
	};
	struct vfiobroker *broker = NULL;
	int status = command_connect(&broker);
	pid_t progress;
	int r;

	*out = NULL;
	if (status != EX_OK)
		return status;
	progress = progress_start(w);
	r = vfiobroker_acquire(broker, &request, out);
	progress_stop(progress);
	if (r != 0)
		status = say_refusal(broker, r);
	vfiobroker_close(broker);
	return status;
}
