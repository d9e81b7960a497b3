/* SPDX-License-Identifier: ISC */
#ifndef VFIOBROKER_CMD_QEMUARGS_H
#define VFIOBROKER_CMD_QEMUARGS_H

/* What a QEMU command line says about VFIO devices and memory. */

#include "options.h"

struct qemu_args {
	struct device_list devices;
	bool iommufd; /* the devices say iommufd=: all of them, or none */
	bool viommu; /* each device has an address space of its own */
	uint64_t ram; /* the most that can become guest memory, bytes */
	char error[320]; /* lines for a person, when reading failed */
};

/*
 * Reads argv (argv[0] is the program).  Returns 0, or -EINVAL with .error
 * when a VFIO device is written in a way that can not be served.
 */
int qemu_args_read(char *const argv[], struct qemu_args *);

/* The memory to lock for all that: RAM per address space, and 1 GiB. */
uint64_t qemu_args_memlock(const struct qemu_args *);

/* Whether a program of this name is QEMU. */
bool qemu_args_is_qemu(const char *program);

#endif
