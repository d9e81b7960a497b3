/* SPDX-License-Identifier: ISC */
/* The table behind status.h.  Pure. */

#include "status.h"

#include <sysexits.h>

/* sysexits.h ends at 78; 66, 69, 75, 77 are used in its sense. */
static const struct {
	const char *name;
	int code;
} statuses[STATUS_COUNT] = {
	[STATUS_OK] = { "OK", EX_OK },
	[STATUS_NOT_FOUND] = { "NOT_FOUND", EX_NOINPUT },
	[STATUS_DENIED] = { "DENIED", EX_NOPERM },
	[STATUS_IDENTITY] = { "IDENTITY_CHANGED", EX_NOPERM },
	[STATUS_HOST_IN_USE] = { "HOST_IN_USE", EX_NOPERM },
	[STATUS_GROUP] = { "GROUP", EX_NOPERM },
	[STATUS_BUSY] = { "BUSY", EX_TEMPFAIL },
	[STATUS_LIMIT] = { "LIMIT", EX_TEMPFAIL },
	[STATUS_UNAVAILABLE] = { "UNAVAILABLE", EX_UNAVAILABLE },
	[STATUS_INVALID] = { "INVALID", EX_USAGE },
	[STATUS_OS] = { "OS", EX_OSERR },
	[STATUS_INTERNAL] = { "INTERNAL", EX_SOFTWARE },
};

const char *
status_name(enum status s)
{
	return statuses[s].name;
}

int
status_exit(enum status s)
{
	return statuses[s].code;
}
