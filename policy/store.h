/* SPDX-License-Identifier: ISC */
#ifndef VFIOBROKER_POLICY_STORE_H
#define VFIOBROKER_POLICY_STORE_H

/* A policy while it grows. */

#include "model.h"

/* Lines that are added from now on stand in this file; 0 or -ENOMEM. */
int policy_add_file(struct policy *, const char *name);

/* Appends a line on which nothing is given yet; 0 or -ENOMEM. */
int policy_add_line(
    struct policy *, unsigned source, unsigned line, struct policy_rule **out);

/* Makes the line's pool known; -EEXIST: *first has its name, or -ENOMEM. */
int policy_add_pool(
    struct policy *, struct policy_rule *, const struct policy_rule **first);

#endif
