/* SPDX-License-Identifier: ISC */
#ifndef VFIOBROKER_TESTS_TEST_MON_WALK_H
#define VFIOBROKER_TESTS_TEST_MON_WALK_H

/*
 * A random walk of a whole machine, by the monitor's own code: users take and
 * give back devices, some wait, workers succeed, fail and hang, drivers change,
 * cards come and go, and the policy is loaded anew.  So devices come into every
 * state, and users have leases of every kind, in ways in which they really do.
 */

#include <bsd/sys/queue.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "broker/monitor/config.h"
#include "broker/monitor/lease.h"
#include "broker/monitor/rundir.h"
#include "test_mon_machine.h"
#include "test_policy_random.h"

#define HOLDERS_MAX 10
#define WAITERS_MAX 3
#define REVOKERS_MAX 3

static struct book book; /* the policy in force */

/* Who has a lease, by its fd. */
static struct holder {
	int fd;
	uid_t uid;
	uint64_t lease;
} holders[HOLDERS_MAX];
static size_t nholders;

/* Whose request is not answered yet. */
static struct asker *waiters[WAITERS_MAX];
static size_t nwaiters;

/* Who has revoked a lease, and waits until all of it is back. */
static struct revoker {
	struct asker *asker;
	struct event *look;
} revokers[REVOKERS_MAX];
static size_t nrevokers;

/* ---- the policy -------------------------------------------------------- */

static inline void
walk_policy(void)
{
	/* Without them little would be granted. */
	static const char *const generous[] = {
		"allow any use all managed memlock unlimited siblings take",
		"allow any use all managed memlock unlimited",
		"allow uid 1000 use all managed memlock 3G",
		"allow group kvm use all managed siblings take",
		"allow any use all",
	};
	struct policy_source sources[FILES_MAX];
	struct errors errors = { 0 };
	size_t n;
	FILE *out;

	book_random(&book);
	if (!one_in(4))
		snprintf(book.lines[book.n++], sizeof(book.lines[0]), "%s",
		    PICK(generous));
	n = book_sources(&book, sources);
	free(compiled);
	out = open_memstream(&compiled, &compiled_len);
	CHECK_MSG(policy_compile(out, sources, n, &machine_resolver, errors_add,
		      &errors) == 0,
	    "%s", errors.first.text);
	fclose(out);
	CHECK(policyload_init() == 0 && policyload_done());
	while (waitpid(-1, NULL, 0) > 0)
		;
}

/* ---- users ------------------------------------------------------------- */

/* Somebody's session, of whatever groups. */
static inline struct asker *
walk_asker(void)
{
	static const uid_t uids[] = { 1000, 1000, 1001, 1001, 1002, 0 };
	static const gid_t some[] = { 7, 10, 36, 44 };
	gid_t gids[4];
	size_t n = 0;

	for (size_t i = 0; i < 4; i++)
		if (one_in(3))
			gids[n++] = some[i];
	return asker_new(PICK(uids), gids, n);
}

static inline struct asker *
walk_root(void)
{
	return asker_new(0, NULL, 0);
}

/* What was granted is held from now on; the asker is gone. */
static inline void
walk_answered(struct asker *a)
{
	CHECK(a->ended);
	if (a->leasefd != -1) {
		CHECK(a->status == STATUS_OK && nholders < HOLDERS_MAX);
		holders[nholders++] = (struct holder){ a->leasefd,
			a->s.peer.who.uid, a->grant.lease };
		a->leasefd = -1;
	}
	asker_free(a);
}

/* All that the loop has to do now, until nothing more happens by itself. */
static inline void
walk_quiet(void)
{
	CHECK(event_base_loop(loop_base, EVLOOP_NONBLOCK) >= 0);
	for (size_t i = nwaiters; i-- > 0;) {
		if (!waiters[i]->ended)
			continue;
		walk_answered(waiters[i]);
		waiters[i] = waiters[--nwaiters];
	}
	for (size_t i = nrevokers; i-- > 0;) {
		if (!revokers[i].asker->ended)
			continue;
		walk_answered(revokers[i].asker);
		revokers[i] = revokers[--nrevokers];
	}
}

static inline void
holder_end(size_t i)
{
	close(holders[i].fd);
	holders[i] = holders[--nholders];
}

static inline void
walk_holder(void)
{
	size_t i = nholders == 0 ? 0 : below(nholders);
	struct mon_release m = { .h.type = MON_RELEASE };
	struct asker *a;

	if (nholders == 0)
		return;
	if (one_in(3)) {
		m.lease = holders[i].lease;
		a = asker_new(holders[i].uid, NULL, 0);
		asker_send(a, &m, sizeof(m));
		walk_answered(a);
	}
	holder_end(i);
}

