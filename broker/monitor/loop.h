/* SPDX-License-Identifier: ISC */
#ifndef VFIOBROKER_LOOP_H
#define VFIOBROKER_LOOP_H

/* The one event loop of the monitor. Nothing that it calls may block. */

#include <event2/event.h>

#include <stdint.h>

extern struct event_base *loop_base;

int loop_init(void);

/*
 * Makes *ev call fn(arg) on the events of fd (EV_READ|EV_PERSIST, or -1 and 0
 * for a timer that is not yet running).  0 or -ENOMEM.
 */
int loop_event(
    struct event **ev, int fd, short what, void (*fn)(void *arg), void *arg);

/* (Re)starts a timer made by loop_event(). */
void loop_timer(struct event *ev, unsigned ms);

/* Frees and forgets; NULL is fine. */
void loop_free(struct event **ev);

/* CLOCK_MONOTONIC in microseconds: for durations. */
uint64_t clock_us(void);

/* CLOCK_REALTIME in microseconds: for people. */
uint64_t clock_wall_us(void);

#endif
