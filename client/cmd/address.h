/* SPDX-License-Identifier: ISC */
#ifndef VFIOBROKER_CMD_ADDRESS_H
#define VFIOBROKER_CMD_ADDRESS_H

/*
 * Devices as people name them on the command line: an address in full or
 * short form, a network interface, an NVMe controller.
 */

#include "broker/common/bdf.h"
#include "client/vfiobroker.h"

/*
 * Returns 0, -EINVAL when the text can not name a device, -ENOENT when
 * nothing has that name, -ENODEV when what has it is no PCI device.
 */
int address_parse(const char *, struct vfiobroker_bdf *out);

/* The same with another /sys, for tests. */
int address_parse_at(const char *sys, const char *, struct vfiobroker_bdf *out);

/* A sentence on why address_parse() returned err, naming the text. */
const char *address_error(int err, const char *text, char *buf, size_t len);

/* From an address in full or short form and nothing else. */
int address_of_name(const char *, struct vfiobroker_bdf *out);

/* The address that a sysfs path ends in: the last component that is one. */
int address_of_path(const char *path, struct vfiobroker_bdf *out);

char *address_format(const struct vfiobroker_bdf *, char buf[BDF_STRLEN]);

bool
address_equal(const struct vfiobroker_bdf *, const struct vfiobroker_bdf *);

struct vfiobroker_bdf address_from_bdf(const struct bdf *);

#endif
