/* SPDX-License-Identifier: ISC */
/*
 * Values as people read them.  Called for every refusal that names a value,
 * and by parse/ for the lines themselves.  What it prints, parse/values.c must
 * read as the same number.
 */

#include "value.h"

#include <stdint.h>

static void
print_number(struct text *t, uint64_t v)
{
	text_add(t, "%llu", (unsigned long long)v);
}

static void
print_rate(struct text *t, uint64_t v)
{
	text_add(t, "%llu/s", (unsigned long long)v);
}

/* Rounds up to a whole K, which only what was asked for may need. */
static void
print_size(struct text *t, uint64_t v)
{
	const char *unit = "KMGT"; /* each 1024 times the one before */

	v = v / 1024 + (v % 1024 != 0);
	if (v > UINT64_MAX / 1024) {
		text_add(t, "unlimited");
		return;
	}
	for (; v != 0 && v % 1024 == 0 && unit[1] != '\0'; unit++)
		v /= 1024;
	text_add(t, "%llu%c", (unsigned long long)v, *unit);
}

static void
print_ids(struct text *t, uint64_t v)
{
	text_add(t, "%04x:%04x", (unsigned)(v >> 16), (unsigned)(v & 0xffff));
}

static void
print_address(struct text *t, uint64_t v)
{
	char buf[BDF_STRLEN];
	struct bdf b = value_bdf(v);

	text_add(t, "%s", bdf_format(&b, buf));
}

void
value_print(struct text *t, enum value_type type, uint64_t v)
{
	static void (*const print[VALUE_SAID])(struct text *, uint64_t) = {
		[VALUE_NUMBER] = print_number,
		[VALUE_SIZE] = print_size,
		[VALUE_RATE] = print_rate,
		[VALUE_IDS] = print_ids,
		[VALUE_ADDRESS] = print_address,
	};

	print[type](t, v);
}

struct bdf
value_bdf(uint64_t v)
{
	return (struct bdf){ .domain = (uint32_t)(v >> 16),
		.bus = (uint8_t)(v >> 8),
		.dev = v >> 3 & 0x1f,
		.fn = v & 7 };
}

uint64_t
value_class(uint32_t class)
{
	return 1U << 24 | (class & 0xffffff);
}
