/* SPDX-License-Identifier: ISC */
#ifndef VFIOBROKER_TEXTS_H
#define VFIOBROKER_TEXTS_H

#include <bsd/sys/queue.h>

#include "broker/common/monmsg.h"

struct session;

/* Sentences for a person, collected until it is clear that they are wanted; each
 * with what would mend it behind a newline: see session_text(). */
struct text {
	STAILQ_ENTRY(text) entry;
	enum mon_text_kind kind;
	char text[];
};

STAILQ_HEAD(texts, text);

/* A sentence that finds no memory is left out, with a line in the log. */
void texts_add(struct texts *, enum mon_text_kind, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* Sends all, in order. */
void texts_send(const struct texts *, struct session *);

void texts_clear(struct texts *);

#endif
