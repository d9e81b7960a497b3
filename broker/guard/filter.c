/* SPDX-License-Identifier: ISC */
/*
 * The guard's system calls, called once by main.c when all else is in place.
 * What the guard may see, CAP_SYS_PTRACE would also let it change: by ptrace(2),
 * or by a /proc/PID/mem that it opened to write.  Must not let either through.
 * What is not listed does not exist, so that a C library that tries something
 * newer falls back to what is.
 */

#include "filter.h"

#include "broker/common/arch.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>

/* The low word of an argument; all the machines above are little-endian. */
#define ARGUMENT(n) \
	(offsetof(struct seccomp_data, args) + sizeof(uint64_t) * (n))

#define ALLOW(nr)                                      \
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, nr, 0, 1), \
	    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)

/* Where those bits of argument n are that value. */
#define ALLOW_IF(nr, n, bits, value)                          \
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, nr, 0, 5),        \
	    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, ARGUMENT(n)),  \
	    BPF_STMT(BPF_ALU | BPF_AND | BPF_K, bits),        \
	    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 0, 1), \
	    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),     \
	    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM)

static struct sock_filter program[] = {
	BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, FILTER_ARCH, 1, 0),
	BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
	BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
	ALLOW_IF(SYS_openat, 2, O_ACCMODE | O_CREAT | O_TRUNC, O_RDONLY),
	ALLOW(SYS_read),
	ALLOW(SYS_close),
	ALLOW(SYS_readlinkat),
	ALLOW(SYS_faccessat),
	ALLOW(SYS_faccessat2),
	ALLOW(SYS_getdents64),
	ALLOW(SYS_newfstatat),
	ALLOW(SYS_fstat),
	ALLOW(SYS_fcntl),
	ALLOW(SYS_lseek),
	/* The kernel's addresses. */
	ALLOW_IF(SYS_socket, 0, UINT32_MAX, AF_NETLINK),
	ALLOW(SYS_sendto),
	ALLOW(SYS_recvfrom),
	/* The answer, and the log. */
	ALLOW(SYS_write),
	/* Memory. */
	ALLOW(SYS_brk),
	ALLOW(SYS_mmap),
	ALLOW(SYS_mremap),
	ALLOW(SYS_munmap),
	ALLOW(SYS_getrandom),
	ALLOW(SYS_exit_group),
	BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
};

int
filter_install(void)
{
	const struct sock_fprog prog = {
		.len = sizeof(program) / sizeof(program[0]),
		.filter = program,
	};

	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog) != 0)
		return -errno;
	return 0;
}
