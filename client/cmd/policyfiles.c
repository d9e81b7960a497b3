/* SPDX-License-Identifier: ISC */
/*
 * Reading policy files without being anybody special.  Called by `policy
 * check`; the broker has its own, stricter reader and does not trust this one.
 */

#include "policyfiles.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "say.h"

#define POLICYFILES_MAX_BYTES (16U << 20)

/* All of fd; NULL with errno. */
static char *
read_all(int fd, size_t *len)
{
	size_t room = 65536;
	char *text = malloc(room), *more;
	ssize_t n = text != NULL ? 1 : -1;

	*len = 0;
	while (n > 0) {
		if (*len == room) {
			room *= 2;
			more = room <= POLICYFILES_MAX_BYTES
				   ? realloc(text, room)
				   : NULL;
			if (more == NULL) {
				free(text);
				errno = EFBIG;
				return NULL;
			}
			text = more;
		}
		n = read(fd, text + *len, room - *len);
		if (n > 0)
			*len += (size_t)n;
	}
	if (n == 0)
		return text;
	free(text);
	return NULL;
}

static int
keep(struct policyfiles *p, const char *name, char *text, size_t len)
{
	struct policy_source *v = realloc(p->v, (p->n + 1) * sizeof(p->v[0]));
	char *copy = strdup(name);

	if (v != NULL)
		p->v = v;
	if (v == NULL || copy == NULL) {
		free(copy);
		free(text);
		return say_oserr(ENOMEM, name);
	}
	p->v[p->n++] = (struct policy_source){ copy, text, len };
	return EX_OK;
}

static int
unreadable(const char *name, int err)
{
	say("cannot read %s: %s", name, strerror(err));
	return err == ENOENT || err == EACCES || err == EISDIR ? EX_NOINPUT
							       : EX_OSERR;
}

int
policyfiles_read(struct policyfiles *p, const char *name)
{
	int fd = open(name, O_RDONLY | O_CLOEXEC);
	char *text;
	size_t len;
	int err;

	if (fd == -1)
		return unreadable(name, errno);
	text = read_all(fd, &len);
	err = errno;
	close(fd);
	return text == NULL ? unreadable(name, err) : keep(p, name, text, len);
}

/* What the broker refuses to read.  EX_OK or EX_CONFIG. */
static int
check_owner(const char *name)
{
	struct stat st;

	if (stat(name, &st) != 0)
		return EX_OK; /* reading it will say so */
	if (st.st_uid == 0 && (st.st_mode & (S_IWGRP | S_IWOTH)) == 0)
		return EX_OK;
	say("%s: the broker refuses it: it must belong to root and be "
	    "writable by nobody else",
	    name);
	return EX_CONFIG;
}

static int
read_drop_ins(struct policyfiles *p, const char *dir)
{
	int status = EX_OK, r;
	char pattern[4096];
	glob_t g;

	snprintf(pattern, sizeof(pattern), "%s/policy.d/*.conf", dir);
	if (glob(pattern, 0, NULL, &g) != 0)
		return EX_OK;
	for (size_t i = 0; i < g.gl_pathc; i++) {
		r = check_owner(g.gl_pathv[i]);
		status = status == EX_OK ? r : status;
		r = policyfiles_read(p, g.gl_pathv[i]);
		status = status == EX_OK ? r : status;
	}
	globfree(&g);
	return status;
}

int
policyfiles_read_all(struct policyfiles *p, const char *dir)
{
	char name[4096];
	int status = EX_OK, r;

	snprintf(name, sizeof(name), "%s/policy.conf", dir);
	r = check_owner(name);
	status = r;
	if (access(name, F_OK) == 0 || errno != ENOENT)
		r = policyfiles_read(p, name);
	else
		say("%s is not there: without a policy nobody gets a device",
		    name);
	status = status == EX_OK ? r : status;
	r = read_drop_ins(p, dir);
	return status == EX_OK ? r : status;
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
