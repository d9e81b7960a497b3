/* SPDX-License-Identifier: ISC */
/*
 * `vfiobroker run`: one word in front of the command that people know.  Reads
 * the devices from QEMU's arguments, takes the lease, starts the supervisor,
 * and becomes the program.  Must never change the program's arguments.
 */

#include "command.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sysexits.h>
#include <unistd.h>

#include "late.h"
#include "launch.h"
#include "qemuargs.h"
#include "say.h"
#include "supervise.h"
#include "take.h"

static const char run[] = "run";

/* Adds to the wish what QEMU's arguments say; EX_OK or EX_USAGE. */
static int
read_program(char **argv, bool memlock_given, struct wish *w)
{
	struct qemu_args q;

	if (qemu_args_read(argv, &q) != 0) {
		say("%s", q.error);
		return EX_USAGE;
	}
	for (size_t i = 0; i < q.devices.n; i++)
		if (device_list_add(&w->devices, &q.devices.v[i]) != 0)
			return say_usage(
			    run, "run: a lease has room for 16 devices");
	if (w->devices.n == 0)
		return say_usage(run,
		    "run: there is no -device vfio-pci,host=... among the "
		    "arguments of %s\n  add one, or say --device BDF before the "
		    "--",
		    argv[0]);
	if (w->iommufd && q.devices.n > 0 && !q.iommufd)
		return say_usage(run,
		    "run: --iommufd, but the devices of %s do not say "
		    "iommufd=\n  add -object iommufd,id=i0 and iommufd=i0 to "
		    "them, or leave --iommufd out",
		    argv[0]);
	w->iommufd = w->iommufd || q.iommufd;
	/* Of a program that is not QEMU nothing is known. */
	if (!memlock_given && (q.devices.n > 0 || qemu_args_is_qemu(argv[0])))
		w->memlock = qemu_args_memlock(&q);
	return EX_OK;
}

/* The fd is the supervision's from here on. */
static void
supervision_add(struct supervision *s, enum node_kind kind, int number, int *fd)
{
	if (*fd == -1)
		return;
	s->nodes[s->nnodes].node.kind = kind;
	s->nodes[s->nnodes].node.number = number;
	s->nodes[s->nnodes++].fd = *fd;
	*fd = -1;
}

/* The kernel counts a cdev's name and its minor by one number (6.6). */
static int
cdev_number(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 ? (int)minor(st.st_rdev) : -1;
}

static struct supervision
supervision_of(struct vfiobroker_grant *grant)
{
	struct supervision s = {
		.dir = "/dev", .lease = grant->lease, .late = late_open
	};

	supervision_add(&s, NODE_CONTAINER, -1, &grant->containerfd);
	supervision_add(&s, NODE_IOMMUFD, -1, &grant->iommufd);
	for (size_t i = 0; i < grant->ngroups; i++)
		supervision_add(&s, NODE_GROUP, grant->groups[i].group,
		    &grant->groups[i].fd);
	for (size_t i = 0; i < grant->ncdevs; i++)
		supervision_add(&s, NODE_CDEV, cdev_number(grant->cdevs[i].fd),
		    &grant->cdevs[i].fd);
	return s;
}

/* From here on the lease lives as long as the program. */
static int
become(struct vfiobroker_grant *grant, char **argv)
{
	struct supervision s = supervision_of(grant);
	int leasefd = grant->leasefd, status;

	/* Out of the grant, or a copy would be closed with it. */
	grant->leasefd = -1;
	status = supervise_start(&s);
	if (status != EX_OK)
		return status;
	if (fcntl(leasefd, F_SETFD, 0) == -1)
		return say_oserr(errno, "cannot pass the lease on");
	return launch_exec(argv);
}

static int
run_program(char **argv, bool memlock_given, struct wish *w)
{
	struct vfiobroker_grant *grant = NULL;
	int r = read_program(argv, memlock_given, w);

	if (r == EX_OK)
		r = take_lease(w, &grant);
	if (r != EX_OK)
		return r;
	r = become(grant, argv);
	vfiobroker_grant_free(grant);
	return r;
}

/* What can not be read may be none of our business. */
static bool
mentions_vfio(char *const argv[])
{
	for (size_t i = 1; argv[0] != NULL && argv[i] != NULL; i++)
		if (strstr(argv[i], "vfio") != NULL ||
		    strstr(argv[i], "pci-assign") != NULL)
			return true;
	return false;
}

int
cmd_run_as(char **argv)
{
	struct wish wish = { .memlock = 0 };
	struct qemu_args q;

	if (!mentions_vfio(argv) ||
	    (qemu_args_read(argv, &q) == 0 && q.devices.n == 0))
		return launch_exec(argv);
	return run_program(argv, false, &wish);
}

int
cmd_run(const struct command *c, int argc, char **argv)
{
	struct wish wish = { .memlock = UINT64_MAX };
	const struct option_spec options[] = {
		{ "device", "BDF", "a device the arguments do not name",
		    option_device, &wish.devices },
		{ "memlock", "SIZE", "instead of what -m says, and 1G",
		    option_size, &wish.memlock },
		{ "iommufd", NULL,
		    "an iommufd and cdevs for a program that is "
		    "not QEMU",
		    option_flag, &wish.iommufd },
		{ "label", "TEXT", "a name for the lease", option_text,
		    &wish.label },
		{ "no-wait", NULL, "do not wait for a device on its way",
		    option_flag, &wish.no_wait },
		{ .name = NULL },
	};
	bool memlock_given;
	int r = options_read(c, options, &argc, &argv);

	if (r != OPTIONS_OK)
		return r;
	if (argc == 0)
		return say_usage(run, "run: the program is missing");
	memlock_given = wish.memlock != UINT64_MAX;
	if (!memlock_given)
		wish.memlock = 0;
	return run_program(argv, memlock_given, &wish);
}
