/* SPDX-License-Identifier: ISC */
/*
 * The loader's child: files and names, sent to the monitor.  Whatever is wrong
 * goes with them, and nothing of the whole is used then.
 */

#include "policyread.h"

#include "config.h"
#include "policyfile.h"
#include "policy/parse/load.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A wrong file is told of, not each of its lines. */
#define ERRORS_MAX 64

struct reading {
	FILE *out;
	unsigned errors; /* in lines */
	struct policy_source sources[POLICY_FILES_MAX];
	size_t n;
};

static void
emit(struct reading *r, enum bundle_kind kind, uint32_t id, const char *name,
    const char *text, size_t len)
{
	struct bundle_item item = { .kind = kind,
		.id = id,
		.name_len = (uint32_t)strlen(name) + 1,
		.text_len = (uint32_t)len };

	/* A failed write shows to the reader as a bundle that is cut off. */
	(void)fwrite(&item, sizeof(item), 1, r->out);
	(void)fwrite(name, item.name_len, 1, r->out);
	if (len > 0)
		(void)fwrite(text, len, 1, r->out);
}

static void
emit_wrong(void *arg, const char *path, int err, const char *what)
{
	char text[256];

	(void)err;
	snprintf(text, sizeof(text), ": %s", what);
	emit(arg, BUNDLE_ERROR, 0, path, text, strlen(text));
}

static void
emit_source(void *arg, const char *path, char *text, size_t len)
{
	struct reading *r = arg;

	emit(r, BUNDLE_SOURCE, 0, path, text, len);
	r->sources[r->n++] = (struct policy_source){
		.name = strdup(path), .text = text, .len = len
	};
}

static int
resolve_user(void *arg, const char *name, uid_t *out)
{
	const struct passwd *pw = getpwnam(name);

	if (pw == NULL)
		return -ENOENT;
	*out = pw->pw_uid;
	emit(arg, BUNDLE_USER, pw->pw_uid, name, NULL, 0);
	return 0;
}

static int
resolve_group(void *arg, const char *name, gid_t *out)
{
	const struct group *gr = getgrnam(name);

	if (gr == NULL)
		return -ENOENT;
	*out = gr->gr_gid;
	emit(arg, BUNDLE_GROUP, gr->gr_gid, name, NULL, 0);
	return 0;
}

static void
report(void *arg, const struct policy_error *e)
{
	struct reading *r = arg;
	char text[256];

	if (++r->errors > ERRORS_MAX)
		return;
	snprintf(text, sizeof(text), ":%u:%u: %s", e->line, e->column, e->text);
	emit(r, BUNDLE_ERROR, 0, e->file, text, strlen(text));
}

int
policyread_bundle(int fd)
{
	struct reading *r = calloc(1, sizeof(*r));
	struct policy_resolver names = {
		.user = resolve_user, .group = resolve_group, .arg = r
	};
	struct policyfile_reader files = {
		.file = emit_source, .wrong = emit_wrong, .arg = r
	};
	struct policy *policy = NULL;

	if (r == NULL)
		return -ENOMEM;
	r->out = fdopen(fd, "w");
	if (r->out == NULL)
		return -errno;
	policyfile_read_all(&files, config.policy, config.policy_dir);
	/* Its errors go into the bundle; the result is not needed here. */
	(void)policy_load(&policy, r->sources, r->n, &names, report, r);
	if (r->errors > ERRORS_MAX)
		emit_wrong(r, "policy", 0,
		    "more errors than are told here; see: vfiobroker policy "
		    "check");
	return fclose(r->out) == 0 ? 0 : -errno;
}
