/* SPDX-License-Identifier: ISC */
#ifndef VFIOBROKER_STATUS_H
#define VFIOBROKER_STATUS_H

/*
 * How a request ended.  The same numbers travel in session records and in
 * protobuf (proto/vfiobroker.proto, enum Status: a unit test compares).
 */
enum status {
	STATUS_OK,
	STATUS_NOT_FOUND, /* no such device, lease or pool */
	STATUS_DENIED, /* the policy says no */
	STATUS_IDENTITY, /* another device sits at that address */
	STATUS_HOST_IN_USE, /* the host needs the device; see the reasons */
	STATUS_GROUP, /* siblings in the IOMMU group stand against it */
	STATUS_BUSY, /* held, or on its way: try again */
	STATUS_LIMIT, /* a limit line or a quota */
	STATUS_UNAVAILABLE, /* no IOMMU, no VFIO, or the device is out */
	STATUS_INVALID, /* the request makes no sense */
	STATUS_OS, /* the kernel refused an operation */
	STATUS_INTERNAL,
	STATUS_COUNT,
};

/* "DENIED" */
const char *status_name(enum status);

/* The exit status of a command whose request ended so (sysexits.h). */
int status_exit(enum status);

#endif
