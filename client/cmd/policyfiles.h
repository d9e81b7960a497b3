/* SPDX-License-Identifier: ISC */
#ifndef VFIOBROKER_CMD_POLICYFILES_H
#define VFIOBROKER_CMD_POLICYFILES_H

/* Policy files in memory, for `policy check`. */

#include <stddef.h>

#include "policy/parse/load.h"

#define POLICYFILES_DIR "/etc/vfiobroker"

struct policyfiles {
	size_t n;
	struct policy_source *v;
};

/*
 * Reads one file, of which the broker would have to bear the size.  Returns
 * EX_OK, or the status to exit with after the message.
 */
int policyfiles_read(struct policyfiles *, const char *name);

/*
 * Reads policy.conf and what ends in .conf in policy.d as the broker does, and
 * says what the broker would refuse: EX_CONFIG, but EX_NOINPUT for what only
 * the caller may not read.
 */
int policyfiles_read_all(struct policyfiles *, const char *dir);

void policyfiles_free(struct policyfiles *);

/* Line number `line` of a source, *len without its end; NULL if none. */
const char *policyfiles_line(
    const struct policyfiles *, const char *name, unsigned line, size_t *len);

#endif
