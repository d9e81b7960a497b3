/* SPDX-License-Identifier: ISC */
#ifndef VFIOBROKER_POLICY_WRITE_H
#define VFIOBROKER_POLICY_WRITE_H

#include "draft.h"
#include "load.h"

/* Writes a draft without an error in the compiled form; 0 or -EIO. */
int draft_write(const struct draft *, const struct policy_source *sources,
    size_t nsources, FILE *);

#endif
