/* SPDX-License-Identifier: ISC */
#ifndef VFIOBROKER_BDF_H
#define VFIOBROKER_BDF_H

/*
 * The address of a PCI function: domain, bus, device, function.
 *
 * The one form in which a device crosses the trust boundary.  It is made of
 * numbers so that nothing a client sends can ever become a path; the monitor
 * formats the name itself, after bdf_valid().
 */

#include <stdbool.h>
#include <stdint.h>

#define BDF_STRLEN sizeof("ffffffff:ff:1f.7")

struct bdf {
	uint32_t domain; /* 16 bits on most machines; VMD domains are wider */
	uint8_t bus;
	uint8_t dev; /* 0..31 */
	uint8_t fn; /* 0..7 */
	uint8_t pad; /* always zero: the struct travels and is compared */
};

/* A number for each address, in their order; of valid ones, that is. */
static inline uint64_t
bdf_number(const struct bdf *b)
{
	return (uint64_t)b->domain << 16 | (uint64_t)b->bus << 8 |
	       (uint64_t)b->dev << 3 | b->fn;
}

bool bdf_valid(const struct bdf *);
int bdf_cmp(const struct bdf *, const struct bdf *);

/*
 * Full form "0000:01:10.0" or, domain 0000 implied, "01:10.0".
 * Returns 0, or -EINVAL and leaves *out alone.
 */
int bdf_parse(const char *, struct bdf *out);

/* Writes the full form into buf[BDF_STRLEN] and returns buf. */
char *bdf_format(const struct bdf *, char buf[BDF_STRLEN]);

#endif
