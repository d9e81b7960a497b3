/* SPDX-License-Identifier: ISC */
/*
 * Starting workers, hearing from them, and noticing that one is stuck.
 *
 * Unbinding vfio-pci waits in the kernel until the last holder closes, and
 * after the first signal uninterruptibly: such a child can not be killed, so
 * it is never waited for.  The worker writes the device's record while it
 * runs; the monitor does not, then.
 *
 * Taking a PF from its driver removes its VFs and waits for each, with the
 * PF's lock held: so a PF's worker and those of its VFs never run at the same
 * time.  VFs run side by side, since one that is stuck must not hold up its
 * neighbours, who may be another tenant's.
 */

#include "worker.h"

#include "broker/common/fdpass.h"
#include "broker/common/log.h"
#include "child.h"
#include "config.h"
#include "inventory.h"
#include "loop.h"
#include "rundir.h"

#include <bsd/string.h>

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define WORKERS_MAX 32

struct worker {
	TAILQ_ENTRY(worker) entry;
	struct device *device; /* NULL: abandoned */
	struct bdf bdf;
	struct bdf pf; /* its own address where it is no VF */
	int group;
	enum plan plan;
	pid_t pid; /* 0 while queued */
	int fd;
	struct event *readable;
	struct event *deadline;
	bool eof;
	bool reaped;
	struct worker_result result;
	char times[128]; /* "unbind 80 ms, bind 12 ms" */
	char why[WHY_MAX]; /* the device's, from before it was queued */
};

static TAILQ_HEAD(, worker) running = TAILQ_HEAD_INITIALIZER(running);
static TAILQ_HEAD(, worker) queued = TAILQ_HEAD_INITIALIZER(queued);
static const struct worker_calls *calls;
static unsigned nrunning;

void
worker_init(const struct worker_calls *c)
{
	calls = c;
}

unsigned
worker_count(void)
{
	return nrunning;
}

static void
child_report(void *arg, const struct plan_report *rep)
{
	const int *fd = arg;

	/* The monitor may be gone; the record says how far we came. */
	(void)!write(*fd, rep, sizeof(*rep));
}

/* In the child. Must not touch the event base, nor return. */
static _Noreturn void
child_main(struct worker *w)
{
	struct record r = w->device->record;
	int keep[RUNDIR_FDS_MAX + 1];
	size_t n = rundir_fds(keep);

	keep[n++] = w->fd;
	child_become("vfiobroker-work", keep, n);
	if (rundir_mark_worker(&r.bdf) != 0)
		_exit(1);
	plan_run(w->plan, &r, w->group, child_report, &w->fd);
	_exit(0);
}

static void worker_dequeue(void);

static void
worker_free(struct worker *w)
{
	loop_free(&w->readable);
	loop_free(&w->deadline);
	fdpass_close(&w->fd, 1);
	free(w);
}

/* The device left meanwhile; what its worker wrote since is about nothing,
 * unless the address has a new device with a record of its own. */
static void
forget_record(const struct bdf *bdf)
{
	const struct device *d = inventory_find(bdf);
	int r = d != NULL && d->has_record ? 0 : record_remove(bdf);

	if (r != 0)
		log_warn("a record stays: %s", strerror(-r));
}

/* Both the end of the pipe and the exit: only then is the record ours. */
static void
worker_finish(struct worker *w)
{
	struct device *d = w->device;
	struct worker_result result = w->result;

	if (!w->eof || !w->reaped)
		return;
	TAILQ_REMOVE(&running, w, entry);
	if (!result.late)
		nrunning--;
	if (d != NULL) {
		/* Four looks a second at a held device are no news. */
		if (result.error != -EBUSY || plan_names(w->plan) ||
		    strcmp(result.step, "prove") != 0)
			log_info("%s: %s: %s%s%s", device_name(d),
			    plan_name(w->plan), w->times,
			    result.error != 0 ? ": " : "",
			    result.error != 0 ? strerror(-result.error) : "");
		d->worker = NULL;
	}
	if (d == NULL)
		forget_record(&w->bdf);
	worker_free(w);
	if (d != NULL)
		calls->done(d, &result);
	worker_dequeue();
}

static void
worker_hear(struct worker *w, const struct plan_report *rep)
{
	size_t n = strlen(w->times);

	w->result.error = rep->error != 0 || rep->last ? rep->error : -EIO;
	memcpy(w->result.step, rep->step, sizeof(rep->step));
	memcpy(w->result.text, rep->text, sizeof(rep->text));
	snprintf(w->times + n, sizeof(w->times) - n, "%s%s %llu.%llu ms",
	    n > 0 ? ", " : "", rep->step, (unsigned long long)rep->us / 1000,
	    (unsigned long long)rep->us / 100 % 10);
}

static void
worker_read(void *arg)
{
	struct worker *w = arg;
	struct plan_report rep;
	ssize_t n;

	while ((n = read(w->fd, &rep, sizeof(rep))) == (ssize_t)sizeof(rep))
		worker_hear(w, &rep);
	if (n == -1 && (errno == EAGAIN || errno == EINTR))
		return;
	loop_free(&w->readable);
	w->eof = true;
	worker_finish(w);
}

/* It has left the queue, and will not run. */
static void
worker_give_up(struct worker *w, int error)
{
	struct worker_result failed = w->result;
	struct device *d = w->device;

	failed.error = error;
	strlcpy(failed.step, WORKER_QUEUED, sizeof(failed.step));
	worker_free(w);
	d->worker = NULL;
	calls->done(d, &failed);
}

