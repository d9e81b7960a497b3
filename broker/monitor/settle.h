/* SPDX-License-Identifier: ISC */
#ifndef VFIOBROKER_SETTLE_H
#define VFIOBROKER_SETTLE_H

/*
 * Bringing devices to where they belong: at start, from records, lease files
 * and the kernel in any combination; after a reload, from the claim lines.
 */

/*
 * At start, after inventory and leases are read: every record becomes a
 * leased, resting, quarantined or draining device.  0 or -errno.
 */
int settle_records(void);

/* Looks at the claim lines again, and at every device that rests. */
void settle_all(void);

#endif
