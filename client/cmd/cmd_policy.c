/* SPDX-License-Identifier: ISC */
/*
 * `vfiobroker policy check`, `show` and `generate`.  check and generate need
 * neither the broker nor rights; they use the same parser as the broker.
 */

#include "command.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "json.h"
#include "policyfiles.h"
#include "say.h"

static int
resolve_user(void *arg, const char *name, uid_t *out)
{
	const struct passwd *pw = getpwnam(name);

	(void)arg;
	if (pw == NULL)
		return -ENOENT;
	*out = pw->pw_uid;
	return 0;
}

static int
resolve_group(void *arg, const char *name, gid_t *out)
{
	const struct group *gr = getgrnam(name);

	(void)arg;
	if (gr == NULL)
		return -ENOENT;
	*out = gr->gr_gid;
	return 0;
}

/* Where the parser's errors go. */
struct checking {
	struct policyfiles files;
	json_t *errors; /* NULL: they are printed */
	unsigned nerrors;
};

/* The line, and a caret under the column; tabs keep their width. */
static void
print_caret(const char *line, size_t len, unsigned column)
{
	fprintf(stderr, "    %.*s\n    ", (int)len, line);
	for (size_t i = 0; i + 1 < column && i < len; i++)
		fputc(line[i] == '\t' ? '\t' : ' ', stderr);
	fprintf(stderr, "%s^%s\n", colour_start(stderr, COLOUR_BAD),
	    colour_end(stderr, COLOUR_BAD));
}

static void
report_error(void *arg, const struct policy_error *e)
{
	struct checking *c = arg;
	const char *line;
	size_t len;

	c->nerrors++;
	if (c->errors != NULL) {
		json_array_append_new(
		    c->errors, json_pack("{s:s, s:i, s:i, s:s}", "file",
				   e->file, "line", (int)e->line, "column",
				   (int)e->column, "text", e->text));
		return;
	}
	fprintf(stderr, "%s:%u:%u: %s\n", e->file, e->line, e->column, e->text);
	line = policyfiles_line(&c->files, e->file, e->line, &len);
	if (line != NULL)
		print_caret(line, len, e->column);
}

static int
check_sources(struct checking *c)
{
	const struct policy_resolver resolver = { .user = resolve_user,
		.group = resolve_group };
	struct policy *policy = NULL;
	int r = policy_load(
	    &policy, c->files.v, c->files.n, &resolver, report_error, c);

	policy_free(policy);
	if (r == -ENOMEM)
		return say_oserr(ENOMEM, "policy check");
	return r == 0 ? EX_OK : EX_CONFIG;
}

static int
check_report(struct checking *c, bool json, int status)
{
	json_t *j;

	if (json) {
		j = json_answer("policy-check");
		json_object_set(j, "errors", c->errors);
		json_decref(c->errors);
		return json_print(j) == EX_OK ? status : EX_OSERR;
	}
	if (status == EX_OK)
		printf("%zu file%s, no errors\n", c->files.n,
		    c->files.n == 1 ? "" : "s");
	return status;
}

int
cmd_policy_check(const struct command *c, int argc, char **argv)
{
	struct checking checking = { .errors = NULL };
	bool json = false;
	const struct option_spec options[] = {
		{ "json", NULL, "print JSON", option_flag, &json },
		{ .name = NULL },
	};
	int status = options_read(c, options, &argc, &argv);
	int r;

	if (status != OPTIONS_OK)
		return status;
	status = EX_OK;
	if (argc == 0)
		status = policyfiles_read_all(&checking.files, POLICYFILES_DIR);
	for (int i = 0; i < argc; i++) {
		r = policyfiles_read(&checking.files, argv[i]);
		status = status == EX_OK ? r : status;
	}
	if (json)
		checking.errors = json_array();
	r = check_sources(&checking);
	status = check_report(&checking, json, r != EX_OK ? r : status);
	policyfiles_free(&checking.files);
	return status;
}

int
cmd_policy_show(const struct command *c, int argc, char **argv)
{
	const struct option_spec options[] = { { .name = NULL } };
	const struct vfiobroker_text *texts = NULL;
	struct vfiobroker *broker = NULL;
	int status = options_read(c, options, &argc, &argv);
	size_t n;
	int r;

	if (status != OPTIONS_OK)
		return status;
	status = command_operands(c, argc, 0);
	if (status == EX_OK)
		status = command_connect(&broker);
	if (status != EX_OK)
		return status;
	r = vfiobroker_show_policy(broker);
	if (r != 0)
		status = say_refusal(broker, r);
	n = r == 0 ? vfiobroker_texts(broker, &texts) : 0;
	for (size_t i = 0; i < n; i++)
		if (texts[i].kind == VFIOBROKER_TEXT_POLICY)
			puts(texts[i].text);
	vfiobroker_close(broker);
	return status;
}

int
cmd_policy_generate(const struct command *c, int argc, char **argv)
{
	const struct option_spec options[] = { { .name = NULL } };
	int status = options_read(c, options, &argc, &argv);

	if (status != OPTIONS_OK)
		return status;
	return EX_UNAVAILABLE;
}
