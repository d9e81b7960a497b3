/* SPDX-License-Identifier: ISC */
/* See guardmsg.h.  Pure; the writer is less trusted than who reads. */

#include "guardmsg.h"

#include "reason.h"

#define ERRNO_MAX 4095

static bool
what_ok(const char *what)
{
	unsigned n = 0;

	while (n < GUARDMSG_WHAT_MAX && what[n] >= ' ' && what[n] <= '~')
		n++;
	if (n == GUARDMSG_WHAT_MAX)
		return false;
	while (n < GUARDMSG_WHAT_MAX && what[n] == '\0')
		n++;
	return n == GUARDMSG_WHAT_MAX;
}

bool
guardmsg_check(const struct guardmsg *m, uint32_t device)
{
	if (m->device != device || !what_ok(m->what))
		return false;
	if (m->reason == REASON_COUNT)
		return m->error <= 0 && m->error >= -ERRNO_MAX &&
		       m->what[0] == '\0';
	return m->reason < REASON_COUNT && m->error == 0;
}