static inline void
walk_give_up(void)
{
	size_t i = nwaiters == 0 ? 0 : below(nwaiters);

	if (nwaiters == 0)
		return;
	asker_free(waiters[i]);
	waiters[i] = waiters[--nwaiters];
}

/* One to three devices, for a new lease or one that is there. */
static inline void
walk_acquire(void)
{
	struct mon_acquire m = { .h.type = MON_ACQUIRE,
		.memlock = one_in(3) ? PICK(sizes) : 0,
		.flags = one_in(2) ? MON_ACQUIRE_NO_WAIT : 0,
		.ndevices = one_in(3) ? 1 + (uint32_t)below(3) : 1 };
	size_t first = below(MACHINE_SIZE);
	struct asker *a = walk_asker();
	bool other = false;

	if (one_in(3))
		m.flags |= MON_ACQUIRE_IOMMUFD;
	for (uint32_t i = 0; i < m.ndevices; i++)
		m.devices[i] = functions[(first + i) % MACHINE_SIZE].bdf;
	if (nholders > 0 && one_in(4)) {
		size_t h = below(nholders);

		m.lease = holders[h].lease;
		a->s.peer.who.uid = holders[h].uid;
		other = lease_find(m.lease) != NULL &&
			lease_find(m.lease)->iommufd !=
			    !!(m.flags & MON_ACQUIRE_IOMMUFD);
	}
	if (nholders + nwaiters >= HOLDERS_MAX - 1)
		holder_end(0);
	if (nwaiters == WAITERS_MAX)
		walk_give_up();
	asker_send(a, &m, sizeof(m));
	/* All of a lease is lent by the same nodes. */
	CHECK(!other || (a->ended && a->status == STATUS_INVALID));
	if (a->ended)
		walk_answered(a);
	else
		waiters[nwaiters++] = a;
}

/* More memory for what somebody has, if the policy lets him. */
static inline void
walk_memlock(void)
{
	struct mon_set_memlock m = { .h.type = MON_SET_MEMLOCK,
		.memlock = sizes[4 + below(4)] };
	const struct holder *h = &holders[nholders == 0 ? 0 : below(nholders)];
	struct asker *a;

	if (nholders == 0)
		return;
	m.lease = h->lease;
	a = asker_new(h->uid, NULL, 0);
	asker_send(a, &m, sizeof(m));
	walk_answered(a);
}

/* At once; whether the holder obeys is the worker's to say. */
static inline void
walk_revoke(void)
{
	struct mon_revoke m = { .h.type = MON_REVOKE };
	struct asker *a;

	if (nholders == 0 || nrevokers == REVOKERS_MAX)
		return;
	m.lease = holders[below(nholders)].lease;
	a = walk_root();
	asker_send(a, &m, sizeof(m));
	if (a->ended)
		walk_answered(a);
	else
		revokers[nrevokers++] = (struct revoker){ a, last_timer };
}

/* Nobody has any of it any more. */
static inline void
revokers_end(void)
{
	for (size_t i = 0; i < nrevokers; i++)
		event_active(revokers[i].look, EV_TIMEOUT, 0);
	walk_quiet();
	CHECK(nrevokers == 0);
}

/* ---- workers and time -------------------------------------------------- */

static inline void
worker_fail(struct worker *w)
{
	static const char *const claim[] = { "note", "bind", WORKER_QUEUED };
	static const char *const restore[] = { "prove", "home-bind",
		WORKER_QUEUED };
	const char *step = w->plan == PLAN_CLAIM     ? PICK(claim)
			   : w->plan == PLAN_RESTORE ? PICK(restore)
						     : plan_name(w->plan);
	struct device *d = w->device;

	/* It was noted and unbound, and then nothing bound it. */
	if (d != NULL && strcmp(step, "bind") == 0) {
		worker_steps(d, w->plan);
		function_bind(function_of(&d->facts.bdf), "");
	}
	worker_end(w, -EBUSY, step);
}

static inline void
walk_worker(void)
{
	size_t n = nworkers == 0 ? 0 : below(nworkers);
	struct worker *w = TAILQ_FIRST(&workers);

	if (nworkers == 0)
		return;
	while (n-- > 0)
		w = TAILQ_NEXT(w, entry);
	switch (below(12)) {
	case 0:
		if (w->device != NULL && !w->late) {
			w->late = true;
			worker_calls->late(w->device, w->plan);
		}
		break;
	case 1:
	case 2:
		worker_fail(w);
		break;
	default:
		worker_end(w, 0, "");
	}
}

