/* SPDX-License-Identifier: ISC */
#ifndef VFIOBROKER_TESTS_TEST_MON_WORK_H
#define VFIOBROKER_TESTS_TEST_MON_WORK_H

/*
 * For tests that have workers do something: a machine whose attributes are
 * files, or fifos where the test stands for the kernel and lets go of a store
 * when it likes; and an ear for what workers tell.
 */

#include <sys/inotify.h>
#include <sys/stat.h>

#include <stdarg.h>
#include <stdio.h>

#include "broker/monitor/config.h"
#include "broker/monitor/hostuse.h"
#include "broker/monitor/inventory.h"
#include "broker/monitor/rundir.h"
#include "broker/monitor/worker.h"
#include "tests/unit/fixture.h"
#include "tests/unit/test_mon.h"

#define DEVICES_MAX 64

static struct fixture tree;
static int recordfd; /* tells of records that are written */
static int logfd; /* log_capture()'s */

/* What was told, per function of bus 1: 01:00.0, 01:00.1, ... */
static struct told {
	unsigned done, late;
	enum plan late_plan;
	struct worker_result result;
} told[DEVICES_MAX];

static unsigned all_done;
static bool nobody_reaps; /* for a while */

static inline unsigned
number_of(const struct device *d)
{
	return d->facts.bdf.dev * 8U + d->facts.bdf.fn;
}

static inline void
on_done(struct device *d, const struct worker_result *r)
{
	ck_assert_ptr_null(d->worker);
	told[number_of(d)].done++;
	told[number_of(d)].result = *r;
	all_done++;
}

static inline void
on_late(struct device *d, enum plan plan)
{
	ck_assert_ptr_nonnull(d->worker);
	told[number_of(d)].late++;
	told[number_of(d)].late_plan = plan;
}

static inline void
on_child(void *arg)
{
	pid_t pid;

	(void)arg;
	while (!nobody_reaps && (pid = waitpid(-1, NULL, WNOHANG)) > 0)
		(void)(worker_reaped(pid) || hostuse_reaped(pid));
}

static inline void
work_setup(void)
{
	static const struct worker_calls calls = { on_done, on_late };
	static struct event *child;
	char path[128];

	logfd = log_capture();
	fixture_init(&tree);
	/* There, so that nobody loads the real one. */
	fixture_dir(&tree, "sys/bus/pci/drivers/vfio-pci");
	fixture_file(&tree, "", "sys/bus/pci/drivers_probe");
	config.sysroot = tree.root;
	config.worker_timeout = 60;
	snprintf(path, sizeof(path), "%s/run", tree.root);
	ck_assert_int_eq(loop_init(), 0);
	ck_assert_int_eq(rundir_open(path), 0);
	ck_assert_int_eq(
	    loop_event(&child, SIGCHLD, EV_SIGNAL | EV_PERSIST, on_child, NULL),
	    0);
	worker_init(&calls);
	recordfd = inotify_init1(IN_CLOEXEC);
	ck_assert_int_ge(inotify_add_watch(recordfd,
			     rundir_path(RUNDIR_DEVICES), IN_MOVED_TO),
	    0);
}

static inline void
work_teardown(void)
{
	fixture_fini(&tree);
}

/* Function n of the machine. */
static inline struct device *
work_device(unsigned n, const char *driver)
{
	struct bdf bdf = { .bus = 1, .dev = n / 8 & 31, .fn = n & 7 };
	char name[BDF_STRLEN];
	struct device *d;

	fixture_pci(&tree, &(struct fixture_pci){ .bdf = bdf_format(&bdf, name),
			       .driver = driver,
			       .group = (int)n + 1 });
	fixture_file(
	    &tree, "flr\n", "sys/bus/pci/devices/%s/reset_method", name);
	fixture_file(&tree, "", "sys/bus/pci/devices/%s/reset", name);
	d = inventory_refresh(&bdf);
	ck_assert_ptr_nonnull(d);
	return d;
}

/* Waits until some record is written, and says whose. */
static inline const char *
work_recorded(void)
{
	static struct {
		struct inotify_event head;
		char name[16];
	} event; /* one of them, as the kernel pads it */

	read_exactly(recordfd, &event, sizeof(event));
	return event.name;
}

/* An attribute whose readers and writers wait for the test. */
static inline void __attribute__((format(printf, 1, 2)))
work_fifo(const char *fmt, ...)
{
	char path[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(path, sizeof(path), fmt, ap);
	va_end(ap);
	(void)unlinkat(tree.rootfd, path, 0); /* where there is one */
	ck_assert_int_eq(mkfifoat(tree.rootfd, path, 0600), 0);
}

/* What is stored into a fifo: waits for it, and lets the store return. */
static inline const char *
work_take(const char *path)
{
	static char buf[128];
	int fd = openat(tree.rootfd, path, O_RDONLY | O_CLOEXEC);
	size_t len = 0;
	ssize_t n;

	ck_assert_msg(fd >= 0, "%s: %s", path, strerror(errno));
	while ((n = read(fd, buf + len, sizeof(buf) - 1 - len)) > 0)
		len += (size_t)n;
	ck_assert_int_eq(n, 0);
	close(fd);
	buf[len] = '\0';
	return buf;
}

static inline const char *
work_content(const char *path)
{
	return work_take(path); /* a file is read in the same way */
}

static inline bool
is_told(void *arg)
{
	return told[*(unsigned *)arg].done > 0;
}

/* Waits until the device's worker is done, and says how. */
static inline const struct worker_result *
work_result(const struct device *d)
{
	unsigned n = number_of(d);

	loop_until("the worker", is_told, &n);
	ck_assert_uint_eq(told[n].done, 1);
	ck_assert_int_eq(rundir_worker_of(&d->facts.bdf), 0);
	return &told[n].result;
}

#endif
