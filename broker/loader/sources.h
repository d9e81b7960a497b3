/* SPDX-License-Identifier: ISC */
#ifndef VFIOBROKER_LOADER_SOURCES_H
#define VFIOBROKER_LOADER_SOURCES_H

#include "../../policy/parse/load.h"

/* The policy's files; the memory is the process's to its end. */
struct sources {
	struct policy_source files[POLICY_FILES_MAX];
	size_t n;
	/* Called for each file that is no good. */
	void (*wrong)(void *arg, const char *path, const char *why);
	void *arg;
};

/* Reads the main file and those in dir, and looks into none. */
void sources_read(struct sources *, const char *main, const char *dir);

#endif
