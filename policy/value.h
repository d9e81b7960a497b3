/* SPDX-License-Identifier: ISC */
#ifndef VFIOBROKER_POLICY_VALUE_H
#define VFIOBROKER_POLICY_VALUE_H

/*
 * Every value of the language is one number.  Addresses sort as addresses do;
 * ids are the vendor above the device; a class has a 1 above its digits, which
 * says how many there are.  Words become numbers in parse/values.c.
 */

#include "../broker/common/bdf.h"
#include "text.h"

#define VALUE_ABSENT UINT64_MAX /* no address, no ids */

enum value_type {
	VALUE_NONE, /* the word stands alone */
	VALUE_NUMBER,
	VALUE_SIZE,
	VALUE_RATE,
	VALUE_IDS,
	VALUE_ADDRESS,
	VALUE_SAID, /* the types before are in what the broker says */
	VALUE_CLASS = VALUE_SAID,
	VALUE_SLOT,
	VALUE_SIBLINGS,
	VALUE_RESET,
	VALUE_COUNT,
};

/* For types below VALUE_SAID. */
void value_print(struct text *, enum value_type, uint64_t);

struct bdf value_bdf(uint64_t address);
uint64_t value_class(uint32_t class); /* all six digits */

/* Inline, for a match may begin with it; an address is bdf_number(). */
static inline uint64_t
value_ids(uint16_t vendor, uint16_t device)
{
	return (uint64_t)vendor << 16 | device;
}

#endif
