/* SPDX-License-Identifier: ISC */
#ifndef VFIOBROKER_CMD_QEMUDEV_H
#define VFIOBROKER_CMD_QEMUDEV_H

/* The properties of one -device or -object that matter, in either syntax. */

#include "qemuargs.h"

/* "" stands for missing. */
struct qemu_dev {
	char driver[64];
	char host[64];
	char sysfsdev[512];
	char fd[64];
	char iommufd[64];
	char size[64];
};

/*
 * From "driver,key=value" or JSON.  0, -ENOMEM, -EINVAL for bad JSON, or
 * -ENAMETOOLONG.
 */
int qemu_dev_read(struct qemu_dev *, const char *text);

/* Adds what the device means to args; -EINVAL with args->error. */
int qemu_dev_apply(const struct qemu_dev *, struct qemu_args *args);

#endif
