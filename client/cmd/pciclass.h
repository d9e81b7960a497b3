/* SPDX-License-Identifier: ISC */
#ifndef VFIOBROKER_CMD_PCICLASS_H
#define VFIOBROKER_CMD_PCICLASS_H

#include <stdint.h>

/* A word for a 24-bit PCI class, such as "ethernet". */
const char *pciclass_name(uint32_t class);

#endif
