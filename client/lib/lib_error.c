/* SPDX-License-Identifier: ISC */
/*
 * Failures as sentences, and as exit statuses.  Used by every call of the
 * library.  Must never fail itself: without memory there is still a sentence.
 */

#include "lib.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "../../broker/common/status.h"

void
lib_error_clear(struct vfiobroker *h)
{
	free(h->error);
	h->error = NULL;
	h->nomem = false;
}

int
lib_fail(struct vfiobroker *h, int r, const char *fmt, ...)
{
	va_list ap;
	char *s;

	lib_error_clear(h);
	va_start(ap, fmt);
	if (vasprintf(&s, fmt, ap) >= 0)
		h->error = s;
	else
		h->nomem = true;
	va_end(ap);
	return r;
}

int
lib_fail_protocol(struct vfiobroker *h, const char *what)
{
	lib_hang_up(h);
	return lib_fail(h, -EPROTO,
	    "the broker at %s sent %s\n"
	    "  is this the broker's socket, and of the same version?",
	    h->path, what);
}

/* Why, and behind it what would mend it, a line each. */
static void
refusal_print(const struct vfiobroker *h, FILE *f)
{
	bool first = true;

	for (size_t i = 0; i < h->ntexts; i++) {
		const struct vfiobroker_text *t = &h->texts[i];

		if (t->kind != VFIOBROKER_TEXT_WHY &&
		    t->kind != VFIOBROKER_TEXT_FIX)
			continue;
		fprintf(f, "%s%s%s", first ? "" : "\n",
		    t->kind == VFIOBROKER_TEXT_FIX ? "  " : "", t->text);
		first = false;
	}
}

int
lib_fail_refused(struct vfiobroker *h, enum vfiobroker_status status)
{
	char *s = NULL;
	size_t len = 0;
	FILE *f;

	lib_error_clear(h);
	f = open_memstream(&s, &len);
	if (f == NULL) {
		h->nomem = true;
		return (int)status;
	}
	refusal_print(h, f);
	if (fclose(f) != 0) {
		free(s);
		h->nomem = true;
		return (int)status;
	}
	if (len > 0) {
		h->error = s;
		return (int)status;
	}
	free(s);
	return lib_fail(h, (int)status, "the broker refused it: %s",
	    status_name((enum status)status));
}

const char *
vfiobroker_error(const struct vfiobroker *h)
{
	if (h == NULL || h->nomem)
		return "out of memory";
	return h->error != NULL ? h->error : "no error";
}

static const struct {
	int error;
	int status;
} exits[] = {
	/* Nobody there, or no more. */
	{ -ENOENT, EX_UNAVAILABLE },
	{ -ECONNREFUSED, EX_UNAVAILABLE },
	{ -EACCES, EX_UNAVAILABLE },
	{ -EPROTOTYPE, EX_UNAVAILABLE },
	{ -EAGAIN, EX_UNAVAILABLE },
	{ -ECONNRESET, EX_UNAVAILABLE },
	{ -ENOTCONN, EX_UNAVAILABLE },
	/* Somebody, but no broker of ours. */
	{ -EPROTO, EX_PROTOCOL },
	{ -EINVAL, EX_USAGE },
	{ -EMSGSIZE, EX_USAGE },
	{ -ENAMETOOLONG, EX_USAGE },
};

int
vfiobroker_exit_status(int r)
{
	if (r >= 0 && r < STATUS_COUNT)
		return status_exit((enum status)r);
	for (size_t i = 0; i < sizeof(exits) / sizeof(exits[0]); i++)
		if (exits[i].error == r)
			return exits[i].status;
	return r > 0 ? EX_SOFTWARE : EX_OSERR;
}
