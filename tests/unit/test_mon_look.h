/* SPDX-License-Identifier: ISC */
#ifndef VFIOBROKER_TESTS_TEST_MON_LOOK_H
#define VFIOBROKER_TESTS_TEST_MON_LOOK_H

/*
 * Looks at the host without vfiobroker-guard: in place of all functions of
 * hostuse.h, so that the linker takes none of them.  A look is answered when the
 * loop runs next, by what look_finds() of the test says then.
 */

#include <event2/event.h>

#include <stdlib.h>
#include <string.h>

#include "broker/monitor/device.h"
#include "broker/monitor/hostuse.h"
#include "broker/monitor/loop.h"

#define LOOK_MAX 64

#define CHECK_LOOK(condition)     \
	do {                      \
		if (!(condition)) \
			abort();  \
	} while (0)

/* The test's: what the host needs the device for; 0 or -errno. */
static int look_finds(const struct bdf *,
    void (*found)(void *arg, enum reason, const char *what), void *arg);

struct hostuse {
	TAILQ_ENTRY(hostuse) entry;
	struct bdf bdfs[LOOK_MAX];
	size_t n;
	struct event *answer;
	bool is_done;
	void (*done)(void *);
	void *arg;
};

static TAILQ_HEAD(, hostuse) host_looks = TAILQ_HEAD_INITIALIZER(host_looks);

static inline void
hostuse_answer(void *arg)
{
	struct hostuse *l = arg;

	l->is_done = true;
	l->done(l->arg);
}

struct hostuse *
hostuse_look(uid_t uid, const struct bdf *bdfs, size_t n, void (*done)(void *),
    void *arg)
{
	struct hostuse *l = calloc(1, sizeof(*l));

	(void)uid;
	CHECK_LOOK(n > 0 && n <= LOOK_MAX);
	memcpy(l->bdfs, bdfs, n * sizeof(*bdfs));
	l->n = n;
	l->done = done;
	l->arg = arg;
	TAILQ_INSERT_TAIL(&host_looks, l, entry);
	CHECK_LOOK(loop_event(&l->answer, -1, 0, hostuse_answer, l) == 0);
	event_active(l->answer, EV_TIMEOUT, 0);
	return l;
}

bool
hostuse_done(const struct hostuse *l)
{
	return l->is_done;
}

bool
hostuse_knows(const struct hostuse *l, const struct bdf *bdf)
{
	if (l == NULL || !l->is_done)
		return false;
	for (size_t i = 0; i < l->n; i++)
		if (bdf_cmp(&l->bdfs[i], bdf) == 0)
			return true;
	return false;
}

int
hostuse_each(const struct hostuse *l, const struct bdf *bdf,
    void (*found)(void *, enum reason, const char *), void *arg)
{
	CHECK_LOOK(hostuse_knows(l, bdf));
	return look_finds(bdf, found, arg);
}

void
hostuse_drop(struct hostuse **look)
{
	if (*look == NULL)
		return;
	TAILQ_REMOVE(&host_looks, *look, entry);
	loop_free(&(*look)->answer);
	free(*look);
	*look = NULL;
}

void
hostuse_forget(const struct bdf *bdf)
{
	struct hostuse *l;

	TAILQ_FOREACH(l, &host_looks, entry)
		for (size_t i = 0; i < l->n; i++)
			if (bdf_cmp(&l->bdfs[i], bdf) == 0)
				l->bdfs[i] = l->bdfs[--l->n];
}

bool
hostuse_reaped(pid_t pid)
{
	(void)pid;
	return false;
}

#endif
