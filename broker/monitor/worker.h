/* SPDX-License-Identifier: ISC */
#ifndef VFIOBROKER_WORKER_H
#define VFIOBROKER_WORKER_H

#include <sys/types.h>

#include <stdbool.h>

#include "device.h"
#include "plan.h"

/* The step of one that never left the queue. */
#define WORKER_QUEUED "queue"

/*
 * A worker: a forked child that runs one plan for one device and exits, so
 * that a store that never returns holds up that device and nobody else.
 */
struct worker_result {
	enum plan plan;
	int error; /* 0: the plan is complete */
	bool late; /* worker_late() had been called for it */
	char step[SYSFS_NAME_MAX]; /* the last one reported, or WORKER_QUEUED */
	char text[PLAN_TEXT_MAX];
};

/* Who is told: the device's life. */
struct worker_calls {
	void (*done)(struct device *, const struct worker_result *);
	/* The deadline passed; done() comes when the kernel lets go. */
	void (*late)(struct device *, enum plan);
};

void worker_init(const struct worker_calls *);

/*
 * Starts a worker for a device that has none, or queues it: behind the bounded
 * number that may run, behind those of its PF or of its VFs, and behind one
 * that opens the same group; then the device's why says behind whom.  A claim
 * that somebody waits for fails with -EBUSY if it has not left the queue by the
 * deadline.  0 or -errno.
 */
int worker_start(struct device *, enum plan);

/* Forgets the device of a worker that still runs: it is gone. */
void worker_abandon(struct device *);

/* For SIGCHLD: true when the pid was a worker's. */
bool worker_reaped(pid_t);

/* How many run, and how many may. */
unsigned worker_count(void);

#endif
