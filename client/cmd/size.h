/* SPDX-License-Identifier: ISC */
#ifndef VFIOBROKER_CMD_SIZE_H
#define VFIOBROKER_CMD_SIZE_H

/* Sizes in bytes as people write them: 4096, 64M, 2G. */

#include <stddef.h>
#include <stdint.h>

#define SIZE_STRLEN sizeof("18446744073709551615K")

/*
 * Digits and at most one suffix K, M, G, T or P (also in lower case), powers
 * of 1024.  Returns 0, -EINVAL, or -ERANGE when it does not fit.
 */
int size_parse(const char *, uint64_t *out);

/* With the largest suffix that leaves no remainder; returns buf. */
char *size_format(uint64_t, char buf[SIZE_STRLEN]);

#endif
