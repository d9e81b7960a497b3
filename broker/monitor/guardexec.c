/* SPDX-License-Identifier: ISC */
/*
 * fork and exec of vfiobroker-guard for hostuse.c.  The only capabilities that
 * anything of the broker's but the monitor has are given here: to see which
 * files the processes of others have open.  Must never execute it as root.
 */

#include "guardexec.h"

#include "broker/common/guardmsg.h"
#include "child.h"
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <string.h>
#include <unistd.h>

#define CAPS (1ULL << CAP_SYS_PTRACE | 1ULL << CAP_DAC_READ_SEARCH)

/* Its command line: see broker/guard/main.c. */
static void __attribute__((noreturn))
child_main(int out, const struct bdf *bdfs, size_t n)
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

int
guardexec(pid_t *pid, int *fd, const struct bdf *bdfs, size_t n)
{
	int fds[2], r = 0;
	pid_t child;

	if (pipe2(fds, O_CLOEXEC) == -1)
		return -errno;
	child = fork();
	if (child == 0)
		child_main(fds[1], bdfs, n);
	if (child == -1 || fcntl(fds[0], F_SETFL, O_NONBLOCK) == -1)
		r = -errno;
	close(fds[1]);
	if (child > 0)
		*pid = child;
	*fd = fds[0];
	return r;
}
