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

/* The number a group's node is called by, or -1. */
static int
group_number(const char *name)
{
	size_t n = strspn(name, "0123456789");
	long number;

	if (n == 0 || n > 9 || name[n] != '\0' || (name[0] == '0' && n > 1))
		return -1;
	number = strtol(name, NULL, 10);
	return (int)number;
}

bool
node_is_possible(const char *path)
{
	const char *slash = strrchr(path, '/');
	const char *name = slash != NULL ? slash + 1 : path;

	return strcmp(name, "vfio") == 0 || group_number(name) >= 0;
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
	struct node node = { .kind = NODE_NONE, .group = -1 };
	char plain[NODE_PATH_MAX];
	size_t len = strlen(dir);

	if (path[0] != '/' || strlen(path) >= sizeof(plain) ||
	    !node_is_possible(path))
		return node;
	normalise(path, plain);
	if (strncmp(plain, dir, len) != 0 || plain[len] != '/')
		return node;
	node.group = group_number(plain + len + 1);
	if (node.group >= 0)
		node.kind = NODE_GROUP;
	else if (strcmp(plain + len + 1, "vfio") == 0)
		node.kind = NODE_CONTAINER;
	return node;
}
