/* SPDX-License-Identifier: ISC */
/*
 * Progress.  The library blocks until the broker answered, so a child tells
 * the terminal meanwhile; it must be gone before the caller goes on, and may
 * never touch the caller's connection.
 */

#include "progress.h"

#include <errno.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#define PROGRESS_FIRST 1 /* seconds */

static void __attribute__((noreturn))
progress_main(pid_t parent, bool (*tell)(void *arg), void *arg)
{
	unsigned pause = PROGRESS_FIRST;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	close_range(STDERR_FILENO + 1, ~0U, 0);
	/* Who died before the line above is not told. */
	if (getppid() != parent)
		_exit(EX_OK);
	do {
		sleep(pause);
		pause *= 2;
	} while (tell(arg));
	_exit(EX_OK);
}

pid_t
progress_start(bool (*tell)(void *arg), void *arg)
{
	pid_t parent = getpid(), pid;

	if (isatty(STDERR_FILENO) != 1)
		return -1;
	pid = fork();
	if (pid == 0)
		progress_main(parent, tell, arg);
	return pid;
}

void
progress_stop(pid_t pid)
{
	if (pid == -1)
		return;
	kill(pid, SIGKILL);
	while (waitpid(pid, NULL, 0) == -1 && errno == EINTR)
		;
}
