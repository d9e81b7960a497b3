/* SPDX-License-Identifier: ISC */
/*
 * Files and their owners.  Called by sources.c and by `policy check`.
 * A file or directory that others could write is as good as no policy at all,
 * so it is an error like a wrong line.
 */

#include "policyfile.h"

#include "policy/policy.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void
wrong_errno(struct policyfile_reader *r, const char *path)
{
	r->wrong(r->arg, path, errno, strerror(errno));
}

/* Asked on the open file: a path could be exchanged in between. */
static int
check_trust(struct policyfile_reader *r, const char *path, int fd, mode_t type)
{
	struct stat st;
	const char *wrong = NULL;

	if (fstat(fd, &st) == -1)
		wrong = strerror(errno);
	else if ((st.st_mode & S_IFMT) != type)
		wrong = "is of the wrong type";
	else if (st.st_uid != 0)
		wrong = "does not belong to root; chown root it";
	else if (st.st_mode & (S_IWGRP | S_IWOTH))
		wrong = "can be written by others than root; chmod go-w it";
	if (wrong == NULL)
		return 0;
	r->wrong(r->arg, path, 0, wrong);
	return -EPERM;
}

static char *
read_whole(int fd, size_t *len)
{
	char *text = malloc(POLICY_FILE_BYTES), *shrunk;
	ssize_t n = 0;

	*len = 0;
	if (text == NULL)
		return NULL;
	while (*len < POLICY_FILE_BYTES &&
	       (n = read(fd, text + *len, POLICY_FILE_BYTES - *len)) > 0)
		*len += (size_t)n;
	if (n > 0)
		errno = EFBIG;
	if (n != 0) {
		free(text);
		return NULL;
	}
	/* There may be 256 of them, and NSS wants memory as well. */
	shrunk = realloc(text, *len + 1);
	return shrunk != NULL ? shrunk : text;
}

void
policyfile_read(struct policyfile_reader *r, const char *path, int fd)
{
	size_t len;
	char *text = read_whole(fd, &len);
	const char *wrong = NULL;

	if (text == NULL) {
		wrong_errno(r, path);
		return;
	}
	if (r->n == POLICY_FILES_MAX)
		wrong = "one file too many (256)";
	else if (len > POLICY_BYTES - r->bytes)
		wrong = "with it all files are more than 4 MiB";
	if (wrong != NULL) {
		r->wrong(r->arg, path, 0, wrong);
		free(text);
		return;
	}
	r->n++;
	r->bytes += len;
	r->file(r->arg, path, text, len);
}

static void
read_file(struct policyfile_reader *r, const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);

	if (fd == -1) {
		wrong_errno(r, path);
		return;
	}
	if (check_trust(r, path, fd, S_IFREG) == 0)
		policyfile_read(r, path, fd);
	close(fd);
}

/*
 * Nothing but a name that is not there is missing: no link that leads nowhere, and
 * none that can not be looked at.  Not access(2), which takes no notice of
 * capabilities.
 */
static bool
is_missing(const char *path)
{
	struct stat st;

	return lstat(path, &st) == -1 && errno == ENOENT;
}

/* True when there is one to read and it is trusted. */
static bool
dir_trusted(struct policyfile_reader *r, const char *path)
{
	int fd;
	bool ok;

	if (is_missing(path))
		return false;
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd == -1) {
		wrong_errno(r, path);
		return false;
	}
	ok = check_trust(r, path, fd, S_IFDIR) == 0;
	close(fd);
	return ok;
}

static int
is_conf(const struct dirent *e)
{
	size_t len = strlen(e->d_name);

	return e->d_name[0] != '.' && len > 5 &&
	       strcmp(e->d_name + len - 5, ".conf") == 0;
}

static void
read_dir(struct policyfile_reader *r, const char *dir)
{
	struct dirent **names;
	char path[PATH_MAX];
	int n;

	if (!dir_trusted(r, dir))
		return;
	n = scandir(dir, &names, is_conf, alphasort);
	if (n < 0) {
		wrong_errno(r, dir);
		return;
	}
	for (int i = 0; i < n; i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, names[i]->d_name);
		read_file(r, path);
		free(names[i]);
	}
	free(names);
}

static void
read_main(struct policyfile_reader *r, const char *path)
{
	char dir[PATH_MAX];
	char *slash;

	snprintf(dir, sizeof(dir), "%s", path);
	slash = strrchr(dir, '/');
	if (slash != NULL && slash != dir)
		*slash = '\0';
	if (dir_trusted(r, dir) && !is_missing(path))
		read_file(r, path);
}

void
policyfile_read_all(
    struct policyfile_reader *r, const char *main, const char *dir)
{
	read_main(r, main);
	read_dir(r, dir);
}
