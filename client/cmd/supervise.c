/* SPDX-License-Identifier: ISC */
/*
 * Who is whose parent.  Called by `run` with the lease in hand.
 *
 * The process that called us goes on to be the program: it keeps its pid, its
 * parent, its terminal.  The supervisor is a grandchild whose parent has
 * ended, so that the program never meets a child it does not know; it is in a
 * session of its own, deaf to what the terminal sends, because the program's
 * opens fail once it is gone.  It ends when no task uses the filter any more.
 *
 * Must never leave a second copy of a VFIO descriptor behind: it would keep
 * the group busy after the program has closed it.
 */

#include "supervise.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include "fdlist.h"
#include "filter.h"
#include "notify.h"
#include "say.h"

void
supervise_drop(struct supervision *s)
{
	for (size_t i = 0; i < s->nnodes; i++) {
		if (s->nodes[i].fd != -1)
			close(s->nodes[i].fd);
		s->nodes[i].fd = -1;
	}
}

/* ---- the supervisor's side -------------------------------------------- */

static void
ignore_signals(void)
{
	static const int deaf_to[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT,
		SIGPIPE, SIGTSTP, SIGTTIN, SIGTTOU };
	sigset_t none;

	for (size_t i = 0; i < sizeof(deaf_to) / sizeof(deaf_to[0]); i++)
		signal(deaf_to[i], SIG_IGN);
	signal(SIGCHLD, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

/* Keeps stderr, the socket, and what is to be handed over. */
static int
close_the_rest(const struct supervision *s, int socketfd, int programfd)
{
	struct fdlist keep = { .n = 0 };
	int nullfd = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (nullfd == -1 || dup2(nullfd, STDIN_FILENO) == -1 ||
	    dup2(nullfd, STDOUT_FILENO) == -1)
		return -errno;
	fdlist_add(&keep, STDIN_FILENO);
	fdlist_add(&keep, STDOUT_FILENO);
	fdlist_add(&keep, STDERR_FILENO);
	fdlist_add(&keep, socketfd);
	fdlist_add(&keep, programfd);
	for (size_t i = 0; i < s->nnodes; i++)
		fdlist_add(&keep, s->nodes[i].fd);
	return fdlist_close_others(&keep);
}

static void __attribute__((noreturn))
supervisor_main(struct supervision *s, int socketfd, pid_t program)
{
	/* Now, while it is sure to be there to be opened. */
	int programfd = pidfd_open(program, 0), listenerfd = -1;
	pid_t self = getpid();

	setsid();
	ignore_signals();
	prctl(PR_SET_NAME, "vfio-supervisor");
	if (close_the_rest(s, socketfd, programfd) != 0 || chdir("/") != 0)
		_exit(EX_OSERR);
	if (send(socketfd, &self, sizeof(self), MSG_NOSIGNAL) != sizeof(self))
		_exit(EX_OSERR);
	/* No listener comes when the program's side has given up. */
	if (fdlist_receive(socketfd, &listenerfd) != 0)
		_exit(EX_OSERR);
	close(socketfd);
	_exit(notify_serve(s, listenerfd, programfd));
}

/* ---- the program's side ----------------------------------------------- */

/* Forks twice; the one in between ends at once and is reaped here. */
static int
fork_supervisor(struct supervision *s, int socketfd)
{
	pid_t program = getpid();
	pid_t between = fork();
	int status;

	if (between == -1)
		return -errno;
	if (between == 0) {
		pid_t supervisor = fork();

		if (supervisor == 0)
			supervisor_main(s, socketfd, program);
		_exit(supervisor == -1);
	}
	while (waitpid(between, &status, 0) == -1) {
		/* Somebody had us ignore SIGCHLD: the kernel reaps for us. */
		if (errno == ECHILD)
			return 0;
		if (errno != EINTR)
			return -errno;
	}
	return status == 0 ? 0 : -EAGAIN;
}

static int
say_no_listener(int err)
{
	switch (err) {
	case EBUSY:
		say("cannot supervise the program: this process is under "
		    "another seccomp listener already\n"
		    "  that is the case inside some containers, and below "
		    "another 'vfiobroker run'; start it outside of them");
		return EX_UNAVAILABLE;
	case EINVAL:
	case ENOSYS:
		say("cannot supervise the program: this kernel has no seccomp "
		    "user notification\n"
		    "  Linux 5.9 or later with CONFIG_SECCOMP_FILTER has it");
		return EX_UNAVAILABLE;
	default:
		return say_oserr(err, "cannot supervise the program");
	}
}

/* Meets the supervisor, allows it to read our memory, hands it the listener. */
static int
come_under(int socketfd)
{
	pid_t supervisor;
	int listenerfd, r;

	if (recv(socketfd, &supervisor, sizeof(supervisor), 0) !=
	    sizeof(supervisor)) {
		say("cannot supervise the program: the supervisor ended");
		return EX_OSERR;
	}
	/* Where Yama is not there, nothing needs to be allowed. */
	prctl(PR_SET_PTRACER, (unsigned long)supervisor, 0, 0, 0);
	listenerfd = filter_install();
	if (listenerfd < 0)
		return say_no_listener(-listenerfd);
	r = fdlist_send(socketfd, listenerfd);
	close(listenerfd);
	return r == 0 ? EX_OK : say_oserr(-r, "cannot reach the supervisor");
}

int
supervise_start(struct supervision *s)
{
	int pair[2], r;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0)
		return say_oserr(errno, "cannot start the supervisor");
	r = fork_supervisor(s, pair[1]);
	supervise_drop(s);
	close(pair[1]);
	if (r != 0)
		r = say_oserr(-r, "cannot start the supervisor");
	else
		r = come_under(pair[0]);
	close(pair[0]);
	return r;
}
