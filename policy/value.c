/* SPDX-License-Identifier: ISC */
/*
 * Values as people read them.  Called for every refusal that names a value,
 * and by parse/ for the lines themselves.  What it prints, parse/values.c must
 * read as the same number.
 */

#include "value.h"

#include <stdint.h>

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

void
value_print(struct text *t, enum value_type type, uint64_t v)
{
	unsigned long long n = v;
	char buf[BDF_STRLEN];
	struct bdf b;

	switch (type) {
	case VALUE_NUMBER:
		text_add(t, "%llu", n);
		break;
	case VALUE_RATE:
		text_add(t, "%llu/s", n);
		break;
	case VALUE_SIZE:
		print_size(t, v);
		break;
	case VALUE_IDS:
		text_add(t, "%04llx:%04llx", n >> 16, n & 0xffff);
		break;
	default: /* VALUE_ADDRESS: there are no others */
		b = value_bdf(v);
		text_add(t, "%s", bdf_format(&b, buf));
	}
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
