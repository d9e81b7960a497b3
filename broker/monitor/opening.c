/* SPDX-License-Identifier: ISC */
/*
 * Opening a group once more, by a child of its own.  The holder of the lease
 * may be closing a device of the group at this moment, and the kernel keeps
 * the group locked while it resets that device (6.12), so the open waits.
 * Closing it never does: while it is open no device of the group is, but
 * through it.  A grant opens in the monitor: what a lease has had is proven
 * unheld first, and only root's own programs, which open nodes without asking,
 * can make it wait for a reset.
 */

#include "opening.h"

#include "broker/common/fdpass.h"
#include "child.h"
#include "config.h"
#include "lease.h"
#include "loop.h"
#include "request.h"
#include "session.h"
#include "vfio.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <stdlib.h>
#include <unistd.h>

#define OPENINGS_MAX 4 /* of one user, stuck ones too */

struct opening {
	TAILQ_ENTRY(opening) entry;
	struct session *session; /* NULL: answered, or gone */
	uid_t uid;
	uint64_t lease;
	int group;
	int fd;
	struct event *readable;
	struct event *deadline;
};

static TAILQ_HEAD(, opening) openings = TAILQ_HEAD_INITIALIZER(openings);

/* In the child. What was sent is the monitor's, so the exit closes nothing. */
static _Noreturn void
child_main(int group, int sockfd)
{
	int fds[2] = { -1, -1 }, r;

	child_become("vfiobroker-open", &sockfd, 1);
	fds[0] = vfio_open_group(group);
	/* Who closes its last group closes the container too. */
	fds[1] = fds[0] < 0 ? fds[0] : vfio_open_container();
	r = fds[1] < 0 ? fds[1] : 0;
	_exit(fdpass_send(sockfd, &r, sizeof(r), fds, r == 0 ? 2 : 0) != 0);
}

static void
opening_free(struct opening *o)
{
	loop_free(&o->readable);
	loop_free(&o->deadline);
	fdpass_close(&o->fd, 1);
	free(o);
}

/* The lease may have ended while the child waited. */
static bool
opening_valid(struct session *s, uint64_t lease, uint32_t group)
{
	const struct lease *l = request_own_lease(s, lease);

	if (l == NULL)
		return false;
	if (l->iommufd) {
		session_refuse(s, STATUS_DENIED,
		    "lease %llu has its devices by iommufd\n"
		    "open their own nodes",
		    (unsigned long long)lease);
		return false;
	}
	if (group > INT32_MAX || !lease_has_group(l, (int)group)) {
		session_refuse(s, STATUS_DENIED,
		    "lease %llu has no device in group %u\n"
		    "ask for a device of that group to be added to it first",
		    (unsigned long long)lease, group);
		return false;
	}
	return true;
}

static void
opening_grant(struct opening *o, struct session *s, int *fds)
{
	struct mon_grant g = { .lease = o->lease, .nfds = 2 };

	g.fds[0].kind = MON_FD_GROUP;
	g.fds[0].group = o->group;
	g.fds[1].kind = MON_FD_CONTAINER;
	g.fds[1].group = -1;
	session_send(s, MON_GRANT, &g, fds, 2); /* they are closed with it */
	fds[0] = fds[1] = -1;
	session_end(s, STATUS_OK);
}

static const struct refusal {
	int error;
	enum status status;
	const char *why; /* NULL: the error's own words */
	const char *fix;
} refusals[] = {
	{ -EBUSY, STATUS_BUSY, "it is open already, and a group opens once",
	    "close it where it is open" },
	{ -ETIMEDOUT, STATUS_BUSY, "the kernel does not let go of the group",
	    "try again in a moment: it may be resetting a device that was "
	    "just closed" },
	{ -EDQUOT, STATUS_BUSY, "too many that you asked for still wait",
	    "try again when the kernel has answered those" },
	{ -EADDRINUSE, STATUS_GROUP, "a member is bound to a host driver",
	    "an administrator can unbind it (see: vfiobroker groups)" },
	{ 0, STATUS_OS, NULL,
	    "an administrator can see what is wrong with it (dmesg)" },
};

