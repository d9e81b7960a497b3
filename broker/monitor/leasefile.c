/* SPDX-License-Identifier: ISC */
/*
 * The files of leases: their names, their text, and the count from which new
 * names come.  Called by lease.c, which knows what they mean.
 */

#include "leasefile.h"

#include "fault.h"
#include "files.h"
#include "keyfile.h"
#include "lease.h"
#include "rundir.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LEASE_MAGIC "vfiobroker-lease 1"
#define GENERATION 1000000 /* numbers of one broker's life */
#define ENDED ".ended" /* the holder may have the file still, and its lock */

#define KEY(name, type, member) KEYFILE_KEY(name, type, struct lease, member)

static const struct keyfile_key keys[] = {
	KEY("id", KEY_NUMBER, id),
	KEY("uid", KEY_NUMBER, uid),
	KEY("pid", KEY_NUMBER, pid),
	KEY("comm", KEY_TEXT, comm),
	KEY("label", KEY_TEXT, label),
	KEY("since", KEY_NUMBER, since),
	KEY("memlock", KEY_NUMBER, memlock),
	KEYFILE_ADDED("iommufd", KEY_NUMBER, struct lease, iommufd),
	{ .name = NULL },
};

size_t
lease_format(const struct lease *l, char *buf, size_t len)
{
	return keyfile_format(buf, len, LEASE_MAGIC, keys, l);
}

int
lease_parse(const char *text, size_t len, struct lease *out)
{
	return keyfile_parse(text, len, LEASE_MAGIC, keys, out);
}

const char *
leasefile_name(const struct lease *l)
{
	static char name[32];

	snprintf(name, sizeof(name), "%llu%s", (unsigned long long)l->id,
	    l->ended ? ENDED : "");
	return name;
}

int
leasefile_open(const struct lease *l)
{
	int fd = openat(rundir_dirfd(RUNDIR_LEASES), leasefile_name(l),
	    O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

	return fd == -1 ? -errno : fd;
}

int
leasefile_write(const struct lease *l)
{
	char text[LEASE_TEXT_MAX];
	size_t len = lease_format(l, text, sizeof(text));

	return rundir_replace(RUNDIR_LEASES, leasefile_name(l), text, len);
}

int
leasefile_rewrite(const struct lease *l)
{
	char text[LEASE_TEXT_MAX];
	size_t len = lease_format(l, text, sizeof(text));
	int fd = openat(rundir_dirfd(RUNDIR_LEASES), leasefile_name(l),
	    O_WRONLY | O_CLOEXEC | O_NOFOLLOW);

	return file_write(fd, text, len);
}

int
leasefile_end(struct lease *l)
{
	int dirfd = rundir_dirfd(RUNDIR_LEASES), r = 0;
	char living[32];

	snprintf(living, sizeof(living), "%s", leasefile_name(l));
	l->ended = true;
	FAULT("lease:ended:before");
	if (renameat(dirfd, living, dirfd, leasefile_name(l)) == -1)
		r = -errno;
	FAULT("lease:ended:after");
	return r;
}

int
leasefile_remove(const struct lease *l)
{
	int r;

	FAULT("lease:remove:before");
	r = rundir_remove(RUNDIR_LEASES, leasefile_name(l));
	FAULT("lease:remove:after");
	return r == -ENOENT ? 0 : r;
}

int
leasefile_read(const char *name, struct lease *l)
{
	size_t len = strlen(name), suffix = strlen(ENDED);
	char text[LEASE_TEXT_MAX];
	ssize_t n = rundir_read(RUNDIR_LEASES, name, text, sizeof(text));

	if (n < 0)
		return (int)n;
	if (lease_parse(text, (size_t)n, l) != 0)
		return -EBADMSG;
	l->ended = len > suffix && strcmp(name + len - suffix, ENDED) == 0;
	return strcmp(leasefile_name(l), name) == 0 ? 0 : -EBADMSG;
}

/*
 * Ids are never used twice while something can remember them.  The file counts
 * the broker's starts; each start has a million ids of its own, so that no
 * lease costs a write here.
 */
int
leasefile_sequence(uint64_t *first)
{
	char text[32];
	ssize_t n = rundir_read(RUNDIR_LEASES, "sequence", text, sizeof(text));
	unsigned long long start = 0;

	if (n > 0)
		start = strtoull(text, NULL, 10) + 1;
	*first = start * GENERATION + 1;
	n = snprintf(text, sizeof(text), "%llu\n", start);
	FAULT("sequence:before");
	return rundir_replace(RUNDIR_LEASES, "sequence", text, (size_t)n);
}
