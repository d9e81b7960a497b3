/* SPDX-License-Identifier: ISC */
#ifndef VFIOBROKER_TESTS_LOADER_PEER_H
#define VFIOBROKER_TESTS_LOADER_PEER_H

/*
 * The real loader, or guard, for tests that need it: a copy in the fixture's tree,
 * since the build may lie where the user that it runs as can not go.
 */

#include <sys/sendfile.h>
#include <sys/stat.h>

#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "broker/monitor/config.h"
#include "tests/unit/fixture.h"

#define LOADER_USER 65534 /* nobody */

static inline void
program_copy(
    const struct fixture *tree, const char *name, char *path, size_t size)
{
	const char *dir = getenv("VFIOBROKER_BUILDDIR");
	char built[512];
	int from, to;

	snprintf(
	    built, sizeof(built), "%s/%s", dir != NULL ? dir : "build", name);
	snprintf(path, size, "%s/%s", tree->root, name);
	from = open(built, O_RDONLY | O_CLOEXEC);
	to = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0755);
	ck_assert(from >= 0 && to >= 0);
	ck_assert_int_gt(sendfile(to, from, NULL, 1 << 30), 0);
	ck_assert_int_eq(fchmod(to, 0755), 0);
	close(from);
	close(to);
	ck_assert_int_eq(chmod(tree->root, 0711), 0);
}

static inline void
loader_use(const struct fixture *tree)
{
	static char path[128];

	program_copy(tree, "vfiobroker-policy", path, sizeof(path));
	config.policy_program = path;
	config.session_uid = config.session_gid = LOADER_USER;
}

#endif
