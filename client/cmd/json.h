/* SPDX-License-Identifier: ISC */
#ifndef VFIOBROKER_CMD_JSON_H
#define VFIOBROKER_CMD_JSON_H

/* What --json prints.  docs/vfiobroker.1 has the contract. */

#include <jansson.h>

#include "client/vfiobroker.h"

/* A new object with "schema": "vfiobroker.<thing>/1". */
json_t *json_answer(const char *thing);

/* Prints an object and frees it; returns an exit status. */
int json_print(json_t *);
/* The same as one line, flushed: for watch. */
int json_print_line(json_t *);

json_t *json_bdf(const struct vfiobroker_bdf *);
json_t *json_device(const struct vfiobroker_device *);
json_t *json_lease(const struct vfiobroker_lease *);
json_t *json_event(const struct vfiobroker_event *);

/* A lease's number as text: it may be wider than a double; 0 is null. */
json_t *json_lease_id(uint64_t);
/* null for "". */
json_t *json_text(const char *);

/*
 * JSON is UTF-8, and a file's name need not be: a byte that is none comes as
 * the four characters \xff.
 */
json_t *json_visible(const char *);

#endif
