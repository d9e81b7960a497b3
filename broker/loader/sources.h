/* SPDX-License-Identifier: ISC */
#ifndef VFIOBROKER_LOADER_SOURCES_H
#define VFIOBROKER_LOADER_SOURCES_H

#include "../../policy/parse/load.h"

/* What the monitor's child read; the memory is the process's to its end. */
struct sources {
	struct policy_source files[POLICY_FILES_MAX];
	size_t n;
};

/*
 * Takes the items of broker/common/sources.h from a file; calls wrong() for
 * each file that is no good.  0, -EBADMSG or what mapping it says.
 */
int sources_read(struct sources *, int fd,
    void (*wrong)(void *arg, const char *path, const char *why), void *arg);

#endif
