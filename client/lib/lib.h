/* SPDX-License-Identifier: ISC */
#ifndef VFIOBROKER_LIB_H
#define VFIOBROKER_LIB_H

/*
 * Inside libvfiobroker: the handle and what its files share.  Functions
 * return what the public ones return, and have set the error when it is not 0.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vfiobroker.pb-c.h"

/* The library is compiled with everything hidden but this. */
#pragma GCC visibility push(default)
#include "../vfiobroker.h"
#pragma GCC visibility pop

#define LIB_EVENTS_MAX 64 /* kept while other answers are awaited */

struct vfiobroker {
	int fd; /* -1: not, or no more, connected */
	char *path;
	uint32_t id; /* of the last request */
	struct vfiobroker_welcome welcome;
	char *broker; /* what welcome.broker points to */
	char *error; /* NULL: see lib_error.c */
	bool nomem; /* not even the error could be kept */
	char *lines; /* of the texts, one behind the other */
	size_t lines_len;
	struct vfiobroker_text *texts;
	size_t ntexts;
	bool text_open; /* the last text goes on */
	struct vfiobroker_event *events; /* a ring */
	size_t nevents;
	size_t first_event;
};

/* ---- lib_error.c ------------------------------------------------------ */

void lib_error_clear(struct vfiobroker *);

/* Keeps the sentence and returns r. */
int lib_fail(struct vfiobroker *, int r, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* Disconnects: the broker did not keep to the protocol.  Returns -EPROTO. */
int lib_fail_protocol(struct vfiobroker *, const char *what);

/* The error of a refusal, from the texts that came with it. */
int lib_fail_refused(struct vfiobroker *, enum vfiobroker_status);

/* ---- lib_text.c ------------------------------------------------------- */

void lib_texts_clear(struct vfiobroker *);

/* Returns 0, -ENOMEM, or -EPROTO for a text that makes no sense. */
int lib_texts_add(struct vfiobroker *, const Vfiobroker__Reply *);

/* The answer is complete: the texts may be looked at. */
void lib_texts_finish(struct vfiobroker *);

/* Copies a string of a reply; -EPROTO when the struct has no room for it. */
int lib_string(char *to, size_t size, const char *from);

/* Zeroes for NULL; -EPROTO when it is no address. */
int lib_bdf(struct vfiobroker_bdf *to, const Vfiobroker__Bdf *from);

void lib_bdf_fill(Vfiobroker__Bdf *to, const struct vfiobroker_bdf *from);

/* ---- open.c ----------------------------------------------------------- */

/* Disconnects; may be called twice. */
void lib_hang_up(struct vfiobroker *);

/* ---- lib_call.c ------------------------------------------------------- */

/*
 * Called for each reply with a body.  fds are the nfds that came with it; the
 * function takes one by setting its entry to -1.  Returns 0, -ENOMEM, or
 * -EPROTO for what does not belong there.
 */
struct lib_items {
	int (*add)(void *arg, const Vfiobroker__Reply *, int *fds, size_t nfds);
	void *arg;
};

/*
 * Sends the request (its id is set here), with pidfd unless that is -1, and
 * receives the whole answer.  items NULL: none are expected.
 */
int lib_call(struct vfiobroker *, Vfiobroker__Request *, int pidfd,
    const struct lib_items *items);

/* Receives one reply that must be an event. */
int lib_recv_event(struct vfiobroker *, struct vfiobroker_event *);

/* ---- lib_event.c ------------------------------------------------------ */

/* Returns 0 or -EPROTO. */
int lib_event(struct vfiobroker_event *to, const Vfiobroker__Event *from);

/* Keeps the event for later; the oldest makes room. */
void lib_event_queue(struct vfiobroker *, const struct vfiobroker_event *);

#endif
