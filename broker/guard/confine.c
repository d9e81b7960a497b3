/* SPDX-License-Identifier: ISC */
/*
 * The guard's box, called by main.c before it reads anything.  What can be left
 * of root are two capabilities, to see which files the processes of others have
 * open.  Must not let them stay where they are of no use: without the filter
 * (filter.c) they would be enough to become root again.
 */

#include "confine.h"

#include "../box/box.h"

static const struct box_limit limits[] = {
	{ RLIMIT_CORE, 0 },
	{ RLIMIT_MEMLOCK, 0 },
	{ RLIMIT_MSGQUEUE, 0 },
	{ RLIMIT_NPROC, 0 }, /* of this one: the sessions are no matter */
	{ RLIMIT_NOFILE, 64 },
	{ RLIMIT_STACK, 8UL << 20 },
	{ RLIMIT_AS, 256UL << 20 },
	{ RLIMIT_CPU, 60 },
};

int
confine(void)
{
	int r = box_enter(limits, sizeof(limits) / sizeof(limits[0]));

	return r != 0 ? r : box_capabilities(true, false);
}

int
confine_capabilities(bool keep)
{
	return box_capabilities(keep, keep);
}
