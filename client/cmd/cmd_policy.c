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
#include "machine.h"
#include "policyfiles.h"
#include "policy/generate.h"
#include "policy/lint.h"
#include "policy/parse/load.h"
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

/* What comes of checking; the arrays are NULL where it is printed. */
struct checking {
	struct policyfiles files;
	bool elsewhere;
	json_t *errors;
	json_t *warnings;
	bool lost; /* of what should be in them */
	unsigned nwarnings;
};

/*
 * Those of ASCII but the tab, and those of Unicode, U+0080 to U+009F, in UTF-8 or
 * as they are: behind what is no first byte of a character.
 */
static bool
is_control(const char *at, size_t len, bool inside)
{
	unsigned char c = (unsigned char)at[0];

	if (c < 0x80)
		return (c < ' ' && c != '\t') || c == 0x7f;
	if (c < 0xa0)
		return !inside;
	return c == 0xc2 && len > 1 && (at[1] & 0xe0) == 0x80;
}

/* A file may be anybody's: nothing in it may move about on the terminal. */
static void
put_line(const char *line, size_t len)
{
	bool inside = false;

	for (size_t i = 0; i < len; i++) {
		bool control = is_control(line + i, len - i, inside);

		inside = (line[i] & 0x80) != 0 && !control;
		putc(control ? '?' : line[i], stderr);
		if (control && (unsigned char)line[i] == 0xc2)
			i++;
	}
	putc('\n', stderr);
}

/* The line, and a caret under the column if there is one; tabs stay tabs. */
static void
print_line(const struct checking *c, const char *file, unsigned number,
    unsigned column)
{
	size_t len = 0;
	const char *line = policyfiles_line(&c->files, file, number, &len);

	if (line == NULL)
		return;
	fputs("    ", stderr);
	put_line(line, len);
	if (column == 0)
		return;
	fputs("    ", stderr);
	/* The column counts bytes: all but the first of a character are no more. */
	for (size_t i = 0; i + 1 < column && i < len; i++)
		if ((line[i] & 0xc0) != 0x80)
			putc(line[i] == '\t' ? '\t' : ' ', stderr);
	fprintf(stderr, "%s^%s\n", colour_start(stderr, COLOUR_BAD),
	    colour_end(stderr, COLOUR_BAD));
}

/* Takes the object, which there may be no memory for. */
static void
keep(struct checking *c, json_t *array, json_t *object)
{
	if (json_array_append_new(array, object) != 0)
		c->lost = true;
}

static void
report_error(void *arg, const struct policy_error *e)
{
	struct checking *c = arg;

	if (c->errors != NULL) {
		keep(c, c->errors,
		    json_pack("{s:o, s:i, s:i, s:o}", "file",
			json_visible(e->file), "line", (int)e->line, "column",
			(int)e->column, "text", json_visible(e->text)));
		return;
	}
	fprintf(stderr, "%s:%u:%u: %s\n", e->file, e->line, e->column, e->text);
	print_line(c, e->file, e->line, e->column);
}

static void
report_warning(void *arg, const struct policy_warning *w)
{
	struct checking *c = arg;

	c->nwarnings++;
	if (c->warnings != NULL) {
		keep(c, c->warnings,
		    json_pack("{s:o, s:i, s:o}", "file", json_visible(w->file),
			"line", (int)w->line, "text", json_visible(w->text)));
		return;
	}
	fprintf(stderr, "%s:%u: %swarning%s: %s\n", w->file, w->line,
	    colour_start(stderr, COLOUR_WAIT), colour_end(stderr, COLOUR_WAIT),
	    w->text);
	print_line(c, w->file, w->line, 0);
}

static int
lint(struct checking *c, const struct policy *policy)
{
	struct machine machine = { .n = 0 };
	struct policy_machine m;
	int r;

	if (c->elsewhere)
		return policy_lint(policy, NULL, report_warning, c);
	r = machine_read("", &machine);
	if (r == 0) {
		m = machine_for_policy(&machine);
		r = policy_lint(policy, &m, report_warning, c);
	}
	machine_free(&machine);
	return r;
}

static int
check_sources(struct checking *c)
{
	const struct policy_resolver resolver = { .user = resolve_user,
		.group = resolve_group };
	struct policy *policy = NULL;
	int r = policy_load(
	    &policy, c->files.v, c->files.n, &resolver, report_error, c);

	if (r == -EINVAL)
		return EX_CONFIG;
	if (r == 0)
		r = lint(c, policy);
	policy_free(policy);
	return r == 0 ? EX_OK : say_oserr(-r, "policy check");
}

static int
check_report(const struct checking *c, int status)
{
	json_t *j;

	if (c->errors != NULL) {
		j = json_answer("policy-check");
		json_object_set_new(j, "errors", c->errors);
		json_object_set_new(j, "warnings", c->warnings);
		if (json_print(j) != EX_OK)
			return EX_OSERR;
		return c->lost
			   ? say_oserr(ENOMEM, "errors or warnings are lost")
			   : status;
	}
	if (status == EX_OK)
		printf("%zu file%s, no errors, %u warning%s\n", c->files.n,
		    c->files.n == 1 ? "" : "s", c->nwarnings,
		    c->nwarnings == 1 ? "" : "s");
	return status;
}

int
cmd_policy_check(const struct command *c, int argc, char **argv)
{
	struct checking checking = { .errors = NULL };
	bool json = false;
	const struct option_spec options[] = {
		{ "elsewhere", NULL, "the policy is for another machine",
		    option_flag, &checking.elsewhere },
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
	if (json) {
		checking.errors = json_array();
		checking.warnings = json_array();
	}
	r = check_sources(&checking);
	status = check_report(&checking, r != EX_OK ? r : status);
	policyfiles_free(&checking.files);
	return status;
}

/* The running policy in canonical form, a text a line. */
static int
show_policy(const struct vfiobroker *broker, bool json)
{
	const struct vfiobroker_text *texts = NULL;
	size_t n = vfiobroker_texts(broker, &texts);
	json_t *j = json_answer("policy"), *lines = json_array();

	for (size_t i = 0; i < n; i++) {
		if (texts[i].kind != VFIOBROKER_TEXT_POLICY)
			continue;
		if (!json)
			puts(texts[i].text);
		json_array_append_new(lines, json_visible(texts[i].text));
	}
	json_object_set_new(j, "lines", lines);
	if (json)
		return json_print(j);
	json_decref(j);
	return EX_OK;
}

int
cmd_policy_show(const struct command *c, int argc, char **argv)
{
	bool json = false;
	const struct option_spec options[] = {
		{ "json", NULL, "print JSON", option_flag, &json },
		{ .name = NULL },
	};
	struct vfiobroker *broker = NULL;
	int status = options_read(c, options, &argc, &argv);
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
	else
		status = show_policy(broker, json);
	vfiobroker_close(broker);
	return status;
}

int
cmd_policy_generate(const struct command *c, int argc, char **argv)
{
	const struct option_spec options[] = { { .name = NULL } };
	struct machine machine = { .n = 0 };
	struct policy_machine m;
	int status = options_read(c, options, &argc, &argv);
	int r;

	if (status != OPTIONS_OK)
		return status;
	status = command_operands(c, argc, 0);
	if (status != EX_OK)
		return status;
	r = machine_read("", &machine);
	if (r == 0) {
		m = machine_for_policy(&machine);
		policy_generate(&m, stdout);
	}
	machine_free(&machine);
	return r == 0 ? EX_OK : say_oserr(-r, "cannot read the PCI devices");
}
