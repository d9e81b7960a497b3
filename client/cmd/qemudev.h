/* SPDX-License-Identifier: ISC */
#ifndef VFIOBROKER_CMD_QEMUDEV_H
#define VFIOBROKER_CMD_QEMUDEV_H

/* The properties of one -device or -object that matter, in either syntax. */

#include "qemuargs.h"

struct qemu_dev {
	char *driver; /* "" when missing */
	char *host;
	char *sysfsdev;
	char *fd;
	char *iommufd;
	char *size;
};

/* From "driver,key=value" or JSON.  0, -ENOMEM, or -EINVAL for bad JSON. */
int qemu_dev_read(struct qemu_dev *, const char *text);
void qemu_dev_free(struct qemu_dev *);

/* Adds what the device means to args; -EINVAL with args->error. */
int qemu_dev_apply(const struct qemu_dev *, struct qemu_args *args);

#endif
