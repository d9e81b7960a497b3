/* SPDX-License-Identifier: ISC */
#ifndef VFIOBROKER_POLICY_VALUES_H
#define VFIOBROKER_POLICY_VALUES_H

/* The values of the language as they are written, for every type. */

#include "../value.h"

/* -EINVAL: not of that form; -ERANGE: does not fit.  *out as it was, then. */
int value_read(enum value_type, const char *word, uint64_t *out);
void value_write(struct text *, enum value_type, uint64_t);
const char *value_what(enum value_type); /* "a number" */

#endif
