/* SPDX-License-Identifier: ISC */
/*
 * The syntax of QEMU's option arguments, as QEMU's own keyval and size
 * readers take it.  Pure; called by qemuargs.c.
 */

#include "qemuopt.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

char *
qemuopt_next(char **cursor, char **value)
{
	char *start = *cursor, *in = start, *out = start;

	*value = NULL;
	if (*start == '\0')
		return NULL;
	while (*in != '\0') {
		if (in[0] == ',' && in[1] == ',')
			in++; /* the second one is taken */
		else if (in[0] == ',')
			break;
		*out++ = *in++;
	}
	*cursor = *in == ',' ? in + 1 : in;
	*out = '\0';
	*value = strchr(start, '=');
	if (*value != NULL)
		*(*value)++ = '\0';
	return start;
}

/* 1024 to which power; -1 for what is no suffix. */
static int
suffix_power(char c)
{
	static const char suffixes[] = "BKMGTPE";
	const char *found = strchr(suffixes, toupper((unsigned char)c));

	return c != '\0' && found != NULL ? (int)(found - suffixes) : -1;
}

static int
hex_size(const char *s, uint64_t unit, uint64_t *out)
{
	char *end;
	uint64_t n;

	errno = 0;
	n = strtoull(s, &end, 16);
	if (errno != 0 || *end != '\0' || end == s + 2 || n > UINT64_MAX / unit)
		return -EINVAL;
	*out = n * unit;
	return 0;
}

int
qemuopt_size(const char *s, uint64_t unit, uint64_t *out)
{
	size_t digits = strspn(s, "0123456789.");
	char *end;
	double n;
	int power;

	if (!isdigit((unsigned char)s[0]))
		return -EINVAL;
	if (s[0] == '0' && (s[1] == 'x' || s[1] == 'X'))
		return hex_size(s, unit, out);
	if (s[digits] != '\0') {
		power = suffix_power(s[digits]);
		if (power < 0 || s[digits + 1] != '\0')
			return -EINVAL;
		unit = 1ULL << (10 * power);
	} else if (memchr(s, '.', digits) != NULL) {
		return -EINVAL;
	}
	/* 53 bits are exact, and more than any machine has pages. */
	n = strtod(s, &end);
	if (end != s + digits || n * (double)unit >= 0x1p63)
		return -EINVAL;
	*out = (uint64_t)(n * (double)unit);
	return 0;
}
