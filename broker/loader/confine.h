/* SPDX-License-Identifier: ISC */
#ifndef VFIOBROKER_LOADER_CONFINE_H
#define VFIOBROKER_LOADER_CONFINE_H

/* Leaves what the loader has no use for; 0 or -errno. */
int confine(void);

/*
 * And the right to read any file, which it has had for the policy's, for good.
 * 0 or -errno: then it must not parse.
 */
int confine_to_parse(void);

#endif
