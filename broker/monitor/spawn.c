/* SPDX-License-Identifier: ISC */
/*
 * fork and exec of vfiobroker-session, with exactly the fds it expects: 0 and
 * 1 on /dev/null, 2 the log, 3 the socket to us.  The session program
 * isolates itself; it is root until then, and sees no client byte before.
 */

#include "spawn.h"

#include "broker/common/log.h"
#include "child.h"
#include "config.h"
#include "loop.h"
#include "rundir.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define CHANNEL_FD 3

static pid_t spare_pid = -1;
static int spare_fd = -1;
static struct event *spare_timer;

static void __attribute__((noreturn)) child_exec(int fd)
{
	char uid[16], gid[16];
	char name[] = "vfiobroker-session";
	char *argv[] = { name, uid, gid, strdup(rundir_path(RUNDIR_EMPTY)),
		NULL };
	char *envp[] = { NULL };
	int nullfd = open("/dev/null", O_RDWR);

	snprintf(uid, sizeof(uid), "%u", config.session_uid);
	snprintf(gid, sizeof(gid), "%u", config.session_gid);
	if (nullfd == -1 || dup2(nullfd, 0) == -1 || dup2(nullfd, 1) == -1 ||
	    dup2(fd, CHANNEL_FD) == -1)
		_exit(126);
	/* When fd was already CHANNEL_FD, dup2 left its close-on-exec. */
	if (fcntl(CHANNEL_FD, F_SETFD, 0) == -1)
		_exit(126);
	if (fd != CHANNEL_FD)
		close(fd);
	if (nullfd > STDERR_FILENO && nullfd != CHANNEL_FD)
		close(nullfd);
	execve(config.session, argv, envp);
	log_warn("cannot execute %s: %s", config.session, strerror(errno));
	_exit(127);
}

static int
spawn_fork(pid_t *pid, int *fd)
{
	int r = child_fork(CHILD_TALKS, fd);

	if (r == 0) {
		child_prepare(fd, 1);
		child_exec(*fd);
	}
	*pid = r > 0 ? r : -1;
	return r > 0 ? 0 : r;
}

static void
spare_start(void *arg)
{
	int r;

	(void)arg;
	if (spare_fd != -1)
		return;
	r = spawn_fork(&spare_pid, &spare_fd);
	if (r != 0)
		log_warn("no spare session: %s", strerror(-r));
}

void
spawn_init(void)
{
	if (loop_event(&spare_timer, -1, 0, spare_start, NULL) != 0)
		log_fatal("no memory for the first timer");
	loop_timer(spare_timer, 0);
}

int
spawn_session(pid_t *pid, int *fd)
{
	/* The next spare is started after this client was served. */
	loop_timer(spare_timer, 5);
	if (spare_fd == -1)
		return spawn_fork(pid, fd);
	*pid = spare_pid;
	*fd = spare_fd;
	spare_pid = -1;
	spare_fd = -1;
	return 0;
}

bool
spawn_reaped(pid_t pid)
{
	if (pid != spare_pid)
		return false;
	close(spare_fd);
	spare_pid = -1;
	spare_fd = -1;
	return true;
}
