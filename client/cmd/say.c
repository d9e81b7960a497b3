/* SPDX-License-Identifier: ISC */
/*
 * Messages and colour.  Called by every subcommand, and by the supervisor, so
 * a message is one write(2): lines of two processes never mix.  Must never
 * write to stdout, which belongs to the answer.
 */

#include "say.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "client/vfiobroker.h"
#include "username.h"

#define SAY_MAX 8192

/* Appends each line of text with the prefix; cuts what does not fit. */
static size_t
prefix_lines(char *out, size_t size, const char *text)
{
	FILE *f = fmemopen(out, size, "w");
	long len = 0;

	if (f == NULL)
		return 0;
	while (*text != '\0') {
		size_t n = strcspn(text, "\n");

		fprintf(f, "vfiobroker: %.*s\n", (int)n, text);
		text += n + (text[n] == '\n');
	}
	if (fflush(f) == 0)
		len = ftell(f);
	fclose(f);
	return len > 0 ? (size_t)len : 0;
}

static void
say_text(const char *text)
{
	char out[SAY_MAX];
	size_t len = prefix_lines(out, sizeof(out), text);

	/* Nothing can be done about a stderr that does not take it. */
	if (write(STDERR_FILENO, out, len) < 0)
		return;
}

void
say(const char *fmt, ...)
{
	char text[SAY_MAX / 2];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	say_text(text);
}

int
say_usage(const char *name, const char *fmt, ...)
{
	char text[SAY_MAX / 2];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	say("%s\n  'vfiobroker%s%s --help' shows how it is used", text,
	    name[0] == '\0' ? "" : " ", name);
	return EX_USAGE;
}

int
say_oserr(int err, const char *what)
{
	say("%s: %s", what, strerror(err));
	return EX_OSERR;
}

int
say_refusal(const struct vfiobroker *broker, int r)
{
	char text[SAY_MAX];
	if (broker == NULL)
		return say_oserr(-r, "cannot ask the broker");
	say_text(username_expand(vfiobroker_error(broker), text, sizeof(text)));
	return vfiobroker_exit_status(r);
}

static const char *const escapes[COLOUR_COUNT] = {
	[COLOUR_NONE] = "",
	[COLOUR_GOOD] = "\033[32m",
	[COLOUR_WAIT] = "\033[33m",
	[COLOUR_BAD] = "\033[1;31m",
	[COLOUR_FAINT] = "\033[2m",
};

/* Asked for every cell of a table, so the answer is kept. */
bool
colour_wanted(FILE *f)
{
	static const FILE *known;
	static bool wanted;
	const char *no;

	if (f == known)
		return wanted;
	no = getenv("NO_COLOR");
	known = f;
	wanted = (no == NULL || no[0] == '\0') && isatty(fileno(f)) == 1;
	return wanted;
}

const char *
colour_start(FILE *f, enum colour colour)
{
	return colour_wanted(f) ? escapes[colour] : "";
}

const char *
colour_end(FILE *f, enum colour colour)
{
	return colour != COLOUR_NONE && colour_wanted(f) ? "\033[0m" : "";
}

enum colour
colour_of_state(const char *state)
{
	static const struct {
		const char *state;
		enum colour colour;
	} colours[] = {
		{ "host", COLOUR_NONE },
		{ "ready", COLOUR_GOOD },
		{ "leased", COLOUR_GOOD },
		{ "claiming", COLOUR_WAIT },
		{ "draining", COLOUR_WAIT },
		{ "resetting", COLOUR_WAIT },
		{ "restoring", COLOUR_WAIT },
		{ "quarantined", COLOUR_BAD },
		{ "wedged", COLOUR_BAD },
		{ "gone", COLOUR_FAINT },
	};

	for (size_t i = 0; i < sizeof(colours) / sizeof(colours[0]); i++)
		if (strcmp(colours[i].state, state) == 0)
			return colours[i].colour;
	return COLOUR_NONE;
}
