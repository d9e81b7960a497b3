/* SPDX-License-Identifier: ISC */
/*
 * Reading policy files without being anybody special.  Called by `policy
 * check`: named files from anywhere, or those of the broker, both by its own
 * reader, which refuses what the broker would refuse.
 */

#include "policyfiles.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "broker/loader/policyfile.h"
#include "say.h"

/* Takes text over, also on failure. */
static int
keep(struct policyfiles *p, const char *name, char *text, size_t len)
{
	struct policy_source *v = realloc(p->v, (p->n + 1) * sizeof(*v));
	char *copy = strdup(name);

	if (v != NULL)
		p->v = v;
	if (v == NULL || copy == NULL) {
		free(copy);
		free(text);
		return say_oserr(ENOMEM, name);
	}
	v[p->n++] = (struct policy_source){ copy, text, len };
	return EX_OK;
}

static int
unreadable(const char *name, int err)
{
	say("cannot read %s: %s", name, strerror(err));
	return err == ENOENT || err == EACCES || err == EISDIR ? EX_NOINPUT
							       : EX_OSERR;
}

/* ---- as the broker reads ---------------------------------------------- */

struct reading {
	struct policyfiles *files;
	int status; /* of the first that went wrong */
};

static void
found(void *arg, const char *path, char *text, size_t len)
{
	struct reading *r = arg;
	int status = keep(r->files, path, text, len);

	r->status = r->status == EX_OK ? status : r->status;
}

static int
refused(const char *path, const char *what)
{
	say("%s: the broker refuses it: %s", path, what);
	return EX_CONFIG;
}

/* What we may not read, root perhaps may: that says nothing of the broker. */
static void
wrong(void *arg, const char *path, int err, const char *what)
{
	struct reading *r = arg;
	int status;

	if (err == EACCES)
		status = unreadable(path, err);
	else
		status = refused(path, what);
	r->status = r->status == EX_OK ? status : r->status;
}

/* Where it is and whose it is are the caller's; too much is too much. */
static void
wrong_named(void *arg, const char *path, int err, const char *what)
{
	struct reading *r = arg;

	if (err == 0 || err == EFBIG)
		r->status = refused(path, what);
	else
		r->status = unreadable(path, err);
}

int
policyfiles_read(struct policyfiles *p, const char *name)
{
	struct reading r = { .files = p };
	struct policyfile_reader reader = {
		.file = found, .wrong = wrong_named, .arg = &r, .n = p->n
	};
	int fd = open(name, O_RDONLY | O_CLOEXEC);

	if (fd == -1)
		return unreadable(name, errno);
	for (size_t i = 0; i < p->n; i++)
		reader.bytes += p->v[i].len;
	policyfile_read(&reader, name, fd);
	close(fd);
	return r.status;
}

int
policyfiles_read_all(struct policyfiles *p, const char *dir)
{
	struct reading r = { .files = p };
	struct policyfile_reader reader = {
		.file = found, .wrong = wrong, .arg = &r
	};
	char conf[PATH_MAX], drop_ins[PATH_MAX];

	snprintf(conf, sizeof(conf), "%s/policy.conf", dir);
	snprintf(drop_ins, sizeof(drop_ins), "%s/policy.d", dir);
	policyfile_read_all(&reader, conf, drop_ins);
	if (access(conf, F_OK) != 0 && errno == ENOENT && p->n == 0)
		say("%s is not there: without a policy nobody gets a device",
		    conf);
	return r.status;
}

void
policyfiles_free(struct policyfiles *p)
{
	for (size_t i = 0; i < p->n; i++) {
		free((void *)(uintptr_t)p->v[i].name);
		free((void *)(uintptr_t)p->v[i].text);
	}
	free(p->v);
}

const char *
policyfiles_line(
    const struct policyfiles *p, const char *name, unsigned line, size_t *len)
{
	const char *text = NULL, *end = NULL, *nl;

	for (size_t i = 0; i < p->n; i++) {
		if (strcmp(p->v[i].name, name) == 0) {
			text = p->v[i].text;
			end = text + p->v[i].len;
		}
	}
	while (text != NULL && line > 1) {
		nl = memchr(text, '\n', (size_t)(end - text));
		text = nl != NULL ? nl + 1 : NULL;
		line--;
	}
	if (text == NULL)
		return NULL;
	nl = memchr(text, '\n', (size_t)(end - text));
	*len = (size_t)((nl != NULL ? nl : end) - text);
	return text;
}
