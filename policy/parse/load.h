/* SPDX-License-Identifier: ISC */
#ifndef VFIOBROKER_POLICY_LOAD_H
#define VFIOBROKER_POLICY_LOAD_H

/*
 * Text to policies: for vfiobroker-policy, which compiles for the broker, for
 * `vfiobroker policy check`, and for tests.  The monitor links none of this.
 */

#include "../policy.h"

/* One file; name is only used to say where a line stands.  Not kept. */
struct policy_source {
	const char *name;
	const char *text;
	size_t len;
};

/* How names become numbers, at load only.  Return 0 or -ENOENT. */
struct policy_resolver {
	int (*user)(void *arg, const char *name, uid_t *out);
	int (*group)(void *arg, const char *name, gid_t *out);
	void *arg;
};

/* line and column count from 1.  file points into the struct policy_source. */
struct policy_error {
	const char *file;
	unsigned line;
	unsigned column;
	char text[160];
};

/*
 * Parses all sources as one policy and writes it in the compiled form.  Every
 * error of every source is reported by calling report (may be NULL), and any
 * error rejects the whole: returns -EINVAL and nothing is written.  -ENOMEM, or
 * -EIO if it can not be written.  No sources is a valid policy that allows
 * nothing.
 */
int policy_compile(FILE *out, const struct policy_source *sources,
    size_t nsources, const struct policy_resolver *,
    void (*report)(void *arg, const struct policy_error *), void *arg);

/* The same, and reads it as the broker does.  *out is NULL, or the caller's. */
int policy_load(struct policy **out, const struct policy_source *sources,
    size_t nsources, const struct policy_resolver *,
    void (*report)(void *arg, const struct policy_error *), void *arg);

/* What takes the place of a policy when there are errors; 0 or -EIO. */
int policy_compile_errors(FILE *out, const char *const *lines, size_t n);

#endif