static inline struct device *
walk_device(void)
{
	return inventory_find(&PICK(functions).bdf);
}

static inline void
walk_timer(void)
{
	struct device *d = walk_device();

	if (d != NULL && d->timer != NULL &&
	    event_pending(d->timer, EV_TIMEOUT, NULL))
		event_active(d->timer, EV_TIMEOUT, 0);
}

/* ---- the machine ------------------------------------------------------- */

static inline void
walk_driver(void)
{
	struct device *d = walk_device();

	if (driver_change(d))
		walk_uevent(&d->facts.bdf);
}

static inline void
walk_hotplug(void)
{
	struct function *f = &PICK(functions);

	if (!f->there) {
		function_appear(f);
		walk_uevent(&f->bdf);
	} else if (one_in(3)) {
		function_vanish(f);
		life_removed(inventory_find(&f->bdf));
	}
}

static inline void
walk_reasons(void)
{
	struct function *f = &PICK(functions);

	f->reasons = 0;
	while (one_in(3))
		f->reasons |= 1U << below(REASON_NOT_ENDPOINT);
	f->unreadable = one_in(40);
}

static inline void
walk_recover(void)
{
	struct mon_recover m = { .h.type = MON_RECOVER };
	struct device *d = walk_device();
	struct asker *a;

	if (d == NULL || d->state != STATE_QUARANTINED)
		return;
	m.device = d->facts.bdf;
	a = walk_root();
	asker_send(a, &m, sizeof(m));
	walk_answered(a);
}

/* A step of the walk. */
static inline void
walk(void)
{
	static void (*const steps[])(void) = { walk_acquire, walk_acquire,
		walk_holder, walk_give_up, walk_memlock, walk_revoke,
		walk_worker, walk_worker, walk_worker, walk_worker, walk_worker,
		walk_timer, walk_timer, walk_driver, walk_hotplug, walk_reasons,
		walk_recover };

	PICK(steps)();
	walk_quiet();
}

/* ---- beginning and end ------------------------------------------------- */

static inline void
walk_fini(void)
{
	fixture_fini(&tree);
}

/* Where there is memory that is a file system, all of it is kept there, and it
 * is removed also after a failure. */
static inline void
walk_init(void)
{
	char path[128];

	fixture_init_in(
	    &tree, access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	CHECK(atexit(walk_fini) == 0);
	fixture_dir(&tree, "sys/bus/pci/drivers/vfio-pci");
	for (size_t i = 0; i < MACHINE_SIZE; i++)
		function_init(i);
	for (size_t i = 0; i < MACHINE_SIZE; i++)
		if (machine[i].pf != NULL)
			fixture_vf(
			    &tree, machine[i].pf, functions[i].name, (int)i);
	config.sysroot = tree.root;
	config.policy = "policy.conf";
	snprintf(path, sizeof(path), "%s/run", tree.root);
	CHECK(loop_init() == 0);
	CHECK(rundir_open(path) == 0);
	life_init();
	CHECK(acquisition_init() == 0);
	CHECK(lease_init() == 0);
}

/* A machine as it starts, with a policy. */
static inline void
walk_begin(void)
{
	bool iommu = !one_in(20);

	for (size_t i = 0; i < MACHINE_SIZE; i++)
		function_place(i, iommu);
	for (size_t i = 0; i < MACHINE_SIZE; i++)
		walk_reasons();
	CHECK(inventory_scan() == 0);
	walk_policy();
	walk_quiet();
}

static inline void
no_file(void *arg, const char *name)
{
	(void)arg;
	CHECK_MSG(strcmp(name, "sequence") == 0, "%s is left", name);
}

/* All is pulled and all leases are over: nothing may be left of it. */
static inline void
walk_end(void)
{
	struct device *d;

	while (nwaiters > 0)
		walk_give_up();
	while (nholders > 0)
		holder_end(0);
	while ((d = TAILQ_FIRST(&inventory)) != NULL)
		life_removed(d);
	while (!TAILQ_EMPTY(&workers))
		worker_end(TAILQ_FIRST(&workers), 0, "");
	walk_quiet();
	revokers_end();
	CHECK(TAILQ_EMPTY(&leases) && TAILQ_EMPTY(&ended_leases));
	CHECK(rundir_each(RUNDIR_LEASES, no_file, NULL) == 0);
	CHECK(rundir_each(RUNDIR_DEVICES, no_file, NULL) == 0);
}

#endif
