/* SPDX-License-Identifier: ISC */
/*
 * The only name lookups of a policy.  Called by the parser for each name; what
 * comes of them stands in the compiled policy as a number.
 */

#include "names.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>

/* UINT32_MAX means "leave it" to the kernel: nobody can be that. */

static int
find_user(void *arg, const char *name, uid_t *out)
{
	const struct passwd *pw = getpwnam(name);

	(void)arg;
	if (pw == NULL || pw->pw_uid == UINT32_MAX)
		return -ENOENT;
	*out = pw->pw_uid;
	return 0;
}

static int
find_group(void *arg, const char *name, gid_t *out)
{
	const struct group *gr = getgrnam(name);

	(void)arg;
	if (gr == NULL || gr->gr_gid == UINT32_MAX)
		return -ENOENT;
	*out = gr->gr_gid;
	return 0;
}

const struct policy_resolver names_nss = { .user = find_user,
	.group = find_group };
