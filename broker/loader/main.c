/* SPDX-License-Identifier: ISC */
/*
 * vfiobroker-policy FILE DIRECTORY
 *
 * Compiles the policy: started by the monitor for each load, as the user of the
 * sessions, with a pipe to the monitor on descriptor 1.  It reads the files, for
 * which it may have the capability to read what others can not; gives that up;
 * parses, has names resolved, and writes the compiled form of policy/compiled.h:
 * a policy, or what is wrong.  Must never run as root: that is what it is there
 * for; and must look into nothing that it has read before it has nothing left of
 * root.
 *
 * What it writes is the authorisation, so it is trusted as the monitor is; but
 * text, and NSS with its libraries, can not cost more than that.
 *
 * Exits 0 when it has answered, EX_USAGE for another command line, EX_OSERR when
 * it could not confine itself, EX_SOFTWARE when it could not answer; then there is
 * no end of the answer.
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "../../policy/compiled.h"
#include "../common/log.h"
#include "confine.h"
#include "names.h"
#include "sources.h"

struct errors {
	char *lines[COMPILED_ERRORS_MAX];
	size_t n;
};

static const char more[] = "policy: more errors than are told here; see: "
			   "vfiobroker policy check";

/* The last line says that there are more. */
static void
add_error(struct errors *e, const char *line)
{
	if (e->n == COMPILED_ERRORS_MAX)
		return;
	if (e->n == COMPILED_ERRORS_MAX - 1)
		line = more;
	e->lines[e->n] = strdup(line);
	if (e->lines[e->n] == NULL)
		log_fatal("no memory for an error");
	e->n++;
}

static void
add_wrong_file(void *arg, const char *path, const char *why)
{
	char line[COMPILED_ERROR_MAX];

	snprintf(line, sizeof(line), "%s: %s", path, why);
	add_error(arg, line);
}

static void
add_wrong_line(void *arg, const struct policy_error *e)
{
	char line[COMPILED_ERROR_MAX];

	snprintf(line, sizeof(line), "%s:%u:%u: %s", e->file, e->line,
	    e->column, e->text);
	add_error(arg, line);
}

/* Nothing but errors may come out where a file was no good. */
static int
compile(const struct sources *sources, struct errors *e)
{
	char *compiled = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&compiled, &len);
	int r = f == NULL ? -ENOMEM : 0;

	if (r == 0)
		r = policy_compile(f, sources->files, sources->n, &names_nss,
		    add_wrong_line, e);
	if (f != NULL && fclose(f) != 0 && r == 0)
		r = -ENOMEM;
	if (e->n > 0)
		r = policy_compile_errors(
		    stdout, (const char *const *)e->lines, e->n);
	else if (r == 0 && fwrite(compiled, len, 1, stdout) != 1)
		r = -errno;
	free(compiled);
	return r == 0 && fflush(stdout) != 0 ? -errno : r;
}

static int
read_confined(struct sources *sources, char **argv)
{
	int r = confine();

	if (r != 0)
		return r;
	sources_read(sources, argv[1], argv[2]);
	return confine_to_parse();
}

int
main(int argc, char **argv)
{
	static struct errors errors;
	static struct sources sources = { .wrong = add_wrong_file,
		.arg = &errors };
	int r;

	log_init("vfiobroker-policy");
	if (argc != 3) {
		log_warn("asked for nonsense");
		return EX_USAGE;
	}
	r = read_confined(&sources, argv);
	if (r != 0) {
		log_warn("cannot confine the policy loader: %s", strerror(-r));
		return EX_OSERR;
	}
	r = compile(&sources, &errors);
	if (r != 0) {
		log_warn("cannot compile the policy: %s", strerror(-r));
		return EX_SOFTWARE;
	}
	return EX_OK;
}
