/* SPDX-License-Identifier: ISC */
/*
 * The loader's child: files, their owners, and names.  A file or directory
 * that others could write is as good as no policy at all, so it is an error
 * like a wrong line: nothing of the whole is used.
 */

#include "policyread.h"

#include "config.h"
#include "policy/policy.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct reading {
	FILE *out;
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
emit_error(struct reading *r, const char *where, const char *what)
{
	char text[256];

	snprintf(text, sizeof(text), ": %s", what);
	emit(r, BUNDLE_ERROR, 0, where, text, strlen(text));
}

/* Asked on the open file: a path could be exchanged in between. */
static int
check_trust(struct reading *r, const char *path, int fd, mode_t type)
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
	emit_error(r, path, wrong);
	return -EPERM;
}

static char *
read_whole(int fd, size_t *len)
{
	char *text = malloc(POLICY_FILE_BYTES);
	ssize_t n = 0;

	*len = 0;
	if (text == NULL)
		return NULL;
	while (*len < POLICY_FILE_BYTES &&
	       (n = read(fd, text + *len, POLICY_FILE_BYTES - *len)) > 0)
		*len += (size_t)n;
	if (n == 0)
		return text;
	if (n > 0)
		errno = EFBIG;
	free(text);
	return NULL;
}

static void
read_file(struct reading *r, const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	size_t len;
	char *text;

	if (fd == -1) {
		emit_error(r, path, strerror(errno));
		return;
	}
	if (check_trust(r, path, fd, S_IFREG) == 0) {
		text = read_whole(fd, &len);
		if (text == NULL) {
			emit_error(r, path, strerror(errno));
		} else if (r->n == POLICY_FILES_MAX) {
			emit_error(r, path, "one file too many (256)");
		} else {
			emit(r, BUNDLE_SOURCE, 0, path, text, len);
			r->sources[r->n++] = (struct policy_source){
				.name = strdup(path), .text = text, .len = len
			};
		}
	}
	close(fd);
}

/* True when there is one to read and it is trusted. */
static bool
dir_trusted(struct reading *r, const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool ok;

	if (fd == -1) {
		if (errno != ENOENT)
			emit_error(r, path, strerror(errno));
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
read_dir(struct reading *r, const char *dir)
{
	struct dirent **names;
	char path[PATH_MAX];
	int n;

	if (!dir_trusted(r, dir))
		return;
	n = scandir(dir, &names, is_conf, alphasort);
	if (n < 0) {
		emit_error(r, dir, strerror(errno));
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
read_main(struct reading *r)
{
	char dir[PATH_MAX];
	char *slash;

	snprintf(dir, sizeof(dir), "%s", config.policy);
	slash = strrchr(dir, '/');
	if (slash != NULL && slash != dir)
		*slash = '\0';
	/* A link that leads nowhere is no missing file: read_file() says so. */
	if (dir_trusted(r, dir) &&
	    faccessat(AT_FDCWD, config.policy, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		read_file(r, config.policy);
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
	char text[256];

	snprintf(text, sizeof(text), ":%u:%u: %s", e->line, e->column, e->text);
	emit(arg, BUNDLE_ERROR, 0, e->file, text, strlen(text));
}

int
policyread_bundle(int fd)
{
	struct reading *r = calloc(1, sizeof(*r));
	struct policy_resolver names = {
		.user = resolve_user, .group = resolve_group, .arg = r
	};
	struct policy *policy = NULL;

	if (r == NULL)
		return -ENOMEM;
	r->out = fdopen(fd, "w");
	if (r->out == NULL)
		return -errno;
	read_main(r);
	read_dir(r, config.policy_dir);
	/* Its errors go into the bundle; the result is not needed here. */
	(void)policy_load(&policy, r->sources, r->n, &names, report, r);
	return fclose(r->out) == 0 ? 0 : -errno;
}
