/* SPDX-License-Identifier: ISC */
#ifndef VFIOBROKER_CMD_PCIIDS_H
#define VFIOBROKER_CMD_PCIIDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * "Vendor Device" as pci.ids has it, in printable ASCII; false when there is
 * no such file or no such device in it.
 */
bool pciids_name(uint16_t vendor, uint16_t device, char *buf, size_t size);

/* The same from a given file, for tests. */
bool pciids_name_in(
    const char *file, uint16_t vendor, uint16_t device, char *buf, size_t size);

#endif
