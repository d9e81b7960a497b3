/* SPDX-License-Identifier: ISC */
/*
 * Words for PCI classes.  A small table instead of pci.ids: listing must be
 * quick, and the word only helps the eye.
 */

#include "pciclass.h"

#include <stddef.h>

/* The first match counts: subclasses stand before their base class. */
static const struct {
	uint16_t class; /* base class and subclass */
	uint16_t mask;
	const char *name;
} classes[] = {
	{ 0x0101, 0xffff, "ide" },
	{ 0x0104, 0xffff, "raid" },
	{ 0x0106, 0xffff, "sata" },
	{ 0x0107, 0xffff, "sas" },
	{ 0x0108, 0xffff, "nvme" },
	{ 0x0100, 0xff00, "storage" },
	{ 0x0200, 0xffff, "ethernet" },
	{ 0x0207, 0xffff, "infiniband" },
	{ 0x0200, 0xff00, "network" },
	{ 0x0300, 0xffff, "vga" },
	{ 0x0302, 0xffff, "gpu" },
	{ 0x0300, 0xff00, "display" },
	{ 0x0403, 0xffff, "audio" },
	{ 0x0400, 0xff00, "media" },
	{ 0x0500, 0xff00, "memory" },
	{ 0x0600, 0xffff, "host-bridge" },
	{ 0x0601, 0xffff, "isa-bridge" },
	{ 0x0604, 0xffff, "pci-bridge" },
	{ 0x0600, 0xff00, "bridge" },
	{ 0x0700, 0xff00, "serial" },
	{ 0x0800, 0xff00, "system" },
	{ 0x0900, 0xff00, "input" },
	{ 0x0b00, 0xff00, "processor" },
	{ 0x0c03, 0xffff, "usb" },
	{ 0x0c05, 0xffff, "smbus" },
	{ 0x0c00, 0xff00, "bus" },
	{ 0x0d00, 0xff00, "wireless" },
	{ 0x1000, 0xff00, "crypto" },
	{ 0x1200, 0xff00, "accelerator" },
};

const char *
pciclass_name(uint32_t class)
{
	uint32_t two = class >> 8;

	for (size_t i = 0; i < sizeof(classes) / sizeof(classes[0]); i++)
		if ((two & classes[i].mask) == classes[i].class)
			return classes[i].name;
	return "other";
}
