/* SPDX-License-Identifier: ISC */
#ifndef VFIOBROKER_CHECK_PART_H
#define VFIOBROKER_CHECK_PART_H

/* What the files of check_run() have from each other. */

#include "check.h"

/* The first status counts; sentences are added for all. */
void check_refuse(struct check *, enum status);

/* Refuses as busy: who has it, or what it waits for. */
void check_busy(struct check *, const struct device *);

/* check_group.c: siblings join the members, or stand in the way. */
void check_groups(struct check *);

/* A driver that leaves DMA to whoever owns the group, or none. */
bool check_neutral(const char *driver);

/* check_host.c: reasons against each member that the host still has, once they
 * have been looked at. */
void check_guard(struct check *);

/* A VF for which taking this PF away would wait for ever, or NULL. */
const struct device *check_stuck_vf(const struct device *pf);

#endif
