/* SPDX-License-Identifier: ISC */
/*
 * exec of vfiobroker-guard for hostuse.c.  What it gets of root are two
 * capabilities, to see which files the processes of others have open.  Must
 * never execute it as root.
 */

#include "guardexec.h"

#include "broker/common/guardmsg.h"
#include "child.h"
#include "config.h"

#include <linux/capability.h>
#include <string.h>

#define CAPS (1ULL << CAP_SYS_PTRACE | 1ULL << CAP_DAC_READ_SEARCH)

/* Its command line: see broker/guard/main.c. */
void
guardexec(int out, const struct bdf *bdfs, size_t n)
{
	char name[] = "vfiobroker-guard";
	char names[GUARDMSG_DEVICES_MAX][BDF_STRLEN];
	char *argv[GUARDMSG_DEVICES_MAX + 3] = { name, strdup(config.sysroot) };

	for (size_t i = 0; i < n; i++) {
		argv[i + 2] = names[i];
		bdf_format(&bdfs[i], names[i]);
	}
	child_execute(config.guard_program, argv, out, CAPS);
}
