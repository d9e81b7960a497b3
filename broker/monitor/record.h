/* SPDX-License-Identifier: ISC */
#ifndef VFIOBROKER_RECORD_H
#define VFIOBROKER_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "broker/common/bdf.h"
#include "sysfs.h"

#define RECORD_WHY_MAX 200
#define RECORD_SOMEBODY UINT64_MAX /* as the lease: somebody without one */

/*
 * What must be put back, per device, written before anything is changed.
 *
 * /run/vfiobroker/devices/<bdf> exists exactly as long as the broker owes the
 * host something for that device, or a lease has it.  The kernel is the truth
 * about now; the record only says what was before and whose it is.
 */
struct record {
	struct bdf bdf;
	char step[SYSFS_NAME_MAX]; /* under way when it was written */
	char driver[SYSFS_NAME_MAX]; /* the host's; "" none */
	char override[SYSFS_NAME_MAX]; /* driver_override before; "" none */
	uint64_t lease; /* who has had it since its reset; 0: nobody */
	bool taken; /* we moved it to vfio-pci */
	bool reset_none; /* its rule does without a reset */
	bool cdev; /* lent as a cdev, which its lease may open once more */
	bool rebind; /* only a rebind proves that nobody holds it */
	uint32_t vfs; /* how many a PF had, under its driver */
	char why[RECORD_WHY_MAX]; /* it is in quarantine; else "" */
};

#define RECORD_MAX 512 /* bytes of a record's text */

/* Text form. Returns the length, always below len >= RECORD_MAX. */
size_t record_format(const struct record *, char *buf, size_t len);

/*
 * Strict: every key once, nothing unknown, bdf as expected.  0 or -EBADMSG.
 * The text may come from a disk that was full or a hand that edited it.
 */
int record_parse(const char *text, size_t len, struct record *out);

/* Writes temporary name and renames. 0 or -errno. */
int record_write(const struct record *);

/* Reads the record of one device: 0, -ENOENT, -EBADMSG or -errno. */
int record_read(const struct bdf *, struct record *out);

/* 0 also when there was none. */
int record_remove(const struct bdf *);

/* Whether a file of that name is a record, and of which device. */
bool record_named(const char *name, struct bdf *out);

#endif
