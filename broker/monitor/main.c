/* SPDX-License-Identifier: ISC */
/*
 * vfiobrokerd, the monitor: the only part of vfiobroker that is root.
 *
 * It identifies peers, decides by the policy, keeps leases and records, opens
 * VFIO's nodes, and has workers do whatever can sleep.  It reads no byte from
 * a client, parses no protobuf, and ends without touching a device: what is
 * leased stays leased, and the next broker goes on.
 */

#include "acquire.h"
#include "broker/common/log.h"
#include "config.h"
#include "fault.h"
#include "hostuse.h"
#include "inventory.h"
#include "lease.h"
#include "life.h"
#include "loop.h"
#include "options.h"
#include "policyload.h"
#include "rundir.h"
#include "server.h"
#include "session.h"
#include "settle.h"
#include "spawn.h"
#include "uevent.h"
#include "worker.h"

#include <bsd/unistd.h>

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#define NOFILE 131072

static struct event *on_chld, *on_hup, *on_term, *on_int;

static void
signal_child(void *arg)
{
	pid_t pid;

	(void)arg;
	while ((pid = waitpid(-1, NULL, WNOHANG)) > 0) {
		if (!worker_reaped(pid) && !session_reaped(pid) &&
		    !hostuse_reaped(pid) && !policyload_reaped(pid))
			log_debug("pid %d: reaped", pid);
	}
}

static void
signal_reload(void *arg)
{
	(void)arg;
	policyload_start();
}

static void
signal_end(void *arg)
{
	log_info("ending on %s; leases go on", (const char *)arg);
	event_base_loopbreak(loop_base);
}

static int
signals_init(void)
{
	const struct {
		struct event **ev;
		int sig;
		void (*fn)(void *);
	} rows[] = {
		{ &on_chld, SIGCHLD, signal_child },
		{ &on_hup, SIGHUP, signal_reload },
		{ &on_term, SIGTERM, signal_end },
		{ &on_int, SIGINT, signal_end },
	};

	signal(SIGPIPE, SIG_IGN);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		int r = loop_event(rows[i].ev, rows[i].sig,
		    EV_SIGNAL | EV_PERSIST, rows[i].fn, strsignal(rows[i].sig));

		if (r != 0)
			return r;
	}
	return 0;
}

/* Whoever started us may have closed them; a socket must not become stderr. */
static void
standard_fds(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDWR);
	while (fd >= 0 && fd <= STDERR_FILENO);
	/* Nor is anything else ours but the socket that systemd passed. */
	closefrom(STDERR_FILENO + (getenv("LISTEN_FDS") != NULL ? 2 : 1));
}

/*
 * Two fds per connection here, and a full grant in flight for each of the
 * sessions, which all count against one number: see isolate.c.
 */
static void
raise_nofile(void)
{
	struct rlimit lim = { .rlim_cur = NOFILE, .rlim_max = NOFILE };

	if (setrlimit(RLIMIT_NOFILE, &lim) == 0)
		return;
	(void)getrlimit(RLIMIT_NOFILE, &lim);
	lim.rlim_cur = lim.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &lim) == -1 || lim.rlim_max < NOFILE)
		log_debug("no more than %llu files may be open; %d are better",
		    (unsigned long long)lim.rlim_max, NOFILE);
}

/* The last name lookup of this process. */
static int
user_init(void)
{
	const struct passwd *pw = getpwnam(config.user);

	if (pw == NULL)
		return -ENOENT;
	config.session_uid = pw->pw_uid;
	config.session_gid = pw->pw_gid;
	return 0;
}

static int
rundir_init(void)
{
	return rundir_open(config.rundir);
}

/* sd_notify(3), which is one datagram. */
static void
notify_ready(void)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	size_t len = path == NULL ? 0 : strlen(path);
	int fd;

	if (len == 0 || len >= sizeof(addr.sun_path))
		return;
	memcpy(addr.sun_path, path, len);
	if (addr.sun_path[0] == '@')
		addr.sun_path[0] = '\0';
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd == -1)
		return;
	if (sendto(fd, "READY=1", 7, MSG_NOSIGNAL, (struct sockaddr *)&addr,
		(socklen_t)(offsetof(struct sockaddr_un, sun_path) + len)) ==
	    -1)
		log_warn("cannot tell systemd: %s", strerror(errno));
	close(fd);
	unsetenv("NOTIFY_SOCKET");
}

static const struct {
	const char *what;
	int (*init)(void);
	int code;
} stages[] = {
	{ "user of the sessions", user_init, EX_NOUSER },
	{ "event loop", loop_init, EX_OSERR },
	{ "run directory", rundir_init, EX_CANTCREAT },
	{ "signals", signals_init, EX_OSERR },
	{ "acquisitions", acquisition_init, EX_OSERR },
	{ "policy", policyload_init, EX_CONFIG },
	{ "uevents", uevent_init, EX_OSERR },
	{ "PCI devices", inventory_scan, EX_OSERR },
	{ "leases", lease_init, EX_OSERR },
	{ "records", settle_records, EX_OSERR },
	{ "socket", server_init, EX_CANTCREAT },
};

int
main(int argc, char **argv)
{
	standard_fds();
	log_init("vfiobrokerd");
	options_parse(argc, argv);
	if (geteuid() != 0) {
		log_warn("must be started as root");
		return EX_NOPERM;
	}
	umask(022);
	raise_nofile();
	life_init();
	for (size_t i = 0; i < sizeof(stages) / sizeof(stages[0]); i++) {
		int r = stages[i].init();

		if (r != 0) {
			log_warn("%s: %s", stages[i].what, strerror(-r));
			return stages[i].code;
		}
	}
	settle_all();
	spawn_init();
	notify_ready();
	log_info("ready at %s", config.socket);
	event_base_dispatch(loop_base);
	return EX_OK;
}
