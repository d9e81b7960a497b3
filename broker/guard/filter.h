/* SPDX-License-Identifier: ISC */
#ifndef VFIOBROKER_GUARD_FILTER_H
#define VFIOBROKER_GUARD_FILTER_H

/* From here on this process can read files, ask for the kernel's addresses,
 * write to what it has open, and end.  0 or -errno. */
int filter_install(void);

#endif
