/* SPDX-License-Identifier: ISC */
#ifndef VFIOBROKER_TESTS_TEST_MON_PLAN_H
#define VFIOBROKER_TESTS_TEST_MON_PLAN_H

/*
 * What the tests of plans share: one function, with the test in the kernel's
 * place.  Each store waits in a fifo until it has been looked at, and so has the
 * record that must have been written before it.
 */

#include "tests/unit/test_mon_work.h"

#define NAME "0000:01:00.0"
#define DEVICE "sys/bus/pci/devices/" NAME "/"
#define DRIVERS "sys/bus/pci/drivers/"
#define PROBE "sys/bus/pci/drivers_probe"

static int openfd;

/* Waits for the record of the next step, and has a look at it. */
static inline struct record
next_record(const char *step)
{
	static const struct bdf bdf = { .bus = 1 };
	struct record r;

	ck_assert_str_eq(work_recorded(), NAME);
	ck_assert_int_eq(record_read(&bdf, &r), 0);
	ck_assert_str_eq(r.step, step);
	return r;
}

static inline void
set_driver(const char *name)
{
	if (name == NULL)
		fixture_remove(&tree, DEVICE "driver");
	else
		fixture_link(&tree, name, DEVICE "driver");
}

static inline struct device *
device_on(const char *driver)
{
	struct device *d = work_device(0, driver);

	work_fifo(DEVICE "driver_override");
	work_fifo(PROBE);
	if (driver != NULL)
		work_fifo(DRIVERS "%s/unbind", driver);
	return d;
}

/* The kernel's answer to who reads a fifo. */
static inline void
answer(const char *path, const char *text)
{
	int fd = openat(tree.rootfd, path, O_WRONLY | O_CLOEXEC);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

/* A fifo so full that a store into it waits, and one is told of its opening. */
static inline int
store_held(const char *path)
{
	static const char filler[4096];
	char full[256];
	int fd = openat(tree.rootfd, path, O_RDWR | O_CLOEXEC);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(
	    fcntl(fd, F_SETPIPE_SZ, sizeof(filler)), sizeof(filler));
	ck_assert_int_eq(write(fd, filler, sizeof(filler)), sizeof(filler));
	snprintf(full, sizeof(full), "%s/%s", tree.root, path);
	openfd = inotify_init1(IN_CLOEXEC);
	ck_assert_int_ge(inotify_add_watch(openfd, full, IN_OPEN), 0);
	return fd;
}

static inline void
store_arrives(void)
{
	struct inotify_event event;

	read_exactly(openfd, &event, sizeof(event));
}

static inline void
store_goes_on(int fd, const char *want)
{
	char filler[4096], stored[64] = "";

	read_exactly(fd, filler, sizeof(filler));
	read_exactly(fd, stored, strlen(want));
	ck_assert_str_eq(stored, want);
}

#endif
