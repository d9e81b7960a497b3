/* SPDX-License-Identifier: ISC */
/*
 * The values of the language.  Called by the parser and the printer.  Must
 * never accept a form that the manual does not name: no signs, no octal, no
 * fractions, no 0x.
 */

#include "values.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char units[] = "KMGT"; /* each 1024 times the one before */

/* Reads decimal digits at *s and moves *s past them. */
static int
read_digits(const char **s, uint64_t *out)
{
	size_t n = strspn(*s, "0123456789");

	/* 010 is eight to some readers and ten to others. */
	if (n == 0 || (n > 1 && **s == '0'))
		return -EINVAL;
	for (*out = 0; n > 0; n--, (*s)++)
		if (__builtin_mul_overflow(*out, 10, out) ||
		    __builtin_add_overflow(*out, (uint64_t)(**s - '0'), out))
			return -ERANGE;
	return 0;
}

static int
read_count(const char *s, const char *unit, uint64_t *out)
{
	int r = read_digits(&s, out);

	if (r == 0 && strcmp(s, unit) != 0)
		return -EINVAL;
	/* UINT32_MAX is left out: as a uid it means "no change". */
	return r == 0 && *out >= UINT32_MAX ? -ERANGE : r;
}

static int
read_number(const char *s, uint64_t *out)
{
	return read_count(s, "", out);
}

static int
read_rate(const char *s, uint64_t *out)
{
	int r = read_count(s, "/s", out);

	/* Who is served never would only wait: that is `connections 0'. */
	return r == 0 && *out == 0 ? -EINVAL : r;
}

static int
read_size(const char *s, uint64_t *out)
{
	const char *unit;
	int r;

	if (strcmp(s, "unlimited") == 0) {
		*out = UINT64_MAX;
		return 0;
	}
	r = read_digits(&s, out);
	if (r != 0)
		return r;
	unit = *s != '\0' ? strchr(units, *s) : NULL;
	if (unit == NULL || s[1] != '\0')
		return -EINVAL;
	if (__builtin_mul_overflow(*out, 1024ULL << 10 * (unit - units), out))
		return -ERANGE;
	return 0;
}

static size_t
hex_span(const char *s)
{
	return strspn(s, "0123456789abcdefABCDEF");
}

static int
read_ids(const char *s, uint64_t *out)
{
	if (hex_span(s) != 4 || s[4] != ':' || hex_span(s + 5) != 4 ||
	    s[9] != '\0')
		return -EINVAL;
	*out = strtoul(s, NULL, 16) << 16 | strtoul(s + 5, NULL, 16);
	return 0;
}

static int
read_class(const char *s, uint64_t *out)
{
	size_t n = hex_span(s);

	if ((n != 2 && n != 4 && n != 6) || s[n] != '\0')
		return -EINVAL;
	*out = 1ULL << 4 * n | strtoul(s, NULL, 16);
	return 0;
}

static int
read_address(const char *s, uint64_t *out)
{
	struct bdf b;
	int r = bdf_parse(s, &b);

	if (r == 0)
		*out = bdf_number(&b);
	return r;
}

/* A slot is the address of its function 0, written without it. */
static int
read_slot(const char *s, uint64_t *out)
{
	char address[BDF_STRLEN];
	int n = snprintf(address, sizeof(address), "%s.0", s);

	if (n < 0 || (size_t)n >= sizeof(address))
		return -EINVAL;
	return read_address(address, out);
}

static void
print_class(struct text *t, uint64_t v)
{
	int digits = v >> 24 ? 6 : v >> 16 ? 4 : 2;

	text_add(t, "%0*llx", digits, v & ~(1ULL << 4 * digits));
}

static void
print_slot(struct text *t, uint64_t v)
{
	struct bdf b = value_bdf(v);

	text_add(t, "%04x:%02x:%02x", b.domain, b.bus, b.dev);
}

/* Without a print there are words for 0 and 1, or value_print() knows it. */
static const struct {
	const char *what;
	int (*read)(const char *, uint64_t *);
	void (*print)(struct text *, uint64_t);
	const char *words[2];
} types[VALUE_COUNT] = {
	[VALUE_NUMBER] = { "a number", read_number, NULL, { 0 } },
	[VALUE_SIZE] = { "a size such as 16G", read_size, NULL, { 0 } },
	[VALUE_RATE] = { "a rate such as 100/s", read_rate, NULL, { 0 } },
	[VALUE_IDS] = { "ids such as 8086:10ca", read_ids, NULL, { 0 } },
	[VALUE_CLASS] = { "2, 4 or 6 hex digits", read_class, print_class,
	    { 0 } },
	[VALUE_ADDRESS] = { "an address such as 0000:01:10.0", read_address,
	    NULL, { 0 } },
	[VALUE_SLOT] = { "a slot such as 0000:01:10", read_slot, print_slot,
	    { 0 } },
	[VALUE_SIBLINGS] = { "refuse or take", NULL, NULL,
	    { "refuse", "take" } },
	[VALUE_RESET] = { "required or none", NULL, NULL,
	    { "required", "none" } },
};

int
value_read(enum value_type type, const char *word, uint64_t *out)
{
	if (types[type].read != NULL)
		return types[type].read(word, out);
	for (*out = 0; *out < 2; ++*out)
		if (strcmp(types[type].words[*out], word) == 0)
			return 0;
	return -EINVAL;
}

void
value_write(struct text *t, enum value_type type, uint64_t v)
{
	if (types[type].print != NULL)
		types[type].print(t, v);
	else if (types[type].words[0] != NULL)
		text_add(t, "%s", types[type].words[v]);
	else
		value_print(t, type, v);
}

const char *
value_what(enum value_type type)
{
	return types[type].what;
}
