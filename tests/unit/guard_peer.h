/* SPDX-License-Identifier: ISC */
#ifndef VFIOBROKER_TESTS_GUARD_PEER_H
#define VFIOBROKER_TESTS_GUARD_PEER_H

/*
 * A guard for the monitor to ask: a shell script in the fixture's tree that
 * plays vfiobroker-guard, executed as the real one is, and the records that it
 * may say.  Each time that it is asked it adds its command line to a file.
 */

#include <sys/stat.h>

#include <stdio.h>
#include <string.h>

#include <check.h>

#include "broker/common/guardmsg.h"
#include "broker/common/reason.h"
#include "broker/monitor/config.h"
#include "tests/unit/loader_peer.h"
#include "tests/unit/test_mon_work.h"

/* From now on the guard does that; $T is the tree. */
static inline void
guard_does(const char *script)
{
	static char path[128];
	char text[1024];

	snprintf(text, sizeof(text),
	    "#!/bin/sh\nT=%s\necho \"$@\" >>$T/asked\n%s\n", tree.root, script);
	snprintf(path, sizeof(path), "%s/guard", tree.root);
	fixture_file(&tree, text, "guard");
	ck_assert_int_eq(chmod(path, 0755), 0);
	config.guard_program = path;
	config.session_uid = config.session_gid = LOADER_USER;
	fixture_append(&tree, "", "asked");
	ck_assert_int_eq(fchmodat(tree.rootfd, "asked", 0666, 0), 0);
	ck_assert_int_eq(chmod(tree.root, 0711), 0);
}

static inline void
guard_writes(const char *name, const void *buf, size_t len)
{
	int fd;

	fixture_append(&tree, "", "%s", name);
	fd = openat(tree.rootfd, name, O_WRONLY | O_APPEND | O_CLOEXEC);
	ck_assert_int_eq(write(fd, buf, len), (ssize_t)len);
	close(fd);
}

/* Records for a file of the tree that a script can send. */
static inline void
guard_finds(
    const char *name, uint32_t device, enum reason reason, const char *what)
{
	struct guardmsg m = { .device = device, .reason = reason };

	strcpy(m.what, what);
	guard_writes(name, &m, sizeof(m));
}

static inline void
guard_ends(const char *name, uint32_t device, int error)
{
	struct guardmsg m = {
		.device = device, .reason = REASON_COUNT, .error = error
	};

	guard_writes(name, &m, sizeof(m));
}

/* What a script wrote. */
static inline const char *
guard_wrote(const char *name)
{
	static char all[4096];
	int fd = openat(tree.rootfd, name, O_RDONLY | O_CLOEXEC);
	ssize_t n = read(fd, all, sizeof(all) - 1);

	ck_assert_int_ge(n, 0);
	close(fd);
	all[n] = '\0';
	return all;
}

/* How often it has been asked. */
static inline unsigned
guard_asked(void)
{
	const char *all = guard_wrote("asked");
	unsigned n = 0;

	while ((all = strchr(all, '\n')) != NULL) {
		all++;
		n++;
	}
	return n;
}

#endif
