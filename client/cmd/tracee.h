/* SPDX-License-Identifier: ISC */
#ifndef VFIOBROKER_CMD_TRACEE_H
#define VFIOBROKER_CMD_TRACEE_H

/* Reading another process of the same user. */

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Exactly len bytes, or -errno. */
int tracee_read(pid_t, uint64_t address, void *buf, size_t len);

/*
 * A NUL-terminated string of less than size bytes; reads no page beyond the
 * one that ends it or size.  0, -ENAMETOOLONG, or -errno.
 */
int tracee_read_string(pid_t, uint64_t address, char *buf, size_t size);

/* The directory that a relative path of an openat(dirfd, ...) starts from. */
int tracee_directory(pid_t, int dirfd, char *buf, size_t size);

#endif
