/* SPDX-License-Identifier: ISC */
/*
 * Reading and printing sizes.  Pure.  The reader must never round: what the
 * user wrote is what the broker is asked for.
 */

#include "size.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char suffixes[] = "KMGTP";

int
size_parse(const char *s, uint64_t *out)
{
	const char *suffix;
	unsigned shift = 0;
	uint64_t n;
	char *end;

	/* strtoull takes blanks and signs; a size has none. */
	if (!isdigit((unsigned char)s[0]))
		return -EINVAL;
	errno = 0;
	n = strtoull(s, &end, 10);
	if (errno != 0)
		return -ERANGE;
	if (*end != '\0') {
		suffix = strchr(suffixes, toupper((unsigned char)*end));
		if (suffix == NULL || end[1] != '\0')
			return -EINVAL;
		shift = 10 * (unsigned)(suffix - suffixes + 1);
	}
	if (n > UINT64_MAX >> shift)
		return -ERANGE;
	*out = n << shift;
	return 0;
}

char *
size_format(uint64_t n, char buf[SIZE_STRLEN])
{
	size_t unit = 0;

	while (n != 0 && n % 1024 == 0 && suffixes[unit] != '\0') {
		n /= 1024;
		unit++;
	}
	if (unit == 0)
		snprintf(buf, SIZE_STRLEN, "%" PRIu64, n);
	else
		snprintf(
		    buf, SIZE_STRLEN, "%" PRIu64 "%c", n, suffixes[unit - 1]);
	return buf;
}
