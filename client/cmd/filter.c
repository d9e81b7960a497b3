/* SPDX-License-Identifier: ISC */
/*
 * The BPF program.  Called once by supervise.c in the process that is about to
 * become the VMM.
 *
 * A filter sees numbers, not paths.  VFIO's nodes are of use only when opened
 * O_RDWR, which is in the arguments of open and openat, so the many opens that
 * only read (libraries, firmware, sysfs) never leave the kernel; openat2 keeps
 * its flags in memory and is always asked about.  System calls of another
 * architecture are let through: they open what the program may open itself.
 */

#include "filter.h"

#include "broker/common/arch.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
#define SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV (1UL << 5)
#endif

/* The low word of an argument; all the machines above are little-endian. */
#define ARGUMENT(n) (offsetof(struct seccomp_data, args) + 8 * (n))

/* On system call nr: asks when argument n has O_RDWR, else allows. */
#define ASK_IF_RDWR(nr, n)                                     \
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (nr), 0, 5),       \
	    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, ARGUMENT(n)),   \
	    BPF_STMT(BPF_ALU | BPF_AND | BPF_K, O_ACCMODE),    \
	    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, O_RDWR, 0, 1), \
	    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF), \
	    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)

static struct sock_filter program[] = {
	BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, FILTER_ARCH, 1, 0),
	BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
	ASK_IF_RDWR(__NR_openat, 2),
#ifdef __NR_open
	ASK_IF_RDWR(__NR_open, 1),
#endif
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_openat2, 0, 1),
	BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF),
	BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
};

static int
install(unsigned long flags)
{
	const struct sock_fprog prog = {
		.len = sizeof(program) / sizeof(program[0]),
		.filter = program,
	};
	long fd = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &prog);

	return fd < 0 ? -errno : (int)fd;
}

int
filter_install(void)
{
	int fd;

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		return -errno;
	/* Without it (Linux < 5.19) a signal makes the open start again. */
	fd = install(SECCOMP_FILTER_FLAG_NEW_LISTENER |
		     SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV);
	if (fd == -EINVAL)
		fd = install(SECCOMP_FILTER_FLAG_NEW_LISTENER);
	return fd;
}
