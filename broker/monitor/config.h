/* SPDX-License-Identifier: ISC */
#ifndef VFIOBROKER_CONFIG_H
#define VFIOBROKER_CONFIG_H

#include <sys/types.h>

/*
 * What the command line said.  Filled once by main(), read by all; paths are
 * the administrator's, never a client's.
 */
struct config {
	const char *socket; /* listening socket */
	const char *rundir; /* leases/, devices/, empty/, lock */
	const char *policy; /* policy.conf; policy.d/ beside it */
	const char *policy_dir;
	const char *session; /* the session program */
	const char *policy_program; /* the policy's compiler */
	const char *guard_program; /* looks what the host uses */
	const char *user; /* whom these three run as */
	const char
	    *sysroot; /* "" but in tests: in front of /sys, /proc, /dev */
	unsigned worker_timeout; /* seconds until a device counts as wedged */
	unsigned policy_timeout; /* seconds until the compiler is killed */
	uid_t session_uid;
	gid_t session_gid;
};

extern struct config config;

#endif
