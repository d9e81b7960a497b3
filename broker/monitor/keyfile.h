/* SPDX-License-Identifier: ISC */
#ifndef VFIOBROKER_KEYFILE_H
#define VFIOBROKER_KEYFILE_H

#include <stdbool.h>
#include <stddef.h>

/*
 * The text form of records and leases: a magic line, "key value" lines in the
 * order of a table, "end".  Strict, because a file that was cut off or edited
 * must not be believed in part.
 */
enum keyfile_type {
	KEY_NUMBER, /* that fits the field; of a bool "0" or "1" */
	KEY_BDF,
	KEY_NAME, /* of a driver or a step: no '/' */
	KEY_TEXT, /* for people */
};

/* Of texts, "" is written as "-": nothing at all could be a cut-off one. */
struct keyfile_key {
	const char *name; /* NULL ends the table */
	enum keyfile_type type;
	size_t offset; /* of the field in the object */
	size_t size; /* of the field */
	bool added; /* later: files of older builds lack it, it is zero then */
};

#define KEYFILE_KEY(n, t, object, member)                                     \
	{                                                                     \
		.name = (n), .type = (t), .offset = offsetof(object, member), \
		.size = sizeof(((object *)NULL)->member)                      \
	}
#define KEYFILE_ADDED(n, t, object, member)                                   \
	{                                                                     \
		.name = (n), .type = (t), .offset = offsetof(object, member), \
		.size = sizeof(((object *)NULL)->member), .added = true       \
	}

/* Returns the length, below len; 0 when there is no room. */
size_t keyfile_format(char *buf, size_t len, const char *magic,
    const struct keyfile_key *, const void *object);

/*
 * Fills the object's fields.  Lines after the last key of the table and before
 * "end" are an error.  0 or -EBADMSG; the object may be half filled then.
 */
int keyfile_parse(const char *text, size_t len, const char *magic,
    const struct keyfile_key *, void *object);

#endif
