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

#include "broker/common/log.h"
#include "fault.h"
#include "holders.h"
#include "keyfile.h"
#include "life.h"
#include "loop.h"
#include "rundir.h"
#include "watch.h"

#include <bsd/string.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <unistd.h>

#define LEASE_MAGIC "vfiobroker-lease 1"
#define DOUBTS_MAX 8 /* 1, 2, 4 ... 128 ms */
#define SWEEP_MS 5000
#define ENDED ".ended" /* the holder may have the file still, and its lock */
#define GENERATION 1000000 /* ids of one broker's life; see sequence_next() */

struct leases leases = TAILQ_HEAD_INITIALIZER(leases);
struct leases ended_leases = TAILQ_HEAD_INITIALIZER(ended_leases);

static uint64_t next_id;
static int inotifyfd = -1;
static struct event *inotify_event, *sweep_timer;

/* ---- the file --------------------------------------------------------- */

#define KEY(name, type, member) KEYFILE_KEY(name, type, struct lease, member)

static const struct keyfile_key keys[] = {
	KEY("id", KEY_U64, id),
	KEY("uid", KEY_U32, uid),
	KEY("pid", KEY_U32, pid),
	KEY("comm", KEY_TEXT, comm),
	KEY("label", KEY_TEXT, label),
	KEY("since", KEY_U64, since),
	KEY("memlock", KEY_U64, memlock),
	{ .name = NULL },
};

size_t
lease_format(const struct lease *l, char *buf, size_t len)
{
	return keyfile_format(buf, len, LEASE_MAGIC, keys, l);
}

int
lease_parse(const char *text, size_t len, struct lease *out)
{
	return keyfile_parse(text, len, LEASE_MAGIC, keys, out);
}

static const char *
lease_name(const struct lease *l)
{
	static char name[32];

	snprintf(name, sizeof(name), "%llu%s", (unsigned long long)l->id,
	    l->ended ? ENDED : "");
	return name;
}

