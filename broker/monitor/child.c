/* SPDX-License-Identifier: ISC */
/* See child.h.  Must not fail: the child has nobody to tell. */

#include "child.h"

#include <limits.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The loop's handlers write into a pipe that the monitor reads. */
static void
signals_restore(void)
{
	static const int signals[] = { SIGCHLD, SIGHUP, SIGTERM, SIGINT };

	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		(void)signal(signals[i], SIG_DFL);
}

static void
close_between(unsigned first, unsigned last)
{
	/* Linux 5.9; the broker needs a younger one anyway. */
	if (first <= last)
		(void)syscall(SYS_close_range, first, last, 0U);
}

/* The lowest of them from a number on, or UINT_MAX. */
static unsigned
next_kept(const int *keep, size_t nkeep, unsigned from)
{
	unsigned next = UINT_MAX;

	for (size_t i = 0; i < nkeep; i++) {
		if ((unsigned)keep[i] >= from && (unsigned)keep[i] < next)
			next = (unsigned)keep[i];
	}
	return next;
}

void
child_prepare(const int *keep, size_t nkeep)
{
	unsigned from = STDERR_FILENO + 1, kept;

	signals_restore();
	while ((kept = next_kept(keep, nkeep, from)) != UINT_MAX) {
		close_between(from, kept - 1);
		from = kept + 1;
	}
	close_between(from, UINT_MAX);
}

void
child_become(const char *name, pid_t monitor, const int *keep, size_t nkeep)
{
	child_prepare(keep, nkeep);
	(void)signal(SIGPIPE, SIG_IGN);
	prctl(PR_SET_NAME, name);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != monitor)
		_exit(1);
}
