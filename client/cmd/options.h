/* SPDX-License-Identifier: ISC */
#ifndef VFIOBROKER_CMD_OPTIONS_H
#define VFIOBROKER_CMD_OPTIONS_H

/*
 * Subcommands and their options as tables; the help is printed from the same
 * tables, so it can not lie.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "client/vfiobroker.h"

/* A word after `vfiobroker`; name may be two ("policy check"). */
struct command {
	const char *name;
	const char *operands; /* behind the options in the usage line */
	const char *summary;
	const char *help; /* some sentences and an example */
	int (*run)(const struct command *, int argc, char **argv);
	bool wraps; /* operands are a command: options end before it */
};

/*
 * Stores a value (NULL for an option without) at `to`.  Returns NULL, or
 * what is wrong with the value: a static text, or a text in buf.
 */
#define OPTION_ERROR_MAX 200
struct option_spec {
	const char *name; /* without the dashes; NULL ends the table */
	const char *metavar; /* NULL: takes no value */
	const char *help;
	const char *(*set)(
	    void *to, const char *value, char buf[OPTION_ERROR_MAX]);
	void *to;
};

struct device_list {
	size_t n;
	struct vfiobroker_bdf v[VFIOBROKER_MAX_DEVICES];
};

const char *option_flag(void *to, const char *, char *); /* bool */
const char *option_text(void *to, const char *, char *); /* const char * */
const char *option_size(void *to, const char *, char *); /* uint64_t */
const char *option_device(void *to, const char *, char *); /* device_list */
const char *option_seconds(void *to, const char *, char *); /* unsigned, ms */

/* Adds a device that is not in the list yet.  0 or -E2BIG. */
int device_list_add(struct device_list *, const struct vfiobroker_bdf *);

/*
 * Reads the options of a command; argv[0] is the command's last word.  What is
 * left of argv are operands: *argc of them, at argv[0] on.  Returns OPTIONS_OK,
 * or the status to exit with, after having printed the help or the error.
 */
#define OPTIONS_OK (-1)
int options_read(const struct command *, const struct option_spec *, int *argc,
    char ***argv);

#endif
