/* SPDX-License-Identifier: ISC */
#ifndef VFIOBROKER_TEXTS_H
#define VFIOBROKER_TEXTS_H

/*
 * The sentences of an answer, gathered until they fill a Reply.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../common/monmsg.h"

#define TEXTS_MAX 64 /* in one Reply */
#define TEXTS_BYTES 6144 /* leaves room for what encodes them */

struct texts {
	size_t n;
	size_t used; /* bytes of buf */
	struct {
		uint32_t kind; /* enum mon_text_kind */
		bool more; /* the next text goes on with it */
		size_t start; /* in buf, NUL-terminated */
	} items[TEXTS_MAX];
	char buf[TEXTS_BYTES];
};

/*
 * Adds a record, joined to the text before it when that said more.  False when
 * there is no room, which does not happen after texts_room().
 */
bool texts_add(struct texts *, const struct mon_text *);

/* Whether any record can still be added. */
bool texts_room(const struct texts *);

/* A sentence of the session's own; must fit. */
void texts_set(struct texts *, enum mon_text_kind, const char *);

void texts_clear(struct texts *);

#endif
