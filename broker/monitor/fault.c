/* SPDX-License-Identifier: ISC */
/*
 * Test builds only: dying at a point.  $VFIOBROKER_FAULT names it; with
 * $VFIOBROKER_FAULT_MARK=FILE the first process to get there makes the file
 * and later passes go by, so that the restarted broker lives.  A worker kills
 * the monitor, its parent, and dies with it.
 */

#ifdef VFIOBROKER_FAULTS

#include "fault.h"

#include <bsd/string.h>

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

extern const struct fault_point __start_fault_points[];
extern const struct fault_point __stop_fault_points[];

static pid_t monitor;
static char last_record[64];

static void __attribute__((constructor)) fault_init(void)
{
	monitor = getpid();
}

void
fault_reached(const char *name)
{
	const char *want = getenv("VFIOBROKER_FAULT");
	const char *mark = getenv("VFIOBROKER_FAULT_MARK");
	char composed[128];

	/* Inside a record's write, the point belongs to that record. */
	if (strcmp(name, "replace:written") == 0 && last_record[0] != '\0') {
		snprintf(composed, sizeof(composed), "record:%s:written",
		    last_record);
		name = composed;
	}
	if (want == NULL || strcmp(want, name) != 0)
		return;
	if (mark != NULL && open(mark, O_CREAT | O_EXCL | O_WRONLY, 0600) == -1)
		return;
	if (getpid() != monitor)
		kill(monitor, SIGKILL);
	kill(getpid(), SIGKILL);
}

void
fault_reached_record(const char *step, const char *when)
{
	char name[128];

	snprintf(name, sizeof(name), "record:%s:%s", step, when);
	if (strcmp(when, "before") == 0)
		strlcpy(last_record, step, sizeof(last_record));
	else
		last_record[0] = '\0';
	fault_reached(name);
}

void
fault_reached_step(const char *step, const char *when)
{
	char name[128];

	snprintf(name, sizeof(name), "step:%s:%s", step, when);
	fault_reached(name);
}

void
fault_list(void)
{
	static const char *const own[] = { "ready", "leased", "quarantined" };
	const struct fault_point *p;

	for (p = __start_fault_points; p < __stop_fault_points; p++)
		printf("%s\n", p->name);
	for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++)
		printf("record:%s:before\nrecord:%s:written\n"
		       "record:%s:after\n",
		    own[i], own[i], own[i]);
	printf("record:remove:before\nrecord:remove:after\n");
}

#endif
