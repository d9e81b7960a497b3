/* SPDX-License-Identifier: ISC */
#ifndef VFIOBROKER_HOSTUSE_H
#define VFIOBROKER_HOSTUSE_H

/*
 * What the host uses devices for: a look at them by vfiobroker-guard, which is
 * no part of this process and not root.  A look belongs to who asked for it and
 * is as old as his question at most; nobody gets another's.
 */

#include <sys/types.h>

#include <stdbool.h>
#include <stddef.h>

#include "broker/common/bdf.h"
#include "broker/common/reason.h"

struct hostuse;

#define HOSTUSE_POLICY UINT32_MAX /* for a claim line, and no user */

/*
 * Starts a look for a user, or has it wait until fewer run, of his or in all.
 * Later, and not before this returns, calls done(arg) once: the answer is there,
 * or will not come in time.  Drops no look by itself.  NULL: no memory.
 */
struct hostuse *hostuse_look(
    uid_t, const struct bdf *, size_t n, void (*done)(void *arg), void *arg);

/* Whether done() was called. */
bool hostuse_done(const struct hostuse *);

/* Whether there is an answer about this one; NULL has none. */
bool hostuse_knows(const struct hostuse *, const struct bdf *);

/*
 * Calls found() for each reason why the host should keep the device, tolerable
 * or not.  0: that is all of them.  -errno: it can not be told whether there are
 * more.  hostuse_knows() it.
 */
int hostuse_each(const struct hostuse *, const struct bdf *,
    void (*found)(void *arg, enum reason, const char *what), void *arg);

/* Ends it and forgets it, also from within its done(); NULL is fine. */
void hostuse_drop(struct hostuse **);

/* The device has left: what comes at its address is another. */
void hostuse_forget(const struct bdf *);

/* For SIGCHLD: true when the pid was a look's. */
bool hostuse_reaped(pid_t);

#endif
