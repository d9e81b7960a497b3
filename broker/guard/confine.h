/* SPDX-License-Identifier: ISC */
#ifndef VFIOBROKER_GUARD_CONFINE_H
#define VFIOBROKER_GUARD_CONFINE_H

#include <stdbool.h>

/*
 * Bounds what this process can do from here on, and puts its capabilities
 * aside.  0 or -errno: then it must do nothing.
 */
int confine(void);

/* Takes them up again, or gives them up for good.  0 or -errno. */
int confine_capabilities(bool keep);

#endif
