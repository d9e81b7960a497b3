/* SPDX-License-Identifier: ISC */
#ifndef VFIOBROKER_LOADER_CONFINE_H
#define VFIOBROKER_LOADER_CONFINE_H

/* Leaves what the loader has no use for; 0 or -errno. */
int confine(void);

#endif
