/* SPDX-License-Identifier: ISC */
/*
 * What the command prints and how it exits, against tests/golden/cli.  The
 * library is the fake one.  VFIOBROKER_GOLDEN_UPDATE=1 writes the files anew;
 * look at the difference before it is committed.
 */

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "client/cmd/command.h"

#define MAX_ARGS 24
#define MAX_TEXT 65536

/* The golden file, what VFIOBROKER_FAKE is, and the arguments. */
static const struct {
	const char *name;
	const char *fake;
	const char *line;
} cases[] = {
	{ "help", "", "--help" },
	{ "version", "", "--version" },
	{ "no-command", "", "" },
	{ "bad-command", "", "lst" },
	{ "policy-alone", "", "policy" },
	{ "list", "", "list" },
	{ "list-all", "", "list --all" },
	{ "list-json", "", "list --json" },
	{ "list-help", "", "list --help" },
	{ "list-down", "down", "list" },
	{ "list-bad-option", "", "list --jsom" },
	{ "list-short-option", "", "list -j" },
	{ "list-operand", "", "list 01:10.0" },
	{ "list-value", "", "list --json=yes" },
	{ "show", "", "show 01:10.2" },
	{ "show-why", "", "show 10000:e1:00.0" },
	{ "show-json", "", "show 01:10.2 --json" },
	{ "show-none", "", "show 09:00.0" },
	{ "show-bad", "", "show no/such" },
	{ "show-missing", "", "show" },
	{ "groups", "", "groups" },
	{ "groups-json", "", "groups --json" },
	{ "status", "", "status" },
	{ "status-json", "", "status --json" },
	{ "status-down", "down", "status" },
	{ "explain", "", "explain --device 01:10.0" },
	{ "explain-json", "", "explain --device 01:10.0 --json" },
	{ "explain-denied", "denied", "explain --device 01:10.0 --managed" },
	{ "explain-not-found", "not-found", "explain --device 09:00.0" },
	{ "explain-no-user", "",
	    "explain --device 01:10.0 --user there-is-no-such-user" },
	{ "explain-bad-size", "", "explain --device 01:10.0 --memlock 1.5G" },
	{ "explain-two", "", "explain --device 01:10.0 --device 01:10.2" },
	{ "watch", "", "watch" },
	{ "watch-json", "", "watch --json" },
	{ "release", "", "release 17" },
	{ "release-not-found", "not-found", "release 18" },
	{ "release-bad", "", "release seventeen" },
	{ "revoke", "", "revoke 17 --grace 1.5" },
	{ "revoke-denied", "denied", "revoke 17" },
	{ "revoke-bad-grace", "", "revoke 17 --grace soon" },
	{ "recover", "", "recover 01:10.0" },
	{ "exec-help", "", "exec --help" },
	{ "exec-no-device", "", "exec -- true" },
	{ "exec-no-program", "", "exec --device 01:10.0" },
	{ "exec-bad-device", "", "exec --device 01:10 -- true" },
	{ "exec-no-value", "", "exec --device" },
	{ "exec-denied", "denied", "exec --device 01:10.0 -- true" },
	{ "exec-busy", "busy", "exec --device 01:10.0 -- true" },
	{ "exec-limit", "limit", "exec --device 01:10.0 -- true" },
	{ "exec-group", "group", "exec --device 01:10.0 -- true" },
	{ "exec-unavailable", "unavailable", "exec --device 01:10.0 -- true" },
	{ "exec-not-found", "not-found", "exec --device 09:00.0 -- true" },
	{ "exec-down", "down", "exec --device 01:10.0 -- true" },
	{ "exec-missing", "", "exec --device 01:10.0 -- /no/such/program" },
	{ "exec-not-executable", "", "exec --device 01:10.0 -- /etc/passwd" },
	{ "exec-true", "", "exec --device 01:10.0 -- true" },
	{ "exec-false", "", "exec --device 01:10.0 -- false" },
	{ "run-help", "", "run --help" },
	{ "run-no-program", "", "run --" },
	{ "run-no-device", "", "run -- qemu-system-x86_64 -m 2G" },
	{ "run-bad-device", "", "run -- qemu -device vfio-pci,host=eth0" },
	{ "run-legacy", "", "run -- qemu -device pci-assign,host=01:10.0" },
	{ "run-bad-memory", "", "run -- qemu -m 2X" },
	{ "run-denied", "denied", "run -- qemu -device vfio-pci,host=01:10.0" },
	{ "run-down", "down", "run -- qemu -device vfio-pci,host=01:10.0" },
	{ "run-missing", "", "run --device 01:10.0 -- /no/such/program" },
	{ "run-true", "", "run --device 01:10.0 -- true" },
	{ "run-false", "", "run --device 01:10.0 -- false" },
	{ "policy-check", "",
	    "policy check --elsewhere tests/golden/cli/good.conf" },
	{ "policy-check-dead", "",
	    "policy check --elsewhere tests/golden/cli/dead.conf" },
	{ "policy-check-dead-json", "",
	    "policy check --json --elsewhere tests/golden/cli/dead.conf" },
	{ "policy-check-bad", "", "policy check tests/golden/cli/bad.conf" },
	{ "policy-check-json", "",
	    "policy check --json tests/golden/cli/bad.conf" },
	{ "policy-check-caret", "",
	    "policy check tests/golden/cli/caret.conf" },
	{ "policy-check-none", "", "policy check tests/golden/cli/none.conf" },
	{ "policy-show", "", "policy show" },
	{ "policy-show-json", "", "policy show --json" },
	{ "policy-show-denied", "denied", "policy show" },
};