static void
opening_refuse(const struct opening *o, struct session *s, int error)
{
	const struct lease *l = lease_find(o->lease);
	const struct refusal *r = refusals;

	while (r->error != 0 && r->error != error)
		r++;
	session_say(s, MON_TEXT_WHY, "cannot open /dev/vfio/%d: %s", o->group,
	    r->why != NULL ? r->why : strerror(-error));
	if (error == -EBUSY && l != NULL)
		session_say(s, MON_TEXT_FIX,
		    "%s: in pid %d (%s), which has lease %llu, or see: fuser "
		    "-v /dev/vfio/%d",
		    r->fix, l->pid, lease_command(l), (unsigned long long)l->id,
		    o->group);
	else
		session_text(s, MON_TEXT_FIX, r->fix);
	session_end(s, r->status);
}

static void
opening_answer(struct opening *o, int error, int *fds, size_t nfds)
{
	struct session *s = o->session;

	o->session = NULL;
	if (error != 0 || nfds != 2)
		opening_refuse(o, s, error != 0 ? error : -EIO);
	else if (opening_valid(s, o->lease, (uint32_t)o->group))
		opening_grant(o, s, fds);
}

/* Its word, or its end. */
static void
opening_readable(void *arg)
{
	struct opening *o = arg;
	int fds[2] = { -1, -1 }, error = -EIO;
	size_t nfds = 2;
	ssize_t n =
	    fdpass_recv(o->fd, &error, sizeof(error), fds, &nfds, MSG_DONTWAIT);

	if (n == -EAGAIN)
		return;
	if (n != sizeof(error))
		error = -EIO;
	TAILQ_REMOVE(&openings, o, entry);
	if (o->session != NULL)
		opening_answer(o, error, fds, nfds);
	fdpass_close(fds, nfds); /* those that nobody got */
	opening_free(o);
}

/* It may come later, for nobody. */
static void
opening_late(void *arg)
{
	struct opening *o = arg;
	int none[2];

	if (o->session != NULL)
		opening_answer(o, -ETIMEDOUT, none, 0);
}

static unsigned
openings_of(uid_t uid)
{
	const struct opening *o;
	unsigned n = 0;

	TAILQ_FOREACH(o, &openings, entry)
		n += o->uid == uid;
	return n;
}

static int
opening_run(struct opening *o)
{
	int r = openings_of(o->uid) < OPENINGS_MAX
		    ? child_fork(CHILD_TALKS, &o->fd)
		    : -EDQUOT;

	if (r == 0)
		child_main(o->group, o->fd);
	if (r > 0)
		r = loop_event(&o->readable, o->fd, EV_READ | EV_PERSIST,
		    opening_readable, o);
	if (r == 0)
		r = loop_event(&o->deadline, -1, 0, opening_late, o);
	if (r == 0)
		loop_timer(o->deadline, config.worker_timeout * 1000);
	return r;
}

void
opening_start(struct session *s, const void *record)
{
	const struct mon_open_group *m = record;
	struct opening *o;
	int r;

	if (!opening_valid(s, m->lease, m->group))
		return;
	o = calloc(1, sizeof(*o));
	if (o == NULL) {
		session_end(s, STATUS_INTERNAL);
		return;
	}
	o->session = s;
	o->uid = s->peer.who.uid;
	o->lease = m->lease;
	o->group = (int)m->group;
	o->fd = -1;
	r = opening_run(o);
	if (r != 0) {
		opening_answer(o, r, NULL, 0);
		opening_free(o);
		return;
	}
	TAILQ_INSERT_TAIL(&openings, o, entry);
}

void
opening_forget(const struct session *s)
{
	struct opening *o;

	TAILQ_FOREACH(o, &openings, entry) {
		if (o->session == s)
			o->session = NULL;
	}
}