/* Its own open file each time: a flock belongs to the open file. */
static int
lease_open(const struct lease *l)
{
	int fd = openat(rundir_dirfd(RUNDIR_LEASES), lease_name(l),
	    O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

	return fd == -1 ? -errno : fd;
}

static int
lease_write(const struct lease *l)
{
	char text[LEASE_TEXT_MAX];
	size_t len = lease_format(l, text, sizeof(text));

	return rundir_replace(RUNDIR_LEASES, lease_name(l), text, len);
}

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

const char *
lease_command(const struct lease *l)
{
	static char comm[sizeof(l->comm)];

	process_name(l->pid, comm, sizeof(comm));
	return strcmp(comm, "?") == 0 ? l->comm : comm;
}

/*
 * In place: a new file would not be the one that is locked.  One write of a
 * text that can only grow is whole or not there.
 */
void
lease_raise(struct lease *l, uint64_t memlock)
{
	char text[LEASE_TEXT_MAX];
	size_t len;
	int fd;

	if (memlock <= l->memlock)
		return;
	l->memlock = memlock;
	len = lease_format(l, text, sizeof(text));
	fd = openat(rundir_dirfd(RUNDIR_LEASES), lease_name(l),
	    O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd == -1 || write(fd, text, len) != (ssize_t)len)
		log_warn(
		    "lease %s: its file: %s", lease_name(l), strerror(errno));
	if (fd != -1)
		close(fd);
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
	if (l->probefd != -1)
		close(l->probefd);
	free(l);
}

/* Over, and nobody has any of it. */
static void
lease_bury(struct lease *l)
{
	int r;

	TAILQ_REMOVE(&ended_leases, l, entry);
	FAULT("lease:remove:before");
	r = rundir_remove(RUNDIR_LEASES, lease_name(l));
	FAULT("lease:remove:after");
	if (r != 0 && r != -ENOENT)
		log_warn("lease %s: file: %s", lease_name(l), strerror(-r));
	lease_free(l);
}

/* From here on no restart takes it for one that lives. */
static void
lease_keep_ended(struct lease *l)
{
	int dirfd = rundir_dirfd(RUNDIR_LEASES);
	char living[32];

	strlcpy(living, lease_name(l), sizeof(living));
	l->ended = true;
	FAULT("lease:ended:before");
	if (renameat(dirfd, living, dirfd, lease_name(l)) == -1)
		log_warn("lease %s: file: %s", living, strerror(errno));
	FAULT("lease:ended:after");
	TAILQ_INSERT_TAIL(&ended_leases, l, entry);
}

void
lease_end(struct lease *l, const char *why)
{
	struct device *d;

	log_info("lease %s of uid %u over: %s", lease_name(l), l->uid, why);
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
lease_check(struct lease *l)
{
	if (lease_is_over(l))
		lease_end(l, "the last copy of it is closed");
	else if (l->doubts < DOUBTS_MAX)
		loop_timer(l->doubt, 1U << l->doubts++);
}

static void
lease_doubt(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	lease_check(arg);
}

static struct lease *
lease_new(void)
{
	struct lease *l = calloc(1, sizeof(*l));

	if (l == NULL)
		return NULL;
	l->probefd = -1;
	TAILQ_INIT(&l->devices);
	if (loop_event(&l->doubt, -1, 0, lease_doubt, l) != 0) {
		free(l);
		return NULL;
	}
	return l;
}

static int
lease_open_both(struct lease *l, int *fd)
{
	int r;

	l->probefd = lease_open(l);
	*fd = lease_open(l);
	r = l->probefd < 0 ? l->probefd : *fd < 0 ? *fd : 0;
	if (r == 0 && flock(*fd, LOCK_SH | LOCK_NB) == -1)
		r = -errno;
	if (r != 0 && *fd >= 0)
		close(*fd);
	if (r != 0)
		*fd = -1;
	if (l->probefd < 0)
		l->probefd = -1;
	return r;
}

int
lease_create(const struct peer *p, uint64_t memlock, const char *label,
    struct lease **out, int *fd)
{
	struct lease *l = lease_new();
	int r;

	if (l == NULL)
		return -ENOMEM;
	l->id = next_id++;
	l->uid = p->uid;
	l->pid = p->pid;
	l->since = clock_wall_us() / 1000000;
	l->memlock = memlock;
	strlcpy(l->comm, p->comm, sizeof(l->comm));
	strlcpy(l->label, label, sizeof(l->label));
	r = lease_write(l);
	FAULT("lease:written");
	if (r == 0)
		r = lease_open_both(l, fd);
	FAULT("lease:locked");
	if (r != 0) {
		rundir_remove(RUNDIR_LEASES, lease_name(l));
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
sweep(evutil_socket_t fd, short what, void *arg)
{
	struct lease *l, *next;

	(void)fd;
	(void)what;
	(void)arg;
	TAILQ_FOREACH_SAFE(l, &leases, entry, next) {
		if (lease_is_over(l))
			lease_end(l, "its lock is dropped");
	}
	loop_timer(sweep_timer, SWEEP_MS);
}

static void
inotify_readable(evutil_socket_t fd, short what, void *arg)
{
	_Alignas(struct inotify_event) char buf[4096];
	const struct inotify_event *e;
	ssize_t n;

	(void)what;
	(void)arg;
	while ((n = read(fd, buf, sizeof(buf))) > 0) {
		for (ssize_t at = 0; at < n;
		     at += (ssize_t)(sizeof(*e) + e->len)) {
			e = (const void *)(buf + at);
			if (e->mask & IN_Q_OVERFLOW)
				sweep(-1, 0, NULL);
			else if (e->len > 0)
				lease_closed(e->name);
		}
	}
}

/* ---- at start --------------------------------------------------------- */

/*
 * Ids are never used twice while something can remember them.  The file counts
 * the broker's starts; each start has a million ids of its own, so that no
 * lease costs a write here.
 */
static int
sequence_next(void)
{
	char text[32];
	ssize_t n =
	    rundir_read(RUNDIR_LEASES, "sequence", text, sizeof(text) - 1);
	unsigned long long start = 0;

	if (n > 0) {
		text[n] = '\0';
		start = strtoull(text, NULL, 10) + 1;
	}
	next_id = start * GENERATION + 1;
	n = snprintf(text, sizeof(text), "%llu\n", start);
	FAULT("sequence:before");
	return rundir_replace(RUNDIR_LEASES, "sequence", text, (size_t)n);
}

static int
lease_adopt(struct lease *l, const char *name)
{
	size_t len = strlen(name), suffix = strlen(ENDED);
	char text[LEASE_TEXT_MAX];
	ssize_t n = rundir_read(RUNDIR_LEASES, name, text, sizeof(text));

	if (n < 0)
		return (int)n;
	if (lease_parse(text, (size_t)n, l) != 0)
		return -EBADMSG;
	l->ended = len > suffix && strcmp(name + len - suffix, ENDED) == 0;
	if (strcmp(lease_name(l), name) != 0)
		return -EBADMSG;
	l->probefd = lease_open(l);
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
		log_info("lease %s: ended meanwhile", lease_name(l));
		lease_keep_ended(l);
	} else {
		log_info("lease %s of uid %u goes on", lease_name(l), l->uid);
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
	if (l->probefd < 0)
		l->probefd = -1;
	log_info("lease %s: %s", name, strerror(-r));
	rundir_remove(RUNDIR_LEASES, name);
	lease_free(l);
}

int
lease_init(void)
{
	int r = sequence_next();

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
