/* SPDX-License-Identifier: ISC */
/*
 * Reading policy files without being anybody special.  Called by `policy
 * check`; the broker has its own, stricter reader and does not trust this one.
 */

#include "policyfiles.h"

#include <errno.h>
#include <fcntl.h>
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

/* Takes text over, also on failure. */
static int
keep(struct policyfiles *p, const char *name, char *text, size_t len)
{
	struct policy_source *v = realloc(p->v, (p->n + 1) * sizeof(*v));

	if (v == NULL) {
		free(text);
		return say_oserr(ENOMEM, name);
	}
	v[p->n++] = (struct policy_source){ name, text, len };
	p->v = v;
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

/* A file that the broker reads: with whom it belongs to. */
static int
read_own(struct policyfiles *p, const char *name)
{
	int owner = check_owner(name);
	int status = policyfiles_read(p, name);

	return status != EX_OK ? status : owner;
}

int
policyfiles_read_all(struct policyfiles *p, const char *dir)
{
	char pattern[sizeof(p->main)];
	int status = EX_OK, r;

	snprintf(p->main, sizeof(p->main), "%s/policy.conf", dir);
	if (access(p->main, F_OK) != 0 && errno == ENOENT)
		say("%s is not there: without a policy nobody gets a device",
		    p->main);
	else
		status = read_own(p, p->main);
	snprintf(pattern, sizeof(pattern), "%s/policy.d/*.conf", dir);
	if (glob(pattern, 0, NULL, &p->drop_ins) != 0)
		return status;
	for (size_t i = 0; i < p->drop_ins.gl_pathc; i++) {
		r = read_own(p, p->drop_ins.gl_pathv[i]);
		status = status == EX_OK ? r : status;
	}
	return status;
}

void
policyfiles_free(struct policyfiles *p)
{
	for (size_t i = 0; i < p->n; i++)
		free((void *)(uintptr_t)p->v[i].text);
	free(p->v);
	if (p->drop_ins.gl_pathc > 0)
		globfree(&p->drop_ins);
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
