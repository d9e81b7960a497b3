/* SPDX-License-Identifier: ISC */
#ifndef VFIOBROKER_TEST_RECORDS_H
#define VFIOBROKER_TEST_RECORDS_H

/*
 * One good record of each type, with every member in use that can be.
 * Included by several tests, each with its own copy.
 */

#include "../../broker/common/monmsg.h"
#include "../../broker/common/state.h"
#include "../../broker/common/status.h"

#define SEQ 7

static const struct mon_plain good_list_devices = { { MON_LIST_DEVICES, SEQ } };
static const struct mon_plain good_list_leases = { { MON_LIST_LEASES, SEQ } };
static const struct mon_plain good_show_policy = { { MON_SHOW_POLICY, SEQ } };
static const struct mon_plain good_watch = { { MON_WATCH, SEQ } };

static const struct mon_acquire good_acquire = {
	.h = { MON_ACQUIRE, SEQ },
	.lease = 0x0102030405060708,
	.memlock = 1ULL << 33,
	.flags = MON_ACQUIRE_NO_WAIT,
	.ndevices = 3,
	.devices = { { 0, 1, 0x10, 0, 0 }, { 0, 2, 0x11, 1, 0 },
	    { 0x10000, 0xe1, 0x1f, 7, 0 } },
	.label = "guest one",
};

static const struct mon_open_group good_open_group = {
	.h = { MON_OPEN_GROUP, SEQ }, .lease = 5, .group = 26
};

static const struct mon_open_device good_open_device = { .h = { MON_OPEN_DEVICE,
							     SEQ },
	.lease = 5,
	.device = { 0, 1, 0x10, 0, 0 } };

static const struct mon_open_iommufd good_open_iommufd = {
	.h = { MON_OPEN_IOMMUFD, SEQ }, .lease = 5
};

static const struct mon_release good_release = { .h = { MON_RELEASE, SEQ },
	.lease = 5 };

static const struct mon_set_memlock good_set_memlock = {
	.h = { MON_SET_MEMLOCK, SEQ }, .lease = 5, .memlock = 1 << 30
};

static const struct mon_explain good_explain = {
	.h = { MON_EXPLAIN, SEQ },
	.memlock = 1 << 30,
	.device = { 0, 1, 0x10, 0, 0 },
	.flags = MON_EXPLAIN_USER | MON_EXPLAIN_MANAGED,
	.uid = 1000,
	.ngids = 3,
	.gids = { 1000, 27, 108 },
};

static const struct mon_revoke good_revoke = {
	.h = { MON_REVOKE, SEQ }, .lease = 5, .grace_ms = 3000
};

static const struct mon_recover good_recover = { .h = { MON_RECOVER, SEQ },
	.device = { 0, 1, 0x10, 0, 0 } };

static const struct mon_welcome good_welcome = { .h = { MON_WELCOME, 0 },
	.uid = 1000,
	.pid = 4711,
	.admin = 1,
	.features = MON_FEATURE_GROUP | MON_FEATURE_VFIO };

static const struct mon_device good_device = {
	.h = { MON_DEVICE, SEQ },
	.bdf = { 0, 1, 0x10, 2, 0 },
	.pf = { 0, 1, 0, 0, 0 },
	.lease = 5,
	.vendor = 0x8086,
	.device = 0x10ca,
	.class = 0x020000,
	.group = 26,
	.numa = -1,
	.state = STATE_LEASED,
	.flags = MON_DEVICE_VF | MON_DEVICE_MINE,
	.owner = 1000,
	.driver = "vfio-pci",
	.why = "leased to alice since 12:00",
};

static const struct mon_lease good_lease = {
	.h = { MON_LEASE, SEQ },
	.id = 5,
	.since = 1700000000,
	.memlock = 1ULL << 34,
	.uid = 1000,
	.pid = 4711,
	.flags = MON_LEASE_REVOKING,
	.ndevices = 2,
	.devices = { { 0, 1, 0x10, 0, 0 }, { 0, 1, 0x10, 2, 0 } },
	.comm = "qemu-system-x86",
	.label = "guest one",
};

static const struct mon_grant good_grant = {
	.h = { MON_GRANT, SEQ },
	.lease = 5,
	.memlock = 1ULL << 34,
	.nfds = 3,
	.fds = { { .kind = MON_FD_LEASE, .group = -1 },
	    { .kind = MON_FD_CONTAINER, .group = -1 },
	    { .kind = MON_FD_GROUP, .group = 26 } },
};

static const struct mon_grant good_cdev_grant = {
	.h = { MON_GRANT, SEQ },
	.lease = 5,
	.nfds = 3,
	.fds = { { .kind = MON_FD_LEASE, .group = -1 },
	    { .kind = MON_FD_IOMMUFD, .group = -1 },
	    { .kind = MON_FD_DEVICE,
		.group = -1,
		.device = { 0, 1, 0x10, 0, 0 } } },
};

static const struct mon_text good_text = { .h = { MON_TEXT, SEQ },
	.kind = MON_TEXT_WHY,
	.more = 1,
	.text = "no rule allows it" };

static const struct mon_event good_event = {
	.h = { MON_EVENT, 0 },
	.number = 99,
	.time_us = 1700000000000000,
	.duration_us = 1234,
	.lease = 5,
	.device = { 0, 1, 0x10, 0, 0 },
	.kind = MON_EVENT_DEVICE,
	.from = STATE_LEASED,
	.to = STATE_DRAINING,
	.uid = 1000,
	.text = "the last holder closed it",
};

static const struct mon_end good_end = { .h = { MON_END, SEQ },
	.status = STATUS_DENIED };

#endif
