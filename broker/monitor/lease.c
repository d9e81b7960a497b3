/* SPDX-License-Identifier: ISC */
/*
 * Leases: made, watched and ended.
 *
 * inotify tells that some open file of a lease was closed for the last time.
 * That can be a reader's, so the lock is tried, and it is the kernel's word:
 * an exclusive lock on our own open file is granted only when no shared one
 * is left.  __fput() tells inotify before it drops the lock (6.12), so while
 * there is doubt the trial is repeated, ever more slowly.  A holder who
 * unlocks its copy without closing it has released too, without an event; the
 * slow sweep finds that.
 *
 * A lease that is over can leave devices that its holder still uses.  It is
 * kept, with its file, until all of them are proven unheld: what somebody has
 * is his to be counted, whether he calls it a lease or not.
 */

#include "lease.h"

#include "broker/common/fdpass.h"
#include "broker/common/log.h"
#include "fault.h"
#include "holders.h"
#include "leasefile.h"
#include "life.h"
#include "loop.h"
#include "rundir.h"
#include "watch.h"

#include <bsd/string.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <unistd.h>

#define DOUBTS_MAX 8 /* 1, 2, 4 ... 128 ms */
#define SWEEP_MS 5000

struct leases leases = TAILQ_HEAD_INITIALIZER(leases);
struct leases ended_leases = TAILQ_HEAD_INITIALIZER(ended_leases);

static uint64_t next_id;
static int inotifyfd = -1;
static struct event *inotify_event, *sweep_timer;

/* ---- life ------------------------------------------------------------- */

static struct lease *
find(const struct leases *list, uint64_t id)
{
	struct lease *l;

	TAILQ_FOREACH(l, list, entry) {
		if (l->id == id)
			return l;
	}
	return NULL;
}

struct lease *
lease_find(uint64_t id)
{
	return find(&leases, id);
}

bool
lease_has_group(const struct lease *l, int group)
{
	const struct device *d;

	if (l == NULL)
		return false;
	TAILQ_FOREACH(d, &l->devices, of_lease) {
		if (d->facts.group == group)
			return true;
	}
	return false;
}

const char *
lease_command(const struct lease *l)
{
	static char comm[sizeof(l->comm)];

	process_name(l->pid, comm, sizeof(comm));
	return strcmp(comm, "?") == 0 ? l->comm : comm;
}

void
lease_raise(struct lease *l, uint64_t memlock)
{
	int r;

	if (memlock <= l->memlock)
		return;
	l->memlock = memlock;
	r = leasefile_rewrite(l);
	if (r != 0)
		log_warn(
		    "lease %s: its file: %s", leasefile_name(l), strerror(-r));
}

void
lease_add(struct lease *l, struct device *d)
{
	d->lease = l;
	TAILQ_INSERT_TAIL(&l->devices, d, of_lease);
}

void
lease_drop(struct lease *l, struct device *d)
{
	TAILQ_REMOVE(&l->devices, d, of_lease);
	d->lease = NULL;
	d->held_by = l;
	l->nheld++;
}

static void
lease_free(struct lease *l)
{
	loop_free(&l->doubt);
	fdpass_close(&l->probefd, 1);
	free(l);
}

/* Over, and nobody has any of it. */
static void
lease_bury(struct lease *l)
{
	int r = leasefile_remove(l);

	TAILQ_REMOVE(&ended_leases, l, entry);
	if (r != 0)
		log_warn("lease %s: file: %s", leasefile_name(l), strerror(-r));
	lease_free(l);
}

static void
lease_keep_ended(struct lease *l)
{
	int r = leasefile_end(l);

	loop_free(&l->doubt); /* it is over once */
	if (r != 0)
		log_warn("lease %s: file: %s", leasefile_name(l), strerror(-r));
	TAILQ_INSERT_TAIL(&ended_leases, l, entry);
}

void
lease_end(struct lease *l, const char *why)
{
	struct device *d;

	log_info("lease %s of uid %u over: %s", leasefile_name(l), l->uid, why);
	watch_lease(l, why);
	while ((d = TAILQ_FIRST(&l->devices)) != NULL) {
		lease_drop(l, d);
		life_event(d, LIFE_CLOSED, why);
	}
	TAILQ_REMOVE(&leases, l, entry);
	lease_keep_ended(l);
	if (l->nheld == 0)
		lease_bury(l);
}

void
lease_held(uint64_t id, struct device *d)
{
	struct lease *l = find(&ended_leases, id);

	if (l == NULL || d->held_by != NULL)
		return;
	d->held_by = l;
	l->nheld++;
}

void
lease_unheld(struct device *d)
{
	struct lease *l = d->held_by;

	d->held_by = NULL;
	if (l != NULL && --l->nheld == 0 && l->ended)
		lease_bury(l);
}

void
lease_settled(void)
{
	struct lease *l, *next;

	TAILQ_FOREACH_SAFE(l, &ended_leases, entry, next) {
		if (l->nheld == 0)
			lease_bury(l);
	}
}

/* True when no copy of the lease is open any more. */
static bool
lease_is_over(const struct lease *l)
{
	return flock(l->probefd, LOCK_EX | LOCK_NB) == 0;
}

