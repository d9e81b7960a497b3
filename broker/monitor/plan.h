/* SPDX-License-Identifier: ISC */
#ifndef VFIOBROKER_PLAN_H
#define VFIOBROKER_PLAN_H

#include <stdbool.h>
#include <stdint.h>

#include "record.h"

/*
 * What workers do: a plan is a list of steps, each at most one store that may
 * sleep.  Runs in a worker only, never in the monitor.  Before each step the
 * record says which one is under way.
 */
enum plan {
	PLAN_CLAIM, /* host driver -> vfio-pci */
	PLAN_RESET, /* by the kernel's reset_method, result checked */
	PLAN_RESTORE, /* vfio-pci -> what the record says */
	PLAN_UNBIND, /* revoke: the kernel asks the holder, and waits */
	PLAN_PROVE, /* changes nothing: -EBUSY while somebody holds the group */
	PLAN_NAME, /* the same, and says who */
	PLAN_REBIND, /* proof for a cdev: off vfio-pci and on it again */
	PLAN_REBIND_NAME, /* the same, and says who if it is in use */
	PLAN_COUNT,
};

#define PLAN_TEXT_MAX 160

/* What a worker tells, once per step and in one write. */
struct plan_report {
	char step[SYSFS_NAME_MAX];
	int32_t error; /* 0 or -errno: the plan ends with the first error */
	uint32_t last; /* 1: the plan is complete */
	uint64_t us;
	char text[PLAN_TEXT_MAX];
};

const char *plan_name(enum plan);

/* A group opens once: two such plans of its members would fail each other. */
bool plan_opens_group(enum plan);

/* Whether it says who holds the device, and not only that somebody does. */
bool plan_names(enum plan);

/*
 * Runs a plan.  r is the device's record, updated and written as the plan
 * goes; group is its IOMMU group.  Each step is told to report().
 */
void plan_run(enum plan, struct record *r, int group,
    void (*report)(void *arg, const struct plan_report *), void *arg);

#ifdef VFIOBROKER_FAULTS
void plan_fault_list(void);
#endif

#endif
