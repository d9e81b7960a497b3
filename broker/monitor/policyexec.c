/* SPDX-License-Identifier: ISC */
/*
 * Root's part of loading a policy: to read the files, as nobody else may, and
 * to hand them over.  Runs in a child of policyload.c.  Must not look into what
 * it reads: that is for vfiobroker-policy, which is not root.
 */

#include "policyexec.h"

#include "broker/common/sources.h"
#include "child.h"
#include "config.h"
#include "policyfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

#define SEALS (F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL)

struct handover {
	int fd;
	int error; /* the first */
};

static void
add_item(struct handover *h, enum sources_kind kind, const char *name,
    char *text, size_t len)
{
	struct sources_item head = { .kind = kind,
		.name_len = (uint32_t)strlen(name) + 1,
		.text_len = (uint32_t)len };
	char *path = strdup(name);
	struct iovec iov[] = { { &head, sizeof(head) }, { path, head.name_len },
		{ text, len } };
	ssize_t n = path == NULL ? -1 : writev(h->fd, iov, 3);

	free(path);
	if (h->error == 0 && n != (ssize_t)(sizeof(head) + head.name_len + len))
		h->error = n == -1 ? -errno : -ENOSPC;
}

static void
add_file(void *arg, const char *path, char *text, size_t len)
{
	add_item(arg, SOURCES_FILE, path, text, len);
	free(text);
}

/* Goes along, so that whatever is wrong is told at once. */
static void
add_wrong(void *arg, const char *path, int err, const char *what)
{
	char *text = strdup(what);

	(void)err;
	add_item(
	    arg, SOURCES_WRONG, path, text, text == NULL ? 0 : strlen(text));
	free(text);
}

/* All files in one that nobody can change any more; its fd or -errno. */
static int
read_sources(void)
{
	struct handover h = { .fd = memfd_create(
				  "policy", MFD_CLOEXEC | MFD_ALLOW_SEALING) };
	struct policyfile_reader files = {
		.file = add_file, .wrong = add_wrong, .arg = &h
	};

	if (h.fd == -1)
		return -errno;
	policyfile_read_all(&files, config.policy, config.policy_dir);
	if (h.error == 0 && fcntl(h.fd, F_ADD_SEALS, SEALS) == -1)
		h.error = -errno;
	return h.error != 0 ? h.error : h.fd;
}

int
policyexec(int out)
{
	char name[] = "vfiobroker-policy";
	char *argv[] = { name, NULL }, *envp[] = { NULL };
	int sources = read_sources(), r;

	if (sources < 0)
		return sources;
	/* Everything else is closed or will be. */
	if (dup2(sources, STDIN_FILENO) == -1 || dup2(out, STDOUT_FILENO) == -1)
		return -errno;
	r = child_leave_root(0);
	if (r == 0) {
		execve(config.policy_program, argv, envp);
		r = -errno;
	}
	return r;
}
