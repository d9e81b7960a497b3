/* SPDX-License-Identifier: ISC */
/*
 * The listening socket.  Anybody may connect: the policy decides, not the mode
 * of the file.  Not one byte is read from a client here or anywhere else in
 * this process; its socket goes to the session as it is.
 */

#include "server.h"

#include "broker/common/log.h"
#include "config.h"
#include "loop.h"
#include "peer.h"
#include "quota.h"
#include "session.h"

#include <bsd/string.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define LISTEN_FDS_START 3 /* sd_listen_fds(3) */
#define PAUSE_MS 100

static struct event *acceptable, *paused;

static void
server_resume(void *arg)
{
	(void)arg;
	event_add(acceptable, NULL);
}

/* Out of fds or memory: do not spin on a socket that stays readable. */
static void
server_pause(int error)
{
	log_warn("accept: %s; pausing", strerror(error));
	event_del(acceptable);
	loop_timer(paused, PAUSE_MS);
}

static void
server_accept(void *arg)
{
	static struct log_limit limit;
	char unsaid[LOG_UNSAID_MAX];
	int fd = accept4(event_get_fd(acceptable), NULL, NULL, SOCK_CLOEXEC);
	struct peer peer;
	int r;

	(void)arg;
	if (fd == -1) {
		if (errno == EMFILE || errno == ENFILE || errno == ENOMEM ||
		    errno == ENOBUFS)
			server_pause(errno);
		return; /* else: the client is gone already */
	}
	r = peer_identify(fd, &peer);
	if (r != 0) {
		if (log_limit(&limit, clock_us(), unsaid))
			log_warn("a peer can not be identified: %s%s",
			    strerror(-r), unsaid);
		close(fd);
		return;
	}
	session_start(fd, &peer);
}

/* A stale socket of a dead broker goes; we hold the lock by now. */
static int
server_bind(const char *path)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	struct stat st;
	int fd;

	if (strlcpy(addr.sun_path, path, sizeof(addr.sun_path)) >=
	    sizeof(addr.sun_path))
		return -ENAMETOOLONG;
	if (lstat(path, &st) == 0 && S_ISSOCK(st.st_mode))
		unlink(path);
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd == -1)
		return -errno;
	if (bind(fd, (struct sockaddr *)&addr, sizeof(addr)) == -1 ||
	    chmod(path, 0666) == -1 || listen(fd, SOMAXCONN) == -1) {
		int r = -errno;

		close(fd);
		return r;
	}
	return fd;
}

/* The socket of vfiobrokerd.socket, or -1. */
static int
server_inherited(void)
{
	const char *pid = getenv("LISTEN_PID"), *n = getenv("LISTEN_FDS");
	int fd = LISTEN_FDS_START;

	if (pid == NULL || n == NULL || atol(pid) != (long)getpid() ||
	    strcmp(n, "1") != 0)
		return -1;
	unsetenv("LISTEN_PID");
	unsetenv("LISTEN_FDS");
	unsetenv("LISTEN_FDNAMES");
	if (fcntl(fd, F_SETFD, FD_CLOEXEC) == -1 ||
	    fcntl(fd, F_SETFL, O_NONBLOCK) == -1)
		return -1;
	return fd;
}

int
server_init(void)
{
	int fd = server_inherited(), r;

	if (fd < 0)
		fd = server_bind(config.socket);
	if (fd < 0)
		return fd;
	r = loop_event(&paused, -1, 0, server_resume, NULL);
	if (r == 0)
		r = loop_event(
		    &acceptable, fd, EV_READ | EV_PERSIST, server_accept, NULL);
	return r;
}
