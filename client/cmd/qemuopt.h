/* SPDX-License-Identifier: ISC */
#ifndef VFIOBROKER_CMD_QEMUOPT_H
#define VFIOBROKER_CMD_QEMUOPT_H

/* QEMU's "first,key=value,..." and its sizes. */

#include <stdint.h>

/*
 * Cuts the next element out of *cursor, in place, ",," being a comma, and
 * splits it at its first '='.  Returns the key, and *value (NULL without '=');
 * NULL when nothing is left.
 */
char *qemuopt_next(char **cursor, char **value);

/*
 * A size as QEMU reads it: a decimal number, a fraction allowed when a suffix
 * B, K, M, G, T, P or E follows, or a hexadecimal number.  A number without a
 * suffix counts units of `unit` bytes.  Returns 0 or -EINVAL.
 */
int qemuopt_size(const char *, uint64_t unit, uint64_t *out);

#endif
