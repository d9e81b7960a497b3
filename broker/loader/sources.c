/* SPDX-License-Identifier: ISC */
/*
 * Collects the policy's files.  Called by main.c, once, while it may read what
 * only root can; must not look into what it reads.
 */

#include "sources.h"

#include <string.h>

#include "policyfile.h"

static void
add_file(void *arg, const char *path, char *text, size_t len)
{
	struct sources *s = arg;
	struct policy_source *file = &s->files[s->n];

	*file = (struct policy_source){ strdup(path), text, len };
	if (file->name == NULL)
		s->wrong(s->arg, path, "no memory for its name");
	else
		s->n++;
}

static void
add_wrong(void *arg, const char *path, int err, const char *what)
{
	struct sources *s = arg;

	(void)err;
	s->wrong(s->arg, path, what);
}

void
sources_read(struct sources *s, const char *main, const char *dir)
{
	struct policyfile_reader r = {
		.file = add_file, .wrong = add_wrong, .arg = s
	};

	policyfile_read_all(&r, main, dir);
}
