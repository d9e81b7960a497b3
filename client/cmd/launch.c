/* SPDX-License-Identifier: ISC */
/*
 * The last steps before this process is another program.  Called by `exec`
 * and `run`.  Must never let through a descriptor that was not meant.
 */

#include "launch.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "say.h"

#define LAUNCH_FIRST 3 /* SD_LISTEN_FDS_START */
#define LAUNCH_MAX (2 + VFIOBROKER_MAX_DEVICES)
#define LAUNCH_EXIT_NOT_FOUND 127 /* as shells do */
#define LAUNCH_EXIT_NO_EXEC 126

struct passed {
	int n;
	int *from[LAUNCH_MAX];
	char names[LAUNCH_MAX * sizeof("device-ffffffff.ff.1f.7:")];
};

static void __attribute__((format(printf, 3, 4)))
passed_add(struct passed *p, int *fd, const char *fmt, ...)
{
	size_t len = strlen(p->names);
	va_list ap;

	if (*fd == -1)
		return;
	p->from[p->n++] = fd;
	if (len > 0)
		p->names[len++] = ':';
	va_start(ap, fmt);
	vsnprintf(p->names + len, sizeof(p->names) - len, fmt, ap);
	va_end(ap);
}

/* The colons of an address separate names here: dots instead. */
static void
passed_add_cdev(struct passed *p, int *fd, const struct vfiobroker_bdf *b)
{
	passed_add(p, fd, "device-%04x.%02x.%02x.%x", b->domain, b->bus, b->dev,
	    b->fn);
}

/*
 * First all go out of the way, then each to its place: otherwise one could
 * land on another that is yet to move.
 */
static int
passed_move(struct passed *p)
{
	int fd;

	for (int i = 0; i < p->n; i++) {
		fd = fcntl(
		    *p->from[i], F_DUPFD_CLOEXEC, LAUNCH_FIRST + LAUNCH_MAX);
		if (fd == -1)
			return -errno;
		close(*p->from[i]);
		*p->from[i] = fd;
	}
	for (int i = 0; i < p->n; i++) {
		if (dup2(*p->from[i], LAUNCH_FIRST + i) == -1)
			return -errno;
		close(*p->from[i]);
		*p->from[i] = -1;
	}
	return 0;
}

static int
passed_announce(const struct passed *p)
{
	char pid[16], n[16];

	snprintf(pid, sizeof(pid), "%d", (int)getpid());
	snprintf(n, sizeof(n), "%d", p->n);
	if (setenv("LISTEN_PID", pid, 1) != 0 ||
	    setenv("LISTEN_FDS", n, 1) != 0 ||
	    setenv("LISTEN_FDNAMES", p->names, 1) != 0)
		return -errno;
	return 0;
}

int
launch_pass_fds(struct vfiobroker_grant *grant)
{
	struct passed p = { .n = 0 };
	int r;

	passed_add(&p, &grant->leasefd, "lease");
	passed_add(&p, &grant->containerfd, "container");
	passed_add(&p, &grant->iommufd, "iommufd");
	for (size_t i = 0; i < grant->ngroups; i++)
		passed_add(&p, &grant->groups[i].fd, "group-%d",
		    grant->groups[i].group);
	for (size_t i = 0; i < grant->ncdevs; i++)
		passed_add_cdev(
		    &p, &grant->cdevs[i].fd, &grant->cdevs[i].device);
	r = passed_move(&p);
	return r != 0 ? r : passed_announce(&p);
}

int
launch_exec(char *const argv[])
{
	int err;

	fflush(NULL);
	execvp(argv[0], argv);
	err = errno;
	if (err == ENOENT) {
		say("cannot find the program '%s'; is it installed and in "
		    "PATH?",
		    argv[0]);
		return LAUNCH_EXIT_NOT_FOUND;
	}
	say("cannot execute '%s': %s; is it a program, and may you run it?",
	    argv[0], strerror(err));
	return LAUNCH_EXIT_NO_EXEC;
}
