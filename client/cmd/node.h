/* SPDX-License-Identifier: ISC */
#ifndef VFIOBROKER_CMD_NODE_H
#define VFIOBROKER_CMD_NODE_H

/* Which node of VFIO a path means. */

#include <stdbool.h>
#include <stddef.h>

enum node_kind {
	NODE_NONE,
	NODE_CONTAINER, /* <dir>/vfio/vfio */
	NODE_GROUP, /* <dir>/vfio/<number> */
	NODE_IOMMUFD, /* <dir>/iommu */
	NODE_CDEV, /* <dir>/vfio/devices/vfio<number> */
};

struct node {
	enum node_kind kind;
	int number; /* -1 where the kind has none */
};

/* The node that an absolute path means, dots and double slashes aside; dir is
 * "/dev". */
struct node node_of_path(const char *dir, const char *path);

/* Whether a path could mean one at all, by its last component. */
bool node_is_possible(const char *path);

#endif
