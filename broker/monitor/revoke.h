/* SPDX-License-Identifier: ISC */
#ifndef VFIOBROKER_REVOKE_H
#define VFIOBROKER_REVOKE_H

struct session;

/*
 * Serves MON_REVOKE for an administrator: asks the holder, waits, reports.
 * Kills nobody: VFIO fds can not be taken back, only asked for.
 */
void revoke_start(struct session *, const void *record);

/* The session that waited for the report is gone. */
void revoke_forget(const struct session *);

#endif