static const char *
source_dir(void)
{
	const char *dir = getenv("VFIOBROKER_SRCDIR");

	return dir != NULL ? dir : ".";
}

static int
split(char *line, char **argv)
{
	static char name[] = "vfiobroker";
	int n = 0;

	argv[n++] = name;
	for (char *w = strtok(line, " "); w != NULL; w = strtok(NULL, " ")) {
		ck_assert_int_lt(n + 1, MAX_ARGS);
		argv[n++] = w;
	}
	argv[n] = NULL;
	return n;
}

/* The whole of a memfd behind what is in text. */
static void
append_fd(char *text, int fd)
{
	size_t len = strlen(text);
	ssize_t n = pread(fd, text + len, MAX_TEXT - len - 1, 0);

	ck_assert_int_ge(n, 0);
	text[len + (size_t)n] = '\0';
	close(fd);
}

static void
in_child(const char *line, const char *fake, int outfd, int errfd)
{
	char *copy = strdup(line), *argv[MAX_ARGS];
	int argc = split(copy, argv);

	setenv("VFIOBROKER_FAKE", fake, 1);
	setenv("TZ", "UTC", 1);
	dup2(outfd, STDOUT_FILENO);
	dup2(errfd, STDERR_FILENO);
	if (chdir(source_dir()) != 0)
		_exit(99);
	exit(command_main(argc, argv));
}

/* Runs a command line; text gets stdout, out_len of it, stderr and exit. */
static void
run_line(const char *line, const char *fake, char *text, size_t *out_len)
{
	int outfd = memfd_create("stdout", 0),
	    errfd = memfd_create("stderr", 0);
	int status;
	pid_t pid;

	fflush(NULL);
	pid = fork();
	if (pid == 0)
		in_child(line, fake, outfd, errfd);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFEXITED(status));
	text[0] = '\0';
	append_fd(text, outfd);
	*out_len = strlen(text);
	if (lseek(errfd, 0, SEEK_END) > 0)
		strcat(text, "--- stderr\n");
	append_fd(text, errfd);
	snprintf(text + strlen(text), 32, "--- exit %d\n", WEXITSTATUS(status));
}

static void
golden_update(const char *path, const char *text)
{
	FILE *f = fopen(path, "we");

	ck_assert_ptr_nonnull(f);
	fputs(text, f);
	ck_assert_int_eq(fclose(f), 0);
}

static void
golden_compare(const char *path, const char *text)
{
	static char want[MAX_TEXT];
	FILE *f = fopen(path, "re");
	size_t n;

	ck_assert_msg(f != NULL, "%s is not there", path);
	n = fread(want, 1, sizeof(want) - 1, f);
	want[n] = '\0';
	fclose(f);
	ck_assert_msg(strcmp(want, text) == 0, "%s differs:\n%s", path, text);
}

START_TEST(golden)
{
	static char text[MAX_TEXT];
	char path[PATH_MAX];
	size_t out_len;

	run_line(cases[_i].line, cases[_i].fake, text, &out_len);
	snprintf(path, sizeof(path), "%s/tests/golden/cli/%s.out", source_dir(),
	    cases[_i].name);
	if (getenv("VFIOBROKER_GOLDEN_UPDATE") != NULL)
		golden_update(path, text);
	else
		golden_compare(path, text);
}
END_TEST

/* Whatever says --json and ends well is one object with a schema. */
START_TEST(json_has_a_schema)
{
	static char text[MAX_TEXT];
	const char *schema;
	size_t out_len;
	json_t *j;

	if (strstr(cases[_i].line, "--json") == NULL ||
	    strncmp(cases[_i].line, "watch", 5) == 0 ||
	    strstr(cases[_i].line, "--json=") != NULL)
		return;
	run_line(cases[_i].line, cases[_i].fake, text, &out_len);
	j = json_loadb(text, out_len, 0, NULL);
	ck_assert_msg(json_is_object(j), "%s", text);
	schema = json_string_value(json_object_get(j, "schema"));
	ck_assert_ptr_nonnull(schema);
	ck_assert_ptr_eq(strstr(schema, "vfiobroker."), schema);
	ck_assert_str_eq(schema + strlen(schema) - 2, "/1");
	json_decref(j);
}
END_TEST

#define COUNT(a) ((int)(sizeof(a) / sizeof((a)[0])))

int
main(void)
{
	Suite *s = suite_create("cmd_output");
	TCase *t = tcase_create("output");
	SRunner *r = srunner_create(s);
	int failed;

	tcase_add_loop_test(t, golden, 0, COUNT(cases));
	tcase_add_loop_test(t, json_has_a_schema, 0, COUNT(cases));
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_ENV);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
