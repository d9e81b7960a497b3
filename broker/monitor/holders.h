/* SPDX-License-Identifier: ISC */
#ifndef VFIOBROKER_HOLDERS_H
#define VFIOBROKER_HOLDERS_H

#include <stddef.h>

#include "broker/common/bdf.h"

/*
 * Who has a group's node open: "pid 12 (qemu-system-x86), uid 1000; ...".
 * Walks all of /proc: workers only.  "" when nobody was found.
 */
void holders_of_group(int group, char *buf, size_t len);

/* The same for the cdev of a function, whether bound to an iommufd or not. */
void holders_of_cdev(const struct bdf *, char *buf, size_t len);

/* Writes a process's name into buf as printable ASCII, "?" if it is gone. */
void process_name(int pid, char *buf, size_t len);

#endif
