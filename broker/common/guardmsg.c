/* SPDX-License-Identifier: ISC */
/* See guardmsg.h.  Pure; the writer is less trusted than who reads. */

#include "guardmsg.h"

#include "monrule.h"
#include "reason.h"

#define ERRNO_MAX 4095

bool
guardmsg_check(const struct guardmsg *m, uint32_t device)
{
	if (m->device != device || !monrule_text(m->what, sizeof(m->what)))
		return false;
	if (m->reason == REASON_COUNT)
		return m->error <= 0 && m->error >= -ERRNO_MAX &&
		       m->what[0] == '\0';
	return m->reason < REASON_COUNT && m->error == 0;
}
