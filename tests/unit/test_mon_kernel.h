/* SPDX-License-Identifier: ISC */
#ifndef VFIOBROKER_TESTS_TEST_MON_KERNEL_H
#define VFIOBROKER_TESTS_TEST_MON_KERNEL_H

/*
 * For tests that run the monitor's decisions and lives as they are, many times,
 * without what only a kernel and other processes can do.  Defines all functions
 * of worker.h, vfio.h, memlock.h, hostuse.h, policyexec.h and loop.h, so that the
 * linker takes none of theirs:
 *
 *	a worker does nothing until the test says how it ends, and then the
 *	driver's link in the fixture and the device's record say so;
 *	nodes of VFIO are /dev/null, and limits of memory are raised by saying so;
 *	what a look at the host finds is what the test has noted for the function;
 *	the policy's loader is a child that writes what was compiled before;
 *	time stands still: a timer fires at once or when the test says.
 */

#include <bsd/string.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "broker/monitor/inventory.h"
#include "broker/monitor/loop.h"
#include "broker/monitor/memlock.h"
#include "broker/monitor/policyexec.h"
#include "broker/monitor/vfio.h"
#include "broker/monitor/worker.h"
#include "test_mon_look.h"
#include "test_policy.h"
#include "test_random.h"

/* ---- the machine ------------------------------------------------------- */

/* The functions of test_policy.h's machine, as the kernel has them now. */
static struct function {
	struct bdf bdf;
	char name[BDF_STRLEN];
	int dirfd; /* of its directory, which stays when it is not there */
	bool there;
	char driver[SYSFS_NAME_MAX]; /* "" none */
	unsigned reasons; /* bits of enum reason */
	bool unreadable; /* whether the host needs it cannot be told */
} functions[MACHINE_SIZE];

static inline struct function *
function_of(const struct bdf *bdf)
{
	for (size_t i = 0; i < MACHINE_SIZE; i++)
		if (bdf_cmp(&functions[i].bdf, bdf) == 0)
			return &functions[i];
	return NULL;
}

static inline void
function_link(const struct function *f, const char *name, const char *target)
{
	CHECK(unlinkat(f->dirfd, name, 0) == 0 || errno == ENOENT);
	if (target[0] != '\0')
		CHECK(symlinkat(target, f->dirfd, name) == 0);
}

static inline void
function_bind(struct function *f, const char *driver)
{
	char target[64] = "";

	(void)strlcpy(f->driver, driver, sizeof(f->driver));
	if (driver[0] != '\0')
		snprintf(
		    target, sizeof(target), "../../bus/pci/drivers/%s", driver);
	function_link(f, "driver", target);
}

/* ---- what the host needs ----------------------------------------------- */

static int
look_finds(const struct bdf *bdf,
    void (*found)(void *, enum reason, const char *), void *arg)
{
	const struct function *f = function_of(bdf);
	const struct device *d = inventory_find(bdf);

	if (d->is_bridge)
		found(arg, REASON_NOT_ENDPOINT, "a bridge");
	else if (d->facts.group < 0)
		found(arg, REASON_NO_IOMMU_GROUP, "no group");
	for (enum reason r = 0; r < REASON_NOT_ENDPOINT; r++)
		if (f->reasons & 1U << r)
			found(arg, r, "there");
	return f->unreadable ? -EIO : 0;
}

/* ---- workers ----------------------------------------------------------- */

struct worker {
	TAILQ_ENTRY(worker) entry;
	struct device *device; /* NULL: abandoned */
	enum plan plan;
	bool late;
};

static TAILQ_HEAD(, worker) workers = TAILQ_HEAD_INITIALIZER(workers);
static unsigned nworkers;
static const struct worker_calls *worker_calls;

void
worker_init(const struct worker_calls *c)
{
	worker_calls = c;
}

int
worker_start(struct device *d, enum plan plan)
{
	struct worker *w = calloc(1, sizeof(*w));

	CHECK(d->worker == NULL);
	w->device = d;
	w->plan = plan;
	d->worker = w;
	TAILQ_INSERT_TAIL(&workers, w, entry);
	nworkers++;
	return 0;
}

void
worker_abandon(struct device *d)
{
	if (d->worker != NULL)
		d->worker->device = NULL;
	d->worker = NULL;
}

bool
worker_reaped(pid_t pid)
{
	(void)pid;
	return false;
}

unsigned
worker_count(void)
{
	return nworkers;
}

