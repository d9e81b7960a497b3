/* SPDX-License-Identifier: ISC */
#ifndef VFIOBROKER_RUNDIR_H
#define VFIOBROKER_RUNDIR_H

#include <stddef.h>
#include <sys/types.h>

#include "broker/common/bdf.h"

/*
 * The broker's directory, /run/vfiobroker: devices/ (records), leases/,
 * empty/ (the sessions' root) and the lock file.  All but the socket and
 * empty/ are 0700 or 0600 root.
 */
enum rundir {
	RUNDIR_DEVICES,
	RUNDIR_LEASES,
	RUNDIR_EMPTY,
	RUNDIR_COUNT,
};

/*
 * Makes and opens the directories and locks the whole for this process.
 * -EBUSY when another broker has it.
 */
int rundir_open(const char *path);

/* The path of a directory below, as given to rundir_open(). */
const char *rundir_path(enum rundir);

int rundir_dirfd(enum rundir);

/* Atomically: a temporary name, then rename. */
int rundir_replace(enum rundir, const char *name, const char *text, size_t len);

/* The whole file, as file_read(). */
ssize_t rundir_read(enum rundir, const char *name, char *buf, size_t len);

int rundir_remove(enum rundir, const char *name);

/* Temporary names that a dead broker left are removed on the way. */
int
rundir_each(enum rundir, void (*each)(void *arg, const char *name), void *arg);

/* The fds that a worker needs of all this; how many. */
#define RUNDIR_FDS_MAX (RUNDIR_COUNT + 1)
size_t rundir_fds(int fds[RUNDIR_FDS_MAX]);

/*
 * A worker's mark, by which the next broker knows that the worker of a dead
 * one still runs: a byte of the lock file per device, locked by process.
 */
int rundir_mark_worker(const struct bdf *);

/* The pid of another broker's worker on this device, 0 for none. */
pid_t rundir_worker_of(const struct bdf *);

#endif
