/* SPDX-License-Identifier: ISC */
#ifndef VFIOBROKER_POLICYREAD_H
#define VFIOBROKER_POLICYREAD_H

#include <stdint.h>

/*
 * What the loader's child sends: items, each with a name (NUL included) and a
 * text behind it.
 */
enum bundle_kind {
	BUNDLE_SOURCE = 1, /* name: the file; text: what is in it */
	BUNDLE_USER, /* name resolved to id */
	BUNDLE_GROUP,
	BUNDLE_ERROR, /* name: where; text: what is wrong */
};

struct bundle_item {
	uint32_t kind;
	uint32_t id;
	uint32_t name_len;
	uint32_t text_len;
};

/* In the child: reads everything and writes the bundle to fd. 0 or -errno. */
int policyread_bundle(int fd);

#endif
