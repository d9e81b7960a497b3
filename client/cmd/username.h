/* SPDX-License-Identifier: ISC */
#ifndef VFIOBROKER_CMD_USERNAME_H
#define VFIOBROKER_CMD_USERNAME_H

#include <stddef.h>

/*
 * Writes text to out with a name behind each "uid N" that has one: "uid 1000
 * (alice)".  The broker itself asks no name service, so it says numbers.
 * Cut at size; returns out.
 */
char *username_expand(const char *text, char *out, size_t size);

#endif