/* As the steps of plan.c leave record and link. */
static inline void
worker_steps(struct device *d, enum plan plan)
{
	struct function *f = function_of(&d->facts.bdf);
	bool rebind = plan == PLAN_REBIND || plan == PLAN_REBIND_NAME;
	struct record r = d->record;

	if (plan == PLAN_CLAIM ||
	    ((plan == PLAN_UNBIND || rebind) && !r.taken)) {
		snprintf(r.driver, sizeof(r.driver), "%s", f->driver);
		r.override[0] = '\0';
		r.taken = true;
	}
	if (plan == PLAN_CLAIM || (rebind && driver_is_vfio(f->driver)))
		function_bind(f, "vfio-pci");
	else if (plan == PLAN_RESTORE)
		function_bind(f, r.driver);
	else if (plan == PLAN_UNBIND)
		function_bind(f, "");
	snprintf(r.step, sizeof(r.step), "%s", "bind");
	CHECK(record_write(&r) == 0);
}

/* Its end: error is 0, or what came up at the named step. */
static inline void
worker_end(struct worker *w, int error, const char *step)
{
	struct worker_result res = {
		.plan = w->plan, .error = error, .late = w->late
	};
	struct device *d = w->device;

	snprintf(res.step, sizeof(res.step), "%s", step);
	TAILQ_REMOVE(&workers, w, entry);
	nworkers--;
	free(w);
	if (d == NULL)
		return;
	if (error == 0 && res.plan != PLAN_PROVE && res.plan != PLAN_NAME)
		worker_steps(d, res.plan);
	d->worker = NULL;
	worker_calls->done(d, &res);
}

/* ---- VFIO's nodes, limits ---------------------------------------------- */

int
vfio_open_group(int group)
{
	CHECK(group >= 0);
	return open("/dev/null", O_RDWR | O_CLOEXEC);
}

int
vfio_open_container(void)
{
	return open("/dev/null", O_RDWR | O_CLOEXEC);
}

int
vfio_try_group(int group)
{
	int fd = vfio_open_group(group);

	if (fd >= 0)
		close(fd);
	return fd < 0 && fd != -ENODEV ? fd : 0;
}

int
vfio_open_iommufd(void)
{
	return open("/dev/null", O_RDWR | O_CLOEXEC);
}

int
vfio_open_cdev(const struct bdf *bdf)
{
	CHECK(driver_is_vfio(function_of(bdf)->driver));
	return open("/dev/null", O_RDWR | O_CLOEXEC);
}

bool
vfio_has_iommufd(void)
{
	return true;
}

dev_t
vfio_group_number(int group)
{
	(void)group;
	return 0;
}

int
vfio_group_unheld(int group)
{
	(void)group;
	return 0;
}

/* Whether some function has a group. */
bool
vfio_available(void)
{
	const struct device *d;

	TAILQ_FOREACH(d, &inventory, entry)
		if (d->facts.group >= 0)
			return true;
	return false;
}

int
memlock_raise(int pidfd, uid_t uid, uint64_t bytes, uint64_t *now)
{
	(void)pidfd;
	(void)uid;
	*now = bytes;
	return 0;
}

const char *
memlock_why(int error)
{
	return strerror(-error);
}

const char *
memlock_fix(int error)
{
	return strerror(-error);
}

/* ---- the policy's loader ----------------------------------------------- */

static char *compiled;
static size_t compiled_len;

/* In the child. */
void
policyexec(int out)
{
	ssize_t n = write(out, compiled, compiled_len);

	_exit(n != (ssize_t)compiled_len);
}

/* ---- time -------------------------------------------------------------- */

struct event_base *loop_base;
static struct event *last_timer; /* that was started */

int
loop_init(void)
{
	loop_base = event_base_new();
	return loop_base == NULL ? -ENOMEM : 0;
}

struct call {
	void (*fn)(void *);
	void *arg;
};

static inline void
call(evutil_socket_t fd, short what, void *arg)
{
	struct call *c = arg;

	(void)fd;
	(void)what;
	c->fn(c->arg);
}

int
loop_event(struct event **ev, int fd, short what, void (*fn)(void *), void *arg)
{
	struct call *c = malloc(sizeof(*c));

	CHECK(c != NULL);
	*c = (struct call){ fn, arg };
	*ev = event_new(loop_base, fd, what, call, c);
	return what == 0 || event_add(*ev, NULL) == 0 ? 0 : -ENOMEM;
}

void
loop_timer(struct event *ev, unsigned ms)
{
	const struct timeval never = { .tv_sec = 1 << 20 };

	last_timer = ev;
	CHECK(event_add(ev, &never) == 0);
	if (ms == 0)
		event_active(ev, EV_TIMEOUT, 0);
}

void
loop_free(struct event **ev)
{
	void *c;

	if (*ev == NULL)
		return;
	c = event_get_callback_arg(*ev);
	event_free(*ev);
	free(c);
	*ev = NULL;
}

uint64_t
clock_us(void)
{
	return 1;
}

uint64_t
clock_wall_us(void)
{
	return 1;
}

#endif
