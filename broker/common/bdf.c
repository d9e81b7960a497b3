/* SPDX-License-Identifier: ISC */
/*
 * Parsing, printing and ordering of PCI addresses.  Pure: no I/O, used by
 * every process.  Must never accept anything that is not exactly an address.
 */

#include "bdf.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool
bdf_valid(const struct bdf *b)
{
	return b->dev < 32 && b->fn < 8 && b->pad == 0;
}

int
bdf_cmp(const struct bdf *a, const struct bdf *b)
{
	uint64_t x = bdf_number(a), y = bdf_number(b);

	return (x > y) - (x < y);
}

/* Reads min to max hex digits at *s and moves *s past them. */
static int
hex_field(const char **s, size_t min, size_t max, uint32_t *out)
{
	size_t n = strspn(*s, "0123456789abcdefABCDEF");

	if (n < min || n > max)
		return -EINVAL;
	*out = (uint32_t)strtoul(*s, NULL, 16);
	*s += n;
	return 0;
}

static int
expect_char(const char **s, char c)
{
	if (**s != c)
		return -EINVAL;
	(*s)++;
	return 0;
}

int
bdf_parse(const char *s, struct bdf *out)
{
	const char *colon = strchr(s, ':');
	uint32_t domain = 0, bus, dev, fn;

	if (colon != NULL && strchr(colon + 1, ':') != NULL) {
		if (hex_field(&s, 4, 8, &domain) != 0 || expect_char(&s, ':'))
			return -EINVAL;
	}
	if (hex_field(&s, 2, 2, &bus) != 0 || expect_char(&s, ':') ||
	    hex_field(&s, 2, 2, &dev) != 0 || expect_char(&s, '.') ||
	    hex_field(&s, 1, 1, &fn) != 0 || *s != '\0')
		return -EINVAL;
	if (dev > 31 || fn > 7)
		return -EINVAL;
	*out = (struct bdf){ .domain = domain,
		.bus = (uint8_t)bus,
		.dev = (uint8_t)dev,
		.fn = (uint8_t)fn };
	return 0;
}

char *
bdf_format(const struct bdf *b, char buf[BDF_STRLEN])
{
	/* The masks say what bdf_valid() promises, for the compiler's sake. */
	snprintf(buf, BDF_STRLEN, "%04x:%02x:%02x.%x", b->domain, b->bus,
	    b->dev & 0x1fU, b->fn & 7U);
	return buf;
}
