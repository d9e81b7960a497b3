/* SPDX-License-Identifier: ISC */
/*
 * Looks: started by acquire.c, explain.c and life.c where check.c wants one.
 * The child is trusted as far as its records go: each is checked, and whatever
 * else it does means that nothing can be told, which refuses.  Must never wait
 * for it, and never take half of an answer for the whole.
 */

#include "hostuse.h"

#include "broker/common/fdpass.h"
#include "broker/common/guardmsg.h"
#include "child.h"
#include "config.h"
#include "fault.h"
#include "guardexec.h"
#include "loop.h"

#include <bsd/sys/queue.h>

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PROCESSES_MAX 8 /* at a time, killed ones too while they last */
#define PROCESSES_OF_USER 2
#define FOUND_MAX 8192 /* of a look; more means that it is not to be trusted */
#define HEARD_AT_ONCE 64

struct finding {
	STAILQ_ENTRY(finding) entry;
	uint32_t device;
	enum reason reason;
	char what[];
};

struct hostuse {
	TAILQ_ENTRY(hostuse) entry;
	uid_t uid;
	pid_t pid; /* 0: none yet, or it is reaped; it counts until then */
	int fd;
	struct event *readable, *timer;
	void (*done)(void *); /* NULL: dropped, and not yet reaped */
	void *arg;
	bool started, ended;
	int error; /* of the whole */
	uint32_t n, told; /* devices; those before it are told whole */
	struct bdf bdfs[GUARDMSG_DEVICES_MAX];
	int errors[GUARDMSG_DEVICES_MAX]; /* of each */
	bool gone[GUARDMSG_DEVICES_MAX];
	STAILQ_HEAD(, finding) found;
	unsigned nfound;
};

static TAILQ_HEAD(, hostuse) looks = TAILQ_HEAD_INITIALIZER(looks);
static unsigned nprocesses;

/* ---- processes --------------------------------------------------------- */

/* False: it has to wait. */
static bool
may_run(uid_t uid)
{
	unsigned of_user = 0;
	const struct hostuse *l;

	TAILQ_FOREACH(l, &looks, entry)
		of_user += l->pid != 0 && l->uid == uid;
	return of_user < PROCESSES_OF_USER;
}

static void look_readable(void *);

/* What fails here is said when the timer is heard: who asks is not prepared
 * for an answer at once. */
static void
look_run(struct hostuse *l)
{
	int r = child_fork(CHILD_WRITES, &l->fd);

	if (r == 0)
		guardexec(l->fd, l->bdfs, l->n);
	l->started = true;
	l->pid = r > 0 ? r : 0;
	nprocesses += r > 0;
	if (r > 0)
		r = loop_event(&l->readable, l->fd, EV_READ | EV_PERSIST,
		    look_readable, l);
	l->error = r;
	loop_timer(l->timer, r == 0 ? config.worker_timeout * 1000 : 0);
	FAULT("look:started");
}

static void
looks_run(void)
{
	struct hostuse *l;

	TAILQ_FOREACH(l, &looks, entry) {
		if (nprocesses == PROCESSES_MAX)
			break;
		if (!l->started && may_run(l->uid))
			look_run(l);
	}
}

/* Nobody asks for it, and it is no process any more. */
static void
look_free(struct hostuse *l)
{
	TAILQ_REMOVE(&looks, l, entry);
	free(l);
}

bool
hostuse_reaped(pid_t pid)
{
	struct hostuse *l = TAILQ_FIRST(&looks);

	while (l != NULL && l->pid != pid)
		l = TAILQ_NEXT(l, entry);
	if (l == NULL)
		return false;
	l->pid = 0;
	nprocesses--;
	if (l->done == NULL)
		look_free(l);
	looks_run();
	return true;
}

/* ---- looks ------------------------------------------------------------- */

/* Who is not done is of no use any more. */
static void
look_stop(struct hostuse *l)
{
	if (l->pid != 0)
		(void)kill(l->pid, SIGKILL);
	loop_free(&l->readable);
	loop_free(&l->timer);
	fdpass_close(&l->fd, 1);
}

static void
look_end(struct hostuse *l, int error)
{
	l->started = l->ended = true;
	l->error = error;
	look_stop(l);
	looks_run(); /* where one could not be started nothing else tells */
	FAULT("look:ended");
	l->done(l->arg); /* it may be dropped there */
}

