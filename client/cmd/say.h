/* SPDX-License-Identifier: ISC */
#ifndef VFIOBROKER_CMD_SAY_H
#define VFIOBROKER_CMD_SAY_H

/*
 * Words for the person at the terminal: messages on stderr, each line behind
 * "vfiobroker: ", and colour where it helps.
 */

#include <stdbool.h>
#include <stdio.h>

struct vfiobroker;

/* One message; lines are separated by \n, the last needs none. */
void say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Says why and how `vfiobroker NAME --help` helps.  Returns EX_USAGE. */
int say_usage(const char *name, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* Says "what: strerror(err)".  Returns EX_OSERR. */
int say_oserr(int err, const char *what);

/* Says what the library has to say of result r; returns its exit status. */
int say_refusal(const struct vfiobroker *, int r);

enum colour {
	COLOUR_NONE,
	COLOUR_GOOD,
	COLOUR_WAIT,
	COLOUR_BAD,
	COLOUR_FAINT,
	COLOUR_COUNT,
};

/* Whether the stream is a terminal whose owner wants colour. */
bool colour_wanted(FILE *);

/* The escape sequences to start and end a colour, "" where not wanted. */
const char *colour_start(FILE *, enum colour);
const char *colour_end(FILE *, enum colour);

/* The colour of a device's state by its name. */
enum colour colour_of_state(const char *state);

#endif
