/* SPDX-License-Identifier: ISC */
#ifndef VFIOBROKER_SOURCES_H
#define VFIOBROKER_SOURCES_H

/*
 * The policy's files on their way from the monitor's child, which may read
 * them, to the loader, which may not: items in a sealed memfd, each with a name
 * and a text behind it.
 */

#include <stdint.h>

enum sources_kind {
	SOURCES_FILE = 1, /* name: its path; text: what is in it */
	SOURCES_WRONG, /* name: a path; text: why it is no good */
};

struct sources_item {
	uint32_t kind;
	uint32_t name_len; /* with the NUL */
	uint32_t text_len; /* no NUL */
};

#endif
