/* SPDX-License-Identifier: ISC */
/* See texts.h.  Called by the checks, which run more often than they speak. */

#include "texts.h"

#include "broker/common/log.h"
#include "session.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void
texts_add(struct texts *texts, enum mon_text_kind kind, const char *fmt, ...)
{
	char buf[2048];
	struct text *t;
	va_list ap;
	size_t len;

	va_start(ap, fmt);
	vsnprintf(buf, sizeof(buf), fmt, ap);
	va_end(ap);
	len = strlen(buf) + 1;
	t = malloc(sizeof(*t) + len);
	if (t == NULL) {
		log_warn("no memory to say: %s", buf);
		return;
	}
	t->kind = kind;
	memcpy(t->text, buf, len);
	STAILQ_INSERT_TAIL(texts, t, entry);
}

void
texts_send(const struct texts *texts, struct session *s)
{
	const struct text *t;

	STAILQ_FOREACH(t, texts, entry)
		session_text(s, t->kind, t->text);
}

void
texts_clear(struct texts *texts)
{
	struct text *t;

	while ((t = STAILQ_FIRST(texts)) != NULL) {
		STAILQ_REMOVE_HEAD(texts, entry);
		free(t);
	}
}
