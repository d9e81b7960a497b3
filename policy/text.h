/* SPDX-License-Identifier: ISC */
#ifndef VFIOBROKER_POLICY_TEXT_H
#define VFIOBROKER_POLICY_TEXT_H

/* A string that grows in a buffer of fixed size, not 0, and is cut there. */

#include <stddef.h>

struct text {
	char *buf;
	size_t size;
	size_t len;
};

struct text text_in(char *buf, size_t size);
void text_add(struct text *, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

#endif
