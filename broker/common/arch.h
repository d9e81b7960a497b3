/* SPDX-License-Identifier: ISC */
#ifndef VFIOBROKER_ARCH_H
#define VFIOBROKER_ARCH_H

/*
 * The machine that a filter of system calls is written for, as seccomp names it
 * (linux/audit.h).  All of them are little-endian, on which the filters rely: they
 * look at the low words of arguments.
 */

#include <linux/audit.h>

#if defined(__x86_64__)
#define FILTER_ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define FILTER_ARCH AUDIT_ARCH_AARCH64
#elif defined(__powerpc64__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define FILTER_ARCH AUDIT_ARCH_PPC64LE
#elif defined(__riscv) && __riscv_xlen == 64
#define FILTER_ARCH AUDIT_ARCH_RISCV64
#else
#error "say the audit architecture of this machine here"
#endif

#endif
