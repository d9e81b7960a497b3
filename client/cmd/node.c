/* SPDX-License-Identifier: ISC */
/*
 * From paths to nodes.  Pure; called by notify.c for every open it is asked
 * about, so the common answer, "none of ours", comes first and cheaply.
 * Symbolic links are not followed: a program that hides a node behind one
 * opens it with its own rights.
 */

#include "node.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NODE_PATH_MAX 1024

/* The number a node is called by, or -1. */
static int
node_number(const char *name)
{
	size_t n = strspn(name, "0123456789");
	long number;

	if (n == 0 || n > 9 || name[n] != '\0' || (name[0] == '0' && n > 1))
		return -1;
	number = strtol(name, NULL, 10);
	return (int)number;
}

/* Below the directory: all of the path, or its beginning and then a number. */
static const struct {
	const char *prefix;
	bool numbered;
	enum node_kind kind;
} nodes[] = {
	{ "vfio/vfio", false, NODE_CONTAINER },
	{ "vfio/", true, NODE_GROUP },
	{ "iommu", false, NODE_IOMMUFD },
	{ "vfio/devices/vfio", true, NODE_CDEV },
};

bool
node_is_possible(const char *path)
{
	const char *slash = strrchr(path, '/');
	const char *name = slash != NULL ? slash + 1 : path;

	return strncmp(name, "vfio", 4) == 0 || strcmp(name, "iommu") == 0 ||
	       node_number(name) >= 0;
}

static bool
node_read(struct node *node, const char *rest)
{
	for (size_t i = 0; i < sizeof(nodes) / sizeof(nodes[0]); i++) {
		size_t len = strlen(nodes[i].prefix);

		if (strncmp(rest, nodes[i].prefix, len) != 0)
			continue;
		node->kind = nodes[i].kind;
		node->number = nodes[i].numbered ? node_number(rest + len) : -1;
		if (nodes[i].numbered ? node->number >= 0 : rest[len] == '\0')
			return true;
	}
	return false;
}

/* Removes the last component from out, which is "" or starts with a slash. */
static size_t
drop_component(const char *out, size_t len)
{
	while (len > 0 && out[--len] != '/')
		;
	return len;
}

/* "/dev//vfio/./x/../7" becomes "/dev/vfio/7".  out is as large as path. */
static void
normalise(const char *path, char *out)
{
	size_t len = 0;

	while (*path != '\0') {
		size_t n;

		path += strspn(path, "/");
		n = strcspn(path, "/");
		if (n == 2 && path[0] == '.' && path[1] == '.') {
			len = drop_component(out, len);
		} else if (n > 0 && !(n == 1 && path[0] == '.')) {
			out[len++] = '/';
			memcpy(out + len, path, n);
			len += n;
		}
		path += n;
	}
	out[len] = '\0';
}

struct node
node_of_path(const char *dir, const char *path)
{
	static const struct node none = { .kind = NODE_NONE, .number = -1 };
	struct node node = none;
	char plain[NODE_PATH_MAX];
	size_t len = strlen(dir);

	if (path[0] != '/' || strlen(path) >= sizeof(plain) ||
	    !node_is_possible(path))
		return none;
	normalise(path, plain);
	if (strncmp(plain, dir, len) != 0 || plain[len] != '/')
		return none;
	return node_read(&node, plain + len + 1) ? node : none;
}