/* Somebody waits for a claim that is asked for; all else has time. */
static void
worker_tired(struct worker *w)
{
	struct device *d = w->device;

	if (w->plan != PLAN_CLAIM || d->wanted == NULL) {
		loop_timer(w->deadline, config.worker_timeout * 1000);
		return;
	}
	TAILQ_REMOVE(&queued, w, entry);
	strlcpy(w->result.text, d->why, sizeof(w->result.text));
	worker_give_up(w, -EBUSY);
}

static void
worker_late(void *arg)
{
	struct worker *w = arg;

	if (w->pid == 0) {
		worker_tired(w);
		return;
	}
	if (w->eof) /* it is done, and only not yet reaped */
		return;
	/* Stuck ones must not use up the number that may run. */
	w->result.late = true;
	nrunning--;
	worker_dequeue();
	if (w->device != NULL)
		calls->late(w->device, w->plan);
}

bool
worker_reaped(pid_t pid)
{
	struct worker *w;

	TAILQ_FOREACH(w, &running, entry) {
		if (w->pid != pid || w->reaped)
			continue;
		w->reaped = true;
		worker_finish(w);
		return true;
	}
	return false;
}

static int
worker_run(struct worker *w)
{
	int r = child_fork(CHILD_WRITES, &w->fd);

	if (r == 0)
		child_main(w);
	if (r < 0)
		return r;
	w->pid = r;
	r = loop_event(
	    &w->readable, w->fd, EV_READ | EV_PERSIST, worker_read, w);
	if (r != 0) {
		(void)kill(w->pid, SIGKILL); /* nobody would hear it */
		return r;
	}
	loop_timer(w->deadline, config.worker_timeout * 1000);
	TAILQ_INSERT_TAIL(&running, w, entry);
	nrunning++;
	return 0;
}

/* A PF and one of its VFs, or two that open one group, in either order. */
static bool
worker_related(const struct worker *a, const struct worker *b)
{
	if (a->group >= 0 && a->group == b->group &&
	    plan_opens_group(a->plan) && plan_opens_group(b->plan))
		return true;
	return bdf_cmp(&a->pf, &b->pf) == 0 &&
	       (bdf_cmp(&a->bdf, &a->pf) == 0) !=
		   (bdf_cmp(&b->bdf, &b->pf) == 0);
}

/* Whom it has to wait for, stuck ones too; NULL for none. */
static const struct worker *
worker_before(const struct worker *w)
{
	const struct worker *other;

	TAILQ_FOREACH(other, &running, entry) {
		if (worker_related(w, other))
			return other;
	}
	return NULL;
}

static bool
worker_may_run(const struct worker *w)
{
	return worker_before(w) == NULL && nrunning < WORKERS_MAX;
}

static struct worker *
worker_new(struct device *d, enum plan plan)
{
	struct worker *w = calloc(1, sizeof(*w));

	if (w == NULL)
		return NULL;
	w->device = d;
	w->bdf = d->facts.bdf;
	w->pf = d->facts.is_vf ? d->facts.pf : d->facts.bdf;
	w->group = d->facts.group;
	w->plan = plan;
	w->fd = -1;
	w->result.plan = plan;
	w->result.error = -EIO; /* until a report says better */
	if (loop_event(&w->deadline, -1, 0, worker_late, w) != 0) {
		worker_free(w);
		return NULL;
	}
	return w;
}

static void
worker_queue(struct worker *w)
{
	const struct worker *before = worker_before(w);
	struct device *d = w->device;
	char name[BDF_STRLEN];

	strlcpy(w->why, d->why, sizeof(w->why));
	if (before != NULL)
		snprintf(d->why, sizeof(d->why),
		    "waits until %s is done (%s); ",
		    bdf_format(&before->bdf, name), plan_name(before->plan));
	else
		snprintf(d->why, sizeof(d->why),
		    "waits for one of %d workers; ", WORKERS_MAX);
	(void)strlcat(d->why, w->why, sizeof(d->why));
	TAILQ_INSERT_TAIL(&queued, w, entry);
	loop_timer(w->deadline, config.worker_timeout * 1000);
}

int
worker_start(struct device *d, enum plan plan)
{
	struct worker *w = worker_new(d, plan);
	int r = 0;

	if (w == NULL)
		return -ENOMEM;
	if (d->worker != NULL)
		log_fatal("%s: a second worker (%s)", device_name(d),
		    plan_name(plan));
	if (worker_may_run(w))
		r = worker_run(w);
	else
		worker_queue(w);
	if (r != 0) {
		worker_free(w);
		return r;
	}
	d->worker = w;
	return 0;
}

/* One of the queue that can not be started fails like one that was. */
static void
worker_unqueue(struct worker *w)
{
	int r;

	TAILQ_REMOVE(&queued, w, entry);
	strlcpy(w->device->why, w->why, sizeof(w->device->why));
	r = worker_run(w);
	if (r != 0)
		worker_give_up(w, r);
}

/* The first of the queue whose turn it is: others may wait for their PF. */
static struct worker *
worker_next(void)
{
	struct worker *w;

	TAILQ_FOREACH(w, &queued, entry) {
		if (worker_may_run(w))
			return w;
	}
	return NULL;
}

static void
worker_dequeue(void)
{
	struct worker *w;

	while ((w = worker_next()) != NULL)
		worker_unqueue(w);
}

void
worker_abandon(struct device *d)
{
	struct worker *w = d->worker;

	if (w == NULL)
		return;
	d->worker = NULL;
	w->device = NULL;
	if (w->pid == 0) {
		TAILQ_REMOVE(&queued, w, entry);
		worker_free(w);
	}
}