static void
look_timer(void *arg)
{
	struct hostuse *l = arg;

	if (!l->started && l->uid == HOSTUSE_POLICY)
		loop_timer(l->timer, config.worker_timeout * 1000);
	else
		look_end(l, l->error != 0 ? l->error : -ETIMEDOUT);
}

static int
look_add(struct hostuse *l, const struct guardmsg *m)
{
	size_t len = strlen(m->what) + 1;
	struct finding *f;

	if (l->nfound == FOUND_MAX)
		return -E2BIG;
	f = malloc(sizeof(*f) + len);
	if (f == NULL)
		return -ENOMEM;
	f->device = m->device;
	f->reason = (enum reason)m->reason;
	memcpy(f->what, m->what, len);
	STAILQ_INSERT_TAIL(&l->found, f, entry);
	l->nfound++;
	return 0;
}

static int
look_hear(struct hostuse *l, const struct guardmsg *m)
{
	if (l->told == l->n || !guardmsg_check(m, l->told))
		return -EBADMSG;
	if (m->reason != REASON_COUNT)
		return look_add(l, m);
	l->errors[l->told++] = m->error;
	return 0;
}

static void
look_readable(void *arg)
{
	struct hostuse *l = arg;
	struct guardmsg m;
	ssize_t n = 0;
	int r = 0;

	for (unsigned i = 0; i < HEARD_AT_ONCE && r == 0; i++) {
		n = read(l->fd, &m, sizeof(m));
		if (n != (ssize_t)sizeof(m))
			break;
		r = look_hear(l, &m);
	}
	if (r == 0 && (n == (ssize_t)sizeof(m) ||
			  (n == -1 && (errno == EAGAIN || errno == EINTR))))
		return;
	if (r == 0 && (n != 0 || l->told < l->n))
		r = n == -1 ? -errno : -EBADMSG;
	look_end(l, r);
}

struct hostuse *
hostuse_look(uid_t uid, const struct bdf *bdfs, size_t n, void (*done)(void *),
    void *arg)
{
	struct hostuse *l =
	    n <= GUARDMSG_DEVICES_MAX ? calloc(1, sizeof(*l)) : NULL;

	if (l == NULL)
		return NULL;
	if (loop_event(&l->timer, -1, 0, look_timer, l) != 0) {
		free(l);
		return NULL;
	}
	l->uid = uid;
	l->fd = -1;
	l->done = done;
	l->arg = arg;
	l->n = (uint32_t)n;
	memcpy(l->bdfs, bdfs, n * sizeof(*bdfs));
	STAILQ_INIT(&l->found);
	TAILQ_INSERT_TAIL(&looks, l, entry);
	loop_timer(l->timer, config.worker_timeout * 1000);
	looks_run();
	return l;
}

bool
hostuse_done(const struct hostuse *l)
{
	return l->ended;
}

static uint32_t
place_of(const struct hostuse *l, const struct bdf *bdf)
{
	uint32_t i = 0;

	while (i < l->n && bdf_cmp(&l->bdfs[i], bdf) != 0)
		i++;
	return i;
}

bool
hostuse_knows(const struct hostuse *l, const struct bdf *bdf)
{
	uint32_t i = l == NULL ? 0 : place_of(l, bdf);

	return l != NULL && l->ended && i < l->n && !l->gone[i];
}

int
hostuse_each(const struct hostuse *l, const struct bdf *bdf,
    void (*found)(void *arg, enum reason, const char *what), void *arg)
{
	uint32_t device = place_of(l, bdf);
	const struct finding *f;

	STAILQ_FOREACH(f, &l->found, entry) {
		if (f->device == device)
			found(arg, f->reason, f->what);
	}
	return l->error != 0 ? l->error : l->errors[device];
}

void
hostuse_forget(const struct bdf *bdf)
{
	struct hostuse *l;

	TAILQ_FOREACH(l, &looks, entry) {
		uint32_t i = place_of(l, bdf);

		if (i < l->n)
			l->gone[i] = true;
	}
}

void
hostuse_drop(struct hostuse **look)
{
	struct hostuse *l = *look;
	struct finding *f;

	if (l == NULL)
		return;
	*look = NULL;
	look_stop(l);
	while ((f = STAILQ_FIRST(&l->found)) != NULL) {
		STAILQ_REMOVE_HEAD(&l->found, entry);
		free(f);
	}
	l->started = true;
	l->done = NULL;
	if (l->pid == 0)
		look_free(l);
}
