/* SPDX-License-Identifier: ISC */
/*
 * The sources as they come from the monitor's child.  Called by main.c, once.
 * The texts stay where they are: a sealed file can not change below us.
 */

#include "sources.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "../common/sources.h"

/* What is left of it. */
struct cursor {
	const char *at;
	size_t len;
};

struct item {
	struct sources_item head;
	const char *name;
	const char *text;
};

/* 1: the next item. 0: the end. -EBADMSG when it is cut off. */
static int
item_next(struct cursor *c, struct item *out)
{
	size_t size = sizeof(out->head);

	if (c->len == 0)
		return 0;
	if (c->len < size)
		return -EBADMSG;
	memcpy(&out->head, c->at, size);
	size += (size_t)out->head.name_len + out->head.text_len;
	if (size > c->len || out->head.name_len == 0)
		return -EBADMSG;
	out->name = c->at + sizeof(out->head);
	out->text = out->name + out->head.name_len;
	if (out->text[-1] != '\0')
		return -EBADMSG;
	c->at += size;
	c->len -= size;
	return 1;
}

static int
map_file(int fd, struct cursor *out)
{
	struct stat st;
	void *map;

	if (fstat(fd, &st) == -1)
		return -errno;
	out->len = (size_t)st.st_size;
	if (out->len == 0)
		return 0;
	map = mmap(NULL, out->len, PROT_READ, MAP_PRIVATE, fd, 0);
	if (map == MAP_FAILED)
		return -errno;
	out->at = map;
	return 0;
}

int
sources_read(struct sources *s, int fd,
    void (*wrong)(void *arg, const char *path, const char *why), void *arg)
{
	struct cursor c = { "", 0 };
	struct item i;
	char why[256];
	int r = map_file(fd, &c);

	s->n = 0;
	if (r != 0)
		return r;
	while ((r = item_next(&c, &i)) == 1) {
		if (i.head.kind == SOURCES_FILE) {
			if (s->n == POLICY_FILES_MAX)
				return -EBADMSG;
			s->files[s->n++] = (struct policy_source){ i.name,
				i.text, i.head.text_len };
		} else {
			snprintf(why, sizeof(why), "%.*s", (int)i.head.text_len,
			    i.text);
			wrong(arg, i.name, why);
		}
	}
	return r;
}
