/* SPDX-License-Identifier: ISC */
/*
 * Test builds only: dying at a point.  $VFIOBROKER_FAULT names it, NAME or
 * NAME#N for its Nth visit.  With $VFIOBROKER_FAULT_MARK=FILE nothing happens
 * and no visit counts while the file is there, and who dies makes it first, so
 * that the restarted broker lives.  A worker kills the monitor, its parent, and
 * dies with it.  $VFIOBROKER_FAULT_TRACE=FILE gets a line for every visit.
 */

#ifndef VFIOBROKER_FAULTS
#define VFIOBROKER_FAULTS /* whoever looks at this file alone */
#endif
#include "broker/monitor/fault.h"

#include <bsd/string.h>

#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

extern const struct fault_point __start_fault_points[];
extern const struct fault_point __stop_fault_points[];

static pid_t monitor;
static char last_record[64];
static unsigned *visits; /* shared with the workers */

static void __attribute__((constructor)) fault_init(void)
{
	monitor = getpid();
	visits = mmap(NULL, sizeof(*visits), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (visits == MAP_FAILED)
		abort();
}

static void
trace(const char *name)
{
	const char *path = getenv("VFIOBROKER_FAULT_TRACE");
	int fd =
	    path == NULL
		? -1
		: open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);

	if (fd == -1)
		return;
	dprintf(fd, "%s\n", name);
	close(fd);
}

static bool
is_meant(const char *name)
{
	const char *want = getenv("VFIOBROKER_FAULT");
	size_t n = strlen(name);
	unsigned visit = 1;

	if (want == NULL || strncmp(want, name, n) != 0)
		return false;
	if (want[n] == '#')
		visit = (unsigned)strtoul(want + n + 1, NULL, 10);
	else if (want[n] != '\0')
		return false;
	return __atomic_add_fetch(visits, 1, __ATOMIC_SEQ_CST) == visit;
}

void
fault_reached(const char *name)
{
	const char *mark = getenv("VFIOBROKER_FAULT_MARK");
	char composed[128];

	/* Inside a record's write, the point belongs to that record. */
	if (strcmp(name, "replace:written") == 0 && last_record[0] != '\0') {
		snprintf(composed, sizeof(composed), "record:%s:written",
		    last_record);
		name = composed;
	}
	trace(name);
	if ((mark != NULL && access(mark, F_OK) == 0) || !is_meant(name))
		return;
	if (mark != NULL)
		close(open(mark, O_CREAT | O_WRONLY, 0600));
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
