/* SPDX-License-Identifier: ISC */
/*
 * exec of vfiobroker-policy for policyload.c.  What it gets of root is to read
 * files that others can not, which it gives up before it looks into them.  Must
 * never execute it as root.
 */

#include "policyexec.h"

#include "child.h"
#include "config.h"

#include <linux/capability.h>
#include <string.h>

/* Its command line: see broker/loader/main.c. */
void
policyexec(int out)
{
	char name[] = "vfiobroker-policy";
	char *argv[] = { name, strdup(config.policy), strdup(config.policy_dir),
		NULL };

	child_execute(
	    config.policy_program, argv, out, 1ULL << CAP_DAC_READ_SEARCH);
}
