/* SPDX-License-Identifier: ISC */
/*
 * Thin ground under libevent: allocation failures come back as -ENOMEM, a
 * failing epoll is our own fault and fatal.
 */

#include "loop.h"

#include "broker/common/log.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct event_base *loop_base;

int
loop_init(void)
{
	loop_base = event_base_new();
	return loop_base == NULL ? -ENOMEM : 0;
}

/* Who is called knows its descriptor, and asked for one kind of event. */
struct call {
	void (*fn)(void *);
	void *arg;
};

static void
call(evutil_socket_t fd, short what, void *arg)
{
	const struct call *c = arg;

	(void)fd;
	(void)what;
	c->fn(c->arg); /* may free it */
}

int
loop_event(struct event **ev, int fd, short what, void (*fn)(void *), void *arg)
{
	struct call *c = malloc(sizeof(*c));

	*ev = c == NULL ? NULL : event_new(loop_base, fd, what, call, c);
	if (*ev == NULL) {
		free(c);
		return -ENOMEM;
	}
	*c = (struct call){ fn, arg };
	if (what != 0 && event_add(*ev, NULL) != 0) {
		loop_free(ev);
		return -ENOMEM;
	}
	return 0;
}

void
loop_timer(struct event *ev, unsigned ms)
{
	struct timeval tv = { .tv_sec = ms / 1000,
		.tv_usec = (suseconds_t)(ms % 1000) * 1000 };

	if (event_add(ev, &tv) != 0)
		log_fatal("cannot start a timer: %s", strerror(errno));
}

void
loop_free(struct event **ev)
{
	void *c;

	if (*ev == NULL)
		return;
	c = event_get_callback_arg(*ev);
	event_free(*ev);
	free(c);
	*ev = NULL;
}

static uint64_t
clock_read(clockid_t id)
{
	struct timespec ts;

	if (clock_gettime(id, &ts) != 0)
		log_fatal("clock_gettime: %s", strerror(errno));
	return (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000;
}

uint64_t
clock_us(void)
{
	return clock_read(CLOCK_MONOTONIC);
}

uint64_t
clock_wall_us(void)
{
	return clock_read(CLOCK_REALTIME);
}
