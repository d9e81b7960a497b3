/* SPDX-License-Identifier: ISC */
/*
 * The loader's box, called by main.c before it reads anything, and again before
 * it looks into what it has read.
 *
 * No empty root and no filter of system calls: NSS opens its own configuration
 * and whatever libraries that names, reads files, asks daemons through sockets,
 * and some of its modules start threads.  What they need is not for us to know.
 */

#include "confine.h"

#include "../box/box.h"

/*
 * Should: leave room for the largest policy and any name service.
 * Shouldn't: limit RLIMIT_NPROC, since all sessions count there too.
 */
static const struct box_limit limits[] = {
	{ RLIMIT_CORE, 0 },
	{ RLIMIT_MEMLOCK, 0 },
	{ RLIMIT_MSGQUEUE, 0 },
	{ RLIMIT_NOFILE, 256 },
	{ RLIMIT_STACK, 8UL << 20 },
	{ RLIMIT_AS, 1UL << 30 },
	{ RLIMIT_CPU, 60 },
};

int
confine(void)
{
	return box_enter(limits, sizeof(limits) / sizeof(limits[0]));
}

int
confine_to_parse(void)
{
	return box_capabilities(false, false);
}
