/* SPDX-License-Identifier: ISC */
#ifndef VFIOBROKER_CMD_FILTER_H
#define VFIOBROKER_CMD_FILTER_H

/*
 * Puts the calling thread, and all it will become or fork, under a seccomp
 * filter that asks a listener about opens for reading and writing.  Sets
 * no_new_privs.  Returns the listener (close-on-exec) or -errno: -EBUSY when
 * another listener is there already.
 */
int filter_install(void);

#endif
