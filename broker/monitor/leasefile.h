/* SPDX-License-Identifier: ISC */
#ifndef VFIOBROKER_LEASEFILE_H
#define VFIOBROKER_LEASEFILE_H

#include <stddef.h>
#include <stdint.h>

struct lease;

/* "42", or "42.ended"; in a static buffer. */
const char *leasefile_name(const struct lease *);

/* Text form of the file, and its strict reading (0 or -EBADMSG). */
#define LEASE_TEXT_MAX 512
size_t lease_format(const struct lease *, char *buf, size_t len);
int lease_parse(const char *text, size_t len, struct lease *out);

/* A new file; 0 or -errno, like all of these. */
int leasefile_write(const struct lease *);

/* An open file of its own each time: a flock belongs to the open file. */
int leasefile_open(const struct lease *);

/*
 * In place: a new file would not be the one that is locked.  One write of a
 * text that can only grow is whole or not there.
 */
int leasefile_rewrite(const struct lease *);

/* Over, and its file says so: no restart takes it for one that lives. */
int leasefile_end(struct lease *);

int leasefile_remove(const struct lease *);

/* What a file of this name says; -EBADMSG when it is none. */
int leasefile_read(const char *name, struct lease *out);

/* The first number of this life of the broker. */
int leasefile_sequence(uint64_t *first);

#endif
