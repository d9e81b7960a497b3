/* SPDX-License-Identifier: ISC */
#ifndef VFIOBROKER_EXPLAIN_H
#define VFIOBROKER_EXPLAIN_H

struct session;

/* Serves MON_EXPLAIN: what would acquire do, and why?  Answers when the host has
 * been looked at. */
void explain_request(struct session *, const void *record);

/* The session is gone. */
void explain_forget(const struct session *);

#endif
