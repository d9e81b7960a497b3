/* SPDX-License-Identifier: ISC */
#ifndef VFIOBROKER_KEYFILE_H
#define VFIOBROKER_KEYFILE_H

#include <stddef.h>

/*
 * The text form of records and leases: a magic line, "key value" lines in the
 * order of a table, "end".  Strict, because a file that was cut off or edited
 * must not be believed in part.
 */
struct keyfile_key {
	const char *name; /* NULL ends the table */
	size_t offset; /* of the field in the object */
	int (*set)(void *field, const char *value); /* 0 or -EINVAL */
};

/*
 * Fills the object's fields.  Lines after the last key of the table and before
 * "end" are an error.  0 or -EBADMSG; the object may be half filled then.
 */
int keyfile_parse(const char *text, size_t len, const char *magic,
    const struct keyfile_key *, void *object);

int keyfile_set_u64(void *field, const char *value);
int keyfile_set_bool(void *field, const char *value);

#endif
