/* SPDX-License-Identifier: ISC */
#ifndef VFIOBROKER_CMD_TABLE_H
#define VFIOBROKER_CMD_TABLE_H

/* Text in columns that are as wide as they need to be. */

#include <stddef.h>
#include <stdio.h>

#include "say.h"

#define TABLE_COLUMNS 8

struct table;

/* heads are ncolumns static texts.  Exits with EX_OSERR without memory. */
struct table *table_new(const char *const *heads, size_t ncolumns);
void table_free(struct table *);

/* Sets the next cell, row by row; the text is copied. */
void table_cell(struct table *, enum colour, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

void table_print(const struct table *, FILE *);

#endif
