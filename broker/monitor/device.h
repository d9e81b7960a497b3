/* SPDX-License-Identifier: ISC */
#ifndef VFIOBROKER_DEVICE_H
#define VFIOBROKER_DEVICE_H

#include <bsd/sys/queue.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "broker/common/state.h"
#include "policy/policy.h"
#include "record.h"
#include "sysfs.h"

struct acquisition;
struct event;
struct hostuse;
struct lease;
struct worker;

#define WHY_MAX RECORD_WHY_MAX

/*
 * One PCI function, as the inventory keeps it.  Fields of the first part are
 * the machine's and change by uevents; the others are the broker's.  The state
 * changes by life.c alone; what else there is, by whoever it is about: who wants
 * it by acquire.c, what its record owes by who lends it or finds who has it.
 */
struct device {
	TAILQ_ENTRY(device) entry; /* of the inventory, by address */
	LIST_ENTRY(device) found; /* of those that share a bucket of it */
	struct policy_device facts;
	int numa;
	bool is_pf;
	bool is_bridge; /* class 0604: ignored in groups, never given out */
	char driver[SYSFS_NAME_MAX]; /* "" none */

	enum state state;
	uint64_t since_us; /* clock_us() at entering the state */
	char why[WHY_MAX]; /* what it waits for, or what is wrong */
	struct record record; /* what is owed; .bdf is set even without one */
	bool has_record;
	bool ask_back; /* revoked: the kernel shall ask its holder */
	bool unreadable; /* the record; nobody knows what to put back */
	bool claimed; /* by a claim line of the policy */
	bool claim_failed; /* do not try again by ourselves */
	struct lease *lease;
	struct lease *held_by; /* over, but its holder may still have this */
	TAILQ_ENTRY(device) of_lease;
	struct worker *worker;
	struct acquisition *wanted; /* who had it claimed and waits */
	struct event *timer; /* the next look at it */
	unsigned looks; /* since the state was entered */
	struct hostuse *look; /* whether a claim line may take it */
};

TAILQ_HEAD(devices, device);

/* "0000:01:10.0", in a buffer of its own per call out of four. */
const char *device_name(const struct device *);

/* Whether it sits on a vfio driver: vfio-pci or a variant of it. */
bool device_on_vfio(const struct device *);

#endif