static void
lease_check(void *arg)
{
	struct lease *l = arg;

	if (lease_is_over(l))
		lease_end(l, "the last copy of it is closed");
	else if (l->doubts < DOUBTS_MAX)
		loop_timer(l->doubt, 1U << l->doubts++);
}

static struct lease *
lease_new(void)
{
	struct lease *l = calloc(1, sizeof(*l));

	if (l == NULL)
		return NULL;
	l->probefd = -1;
	TAILQ_INIT(&l->devices);
	if (loop_event(&l->doubt, -1, 0, lease_check, l) != 0) {
		free(l);
		return NULL;
	}
	return l;
}

static int
lease_open_both(struct lease *l, int *fd)
{
	l->probefd = leasefile_open(l);
	if (l->probefd < 0)
		return l->probefd;
	*fd = leasefile_open(l);
	if (*fd < 0)
		return *fd;
	return flock(*fd, LOCK_SH | LOCK_NB) == -1 ? -errno : 0;
}

int
lease_create(const struct peer *p, const struct mon_acquire *req,
    struct lease **out, int *fd)
{
	struct lease *l = lease_new();
	int r;

	*fd = -1;
	if (l == NULL)
		return -ENOMEM;
	l->id = next_id++;
	l->uid = p->who.uid;
	l->pid = p->pid;
	l->since = clock_wall_us() / 1000000;
	l->memlock = req->memlock;
	l->iommufd = req->flags & MON_ACQUIRE_IOMMUFD;
	strlcpy(l->comm, p->comm, sizeof(l->comm));
	strlcpy(l->label, req->label, sizeof(l->label));
	r = leasefile_write(l);
	FAULT("lease:written");
	if (r == 0)
		r = lease_open_both(l, fd);
	FAULT("lease:locked");
	if (r != 0) {
		fdpass_close(fd, 1);
		rundir_remove(RUNDIR_LEASES, leasefile_name(l));
		lease_free(l);
		return r;
	}
	TAILQ_INSERT_TAIL(&leases, l, entry);
	*out = l;
	return 0;
}

/* ---- watching --------------------------------------------------------- */

static void
lease_closed(const char *name)
{
	char *end;
	uint64_t id = strtoull(name, &end, 10);
	struct lease *l = *end == '\0' ? lease_find(id) : NULL;

	if (l == NULL)
		return;
	l->doubts = 0;
	lease_check(l);
}

static void
sweep(void *arg)
{
	struct lease *l, *next;

	(void)arg;
	TAILQ_FOREACH_SAFE(l, &leases, entry, next) {
		if (lease_is_over(l))
			lease_end(l, "its lock is dropped");
	}
	loop_timer(sweep_timer, SWEEP_MS);
}

static void
inotify_readable(void *arg)
{
	_Alignas(struct inotify_event) char buf[4096];
	const struct inotify_event *e;
	ssize_t n;

	(void)arg;
	while ((n = read(inotifyfd, buf, sizeof(buf))) > 0) {
		for (ssize_t at = 0; at < n;
		     at += (ssize_t)(sizeof(*e) + e->len)) {
			e = (const void *)(buf + at);
			if (e->mask & IN_Q_OVERFLOW)
				sweep(NULL);
			else if (e->len > 0)
				lease_closed(e->name);
		}
	}
}

/* ---- at start --------------------------------------------------------- */

static int
lease_adopt(struct lease *l, const char *name)
{
	int r = leasefile_read(name, l);

	if (r != 0)
		return r;
	l->probefd = leasefile_open(l);
	return l->probefd < 0 ? l->probefd : 0;
}

static void
lease_resume(struct lease *l)
{
	if (l->id >= next_id) /* the counter was lost */
		next_id = l->id + 1;
	if (l->ended) {
		TAILQ_INSERT_TAIL(&ended_leases, l, entry);
	} else if (lease_is_over(l)) {
		log_info("lease %s: ended meanwhile", leasefile_name(l));
		lease_keep_ended(l);
	} else {
		log_info(
		    "lease %s of uid %u goes on", leasefile_name(l), l->uid);
		TAILQ_INSERT_TAIL(&leases, l, entry);
	}
}

static void
lease_found(void *arg, const char *name)
{
	struct lease *l;
	int r;

	(void)arg;
	if (strcmp(name, "sequence") == 0)
		return;
	l = lease_new();
	if (l == NULL)
		log_fatal("no memory for lease %s", name);
	r = lease_adopt(l, name);
	if (r == 0) {
		lease_resume(l);
		return;
	}
	log_info("lease %s: %s", name, strerror(-r));
	rundir_remove(RUNDIR_LEASES, name);
	lease_free(l);
}

int
lease_init(void)
{
	int r = leasefile_sequence(&next_id);

	if (r != 0)
		return r;
	inotifyfd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	if (inotifyfd == -1)
		return -errno;
	if (inotify_add_watch(inotifyfd, rundir_path(RUNDIR_LEASES),
		IN_CLOSE_NOWRITE | IN_ONLYDIR) == -1)
		return -errno;
	r = loop_event(&inotify_event, inotifyfd, EV_READ | EV_PERSIST,
	    inotify_readable, NULL);
	if (r == 0)
		r = loop_event(&sweep_timer, -1, 0, sweep, NULL);
	if (r != 0)
		return r;
	loop_timer(sweep_timer, SWEEP_MS);
	return rundir_each(RUNDIR_LEASES, lease_found, NULL);
}
