/* SPDX-License-Identifier: ISC */
/*
 * `exec` and `run` as a whole, with the fake library: what is asked of the
 * broker, and what the program finds when it starts.
 */

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <pty.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "client/cmd/command.h"

#define MAX_ARGS 24
#define MAX_TEXT 16384

static char dir[] = "/tmp/vfiobroker-test-XXXXXX";

/* What one run of the command left behind. */
struct result {
	pid_t pid;
	int status;
	char out[MAX_TEXT]; /* stdout and stderr */
	char log[MAX_TEXT]; /* what the library was asked */
};

/*
 * Splits at blanks; the last argument is script, if any.  %d at the start of a
 * word is the directory of this test.
 */
static int
make_argv(const char *line, const char *script, char **argv)
{
	static char name[] = "vfiobroker", words[4096], last[1024];
	char copy[2048];
	size_t used = 0;
	int n = 0;

	snprintf(copy, sizeof(copy), "%s", line);
	argv[n++] = name;
	for (char *w = strtok(copy, " "); w != NULL; w = strtok(NULL, " ")) {
		bool here = strncmp(w, "%d", 2) == 0;

		argv[n++] = words + used;
		used += 1 + (size_t)snprintf(words + used, sizeof(words) - used,
				"%s%s", here ? dir : "", w + 2 * here);
	}
	snprintf(last, sizeof(last), "%s", script != NULL ? script : "");
	if (script != NULL)
		argv[n++] = last;
	argv[n] = NULL;
	return n;
}

static void
read_file(const char *path, char *text)
{
	FILE *f = fopen(path, "re");
	size_t n = 0;

	if (f != NULL) {
		n = fread(text, 1, MAX_TEXT - 1, f);
		fclose(f);
	}
	text[n] = '\0';
}

static void
launch(struct result *r, const char *fake, const char *line, const char *script)
{
	int outfd = memfd_create("out", MFD_CLOEXEC);
	char *argv[MAX_ARGS], log[64], out[64];
	int argc;

	strcpy(dir + sizeof("/tmp/vfiobroker-test-") - 1, "XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	snprintf(log, sizeof(log), "%s/log", dir);
	snprintf(out, sizeof(out), "%s/qemu-test", dir);
	ck_assert_int_eq(symlink("/bin/sh", out), 0);
	argc = make_argv(line, script, argv);
	fflush(NULL);
	r->pid = fork();
	if (r->pid == 0) {
		setenv("VFIOBROKER_FAKE", fake, 1);
		setenv("VFIOBROKER_FAKE_LOG", log, 1);
		setenv("LC_ALL", "C", 1);
		dup2(outfd, STDOUT_FILENO);
		dup2(outfd, STDERR_FILENO);
		close(outfd);
		exit(command_main(argc, argv));
	}
	ck_assert_int_eq(waitpid(r->pid, &r->status, 0), r->pid);
	snprintf(out, sizeof(out), "/proc/self/fd/%d", outfd);
	read_file(out, r->out);
	read_file(log, r->log);
	close(outfd);
	snprintf(log, sizeof(log), "rm -rf %s", dir);
	ck_assert_int_eq(system(log), 0);
}

static void
has(const char *text, const char *part)
{
	ck_assert_msg(
	    strstr(text, part) != NULL, "'%s' is not in:\n%s", part, text);
}

static void
has_not(const char *text, const char *part)
{
	ck_assert_msg(
	    strstr(text, part) == NULL, "'%s' is in:\n%s", part, text);
}

/* ---- exec ------------------------------------------------------------- */

static const char show_fds[] =
    "echo pid $$ $LISTEN_PID; echo n $LISTEN_FDS; echo $LISTEN_FDNAMES\n"
    "for i in 3 4 5 6 7 8 9; do echo $i $(readlink /proc/$$/fd/$i); done";

START_TEST(exec_passes_descriptors)
{
	struct result r;
	char want[64];

	launch(&r, "", "exec --device 01:10.0 --device 01:10.4 -- sh -c",
	    show_fds);
	ck_assert_int_eq(r.status, 0);
	snprintf(
	    want, sizeof(want), "pid %d %d\nn 4\n", (int)r.pid, (int)r.pid);
	has(r.out, want);
	has(r.out, "lease:container:group-12:group-14\n");
	has(r.out, "\n3 /memfd:lease (deleted)\n");
	has(r.out, "\n4 /memfd:container (deleted)\n");
	has(r.out, "\n5 /memfd:group-12 (deleted)\n");
	has(r.out, "\n6 /memfd:group-14 (deleted)\n");
	ck_assert_ptr_null(strstr(strstr(r.out, "\n7 "), "memfd"));
}
END_TEST

START_TEST(exec_passes_cdevs)
{
	struct result r;

	launch(&r, "",
	    "exec --iommufd --device 01:10.0 --device 01:10.4 -- sh -c",
	    show_fds);
	ck_assert_int_eq(r.status, 0);
	has(r.out, "lease:iommufd:device-0000.01.10.0:device-0000.01.10.4\n");
	has(r.out, "\n3 /memfd:lease (deleted)\n");
	has(r.out, "\n4 /memfd:iommufd (deleted)\n");
	has(r.out, "\n5 /memfd:cdev-10.0 (deleted)\n");
	has(r.out, "\n6 /memfd:cdev-10.4 (deleted)\n");
	ck_assert_ptr_null(strstr(strstr(r.out, "\n7 "), "memfd"));
}
END_TEST

/* The grant's descriptors arrive where others are to go. */
START_TEST(exec_passes_descriptors_past_others)
{
	struct result r;
	int held[8];

	/* Leaves holes at 4 and 6, and something at 3, 5, 7, ... */
	for (size_t i = 0; i < 8; i++)
		held[i] = open("/dev/null", O_RDONLY | O_CLOEXEC);
	close(held[1]);
	close(held[3]);
	launch(&r, "", "exec --device 01:10.0 -- sh -c", show_fds);
	ck_assert_int_eq(r.status, 0);
	has(r.out, "\n3 /memfd:lease (deleted)\n");
	has(r.out, "\n4 /memfd:container (deleted)\n");
	has(r.out, "\n5 /memfd:group-12 (deleted)\n");
	ck_assert_ptr_null(strstr(strstr(r.out, "\n6 "), "memfd"));
}
END_TEST

/* ---- what is asked ---------------------------------------------------- */

static const struct {
	const char *line;
	const char *asked;
} questions[] = {
	{ "exec --device 01:10.0 -- true",
	    "acquire n=1 memlock=0 label=- no_wait=0 lease=0\n"
	    "  0000:01:10.0\n" },
	{ "exec --device=01:10.0 --device 0000:01:10.0 --memlock 64M --label x "
	  "--no-wait -- true",
	    "acquire n=1 memlock=67108864 label=x no_wait=1 lease=0\n"
	    "  0000:01:10.0\n" },
	{ "exec --device 01:10.0 true", "acquire n=1 " },
	{ "run -- %d/qemu-test -c true -m 2G -device vfio-pci,host=01:10.0 "
	  "-device vfio-pci,host=01:10.2",
	    "acquire n=2 memlock=3221225472 label=- no_wait=0 lease=0\n"
	    "  0000:01:10.0\n  0000:01:10.2\n" },
	{ "run %d/qemu-test -c true -device vfio-pci,host=01:10.0",
	    "acquire n=1 memlock=1207959552 " },
	{ "run --memlock 5G -- %d/qemu-test -c true -m 2G "
	  "-device vfio-pci,host=01:10.0",
	    "acquire n=1 memlock=5368709120 " },
	{ "run --memlock 0 -- %d/qemu-test -c true -m 2G "
	  "-device vfio-pci,host=01:10.0",
	    "acquire n=1 memlock=0 " },
	{ "run --device 01:10.4 -- %d/qemu-test -c true -m 2G "
	  "-device vfio-pci,host=01:10.0",
	    "acquire n=2 memlock=3221225472 label=- no_wait=0 lease=0\n"
	    "  0000:01:10.4\n  0000:01:10.0\n" },
	{ "run --device 01:10.4 -- %d/qemu-test -c true -m 2G",
	    "acquire n=1 memlock=3221225472 " },
	/* Of another program nothing is known. */
	{ "run --device 01:10.4 -- true -m 2G", "acquire n=1 memlock=0 " },
	{ "run -- %d/qemu-test -c true -m 2G -object iommufd,id=i0 -device "
	  "vfio-pci,host=01:10.0,iommufd=i0",
	    "acquire n=1 memlock=3221225472 label=- no_wait=0 lease=0 "
	    "iommufd\n" },
	{ "run --iommufd --device 01:10.4 -- true",
	    "acquire n=1 memlock=0 label=- no_wait=0 lease=0 iommufd\n" },
	{ "run --label vm1 --device 01:10.4 -- true",
	    "acquire n=1 memlock=0 label=vm1 " },
};

START_TEST(asks)
{
	struct result r;

	launch(&r, "", questions[_i].line, NULL);
	ck_assert_msg(r.status == 0, "%s: %s", questions[_i].line, r.out);
	has(r.log, questions[_i].asked);
}
END_TEST

/* ---- run -------------------------------------------------------------- */

START_TEST(run_keeps_the_pid_and_passes_only_the_lease)
{
	struct result r;
	char want[32];

	launch(&r, "", "run --device 01:10.0 -- sh -c",
	    "echo pid $$; for f in /proc/$$/fd/*; do readlink $f; done; true");
	ck_assert_int_eq(r.status, 0);
	snprintf(want, sizeof(want), "pid %d\n", (int)r.pid);
	has(r.out, want);
	has(r.out, "/memfd:lease (deleted)\n");
	has_not(r.out, "/memfd:container");
	has_not(r.out, "/memfd:group");
	has_not(r.out, "socket:");
	has_not(r.out, "seccomp");
	has_not(r.out, "pidfd");
	has_not(r.out, "LISTEN");
}
END_TEST

START_TEST(run_answers_opens)
{
	struct result r;

	launch(&r, "", "run --device 01:10.0 -- sh -c",
	    "exec 5<>/dev/vfio/vfio 6<>/dev/vfio/12 7<>/dev/null &&"
	    "readlink /proc/$$/fd/5 /proc/$$/fd/6 /proc/$$/fd/7");
	ck_assert_msg(r.status == 0, "%s", r.out);
	has(r.out, "/memfd:container (deleted)\n"
		   "/memfd:group-12 (deleted)\n/dev/null\n");
	has_not(r.log, "open_group");
}
END_TEST

/* A group that was handed over already is asked for again. */
START_TEST(run_reopens)
{
	struct result r;

	launch(&r, "", "run --device 01:10.0 -- sh -c",
	    "exec 5<>/dev/vfio/vfio 6<>/dev/vfio/12 && exec 5<&- 6<&- && "
	    "exec 6<>/dev/vfio/12 5<>/dev/vfio/vfio && "
	    "readlink /proc/$$/fd/6 /proc/$$/fd/5");
	ck_assert_msg(r.status == 0, "%s", r.out);
	has(r.out, "/memfd:again-12 (deleted)\n"
		   "/memfd:again-container (deleted)\n");
	has(r.log, "open_group lease=23 group=12\n");
}
END_TEST

static const struct {
	const char *fake;
	const char *message; /* of the shell: what errno it saw */
} refusals[] = {
	{ "late-denied", "Permission denied" },
	{ "late-busy", "busy" },
	{ "late-group", "Permission denied" },
	{ "late-unavailable", "No such device" },
	/* And then no group of this number is on this machine. */
	{ "late-not-found", "No such device" },
};

START_TEST(run_tells_late_refusals)
{
	struct result r;

	launch(&r, refusals[_i].fake, "run --device 01:10.0 -- sh -c",
	    "exec 6<>/dev/vfio/9999");
	ck_assert_int_ne(r.status, 0);
	has(r.log, "open_group lease=23 group=9999\n");
	has(r.out, "vfiobroker: cannot open group 9999: ");
	has(r.out, refusals[_i].message);
}
END_TEST

START_TEST(run_keeps_exit_and_signal)
{
	struct result r;

	launch(&r, "", "run --device 01:10.0 -- sh -c", "exit 42");
	ck_assert(WIFEXITED(r.status) && WEXITSTATUS(r.status) == 42);
	launch(&r, "", "run --device 01:10.0 -- sh -c", "kill -9 $$");
	ck_assert(WIFSIGNALED(r.status) && WTERMSIG(r.status) == SIGKILL);
	launch(&r, "", "run --device 01:10.0 -- sh -c", "kill -TERM $$");
	ck_assert(WIFSIGNALED(r.status) && WTERMSIG(r.status) == SIGTERM);
}
END_TEST

START_TEST(run_in_run)
{
	struct result r;
	char script[2048];
	char self[1024] = "";

	/* This program plays the inner vfiobroker, see main(). */
	ck_assert_int_gt(readlink("/proc/self/exe", self, sizeof(self) - 1), 0);
	snprintf(script, sizeof(script),
	    "VFIOBROKER_TEST_INNER=1 %s run --device 01:10.2 -- true", self);
	launch(&r, "", "run --device 01:10.0 -- sh -c", script);
	ck_assert(WIFEXITED(r.status) && WEXITSTATUS(r.status) == 69);
	has(r.out, "another seccomp listener");
}
END_TEST

/* ---- terminals and their absence -------------------------------------- */

/* Runs a command whose stdout and stderr are a terminal; text is what came. */
static int
on_terminal(const char *line, const char *fake, char *text)
{
	char *argv[MAX_ARGS];
	size_t len = 0;
	int ptyfd, status, argc;
	ssize_t n = 1;
	pid_t pid;

	fflush(NULL);
	argc = make_argv(line, NULL, argv);
	pid = forkpty(&ptyfd, NULL, NULL, NULL);
	if (pid == 0) {
		setenv("VFIOBROKER_FAKE", fake, 1);
		exit(command_main(argc, argv));
	}
	ck_assert_int_gt(pid, 0);
	while (n > 0) {
		n = read(ptyfd, text + len, MAX_TEXT - 1 - len);
		len += n > 0 ? (size_t)n : 0;
	}
	text[len] = '\0';
	close(ptyfd);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	return status;
}

START_TEST(terminal_has_colour)
{
	static char text[MAX_TEXT];

	unsetenv("NO_COLOR");
	ck_assert_int_eq(on_terminal("list", "", text), 0);
	has(text, "\033[32mleased\033[0m ");
	has(text, "\033[1;31mquarantined\033[0m");
	setenv("NO_COLOR", "1", 1);
	ck_assert_int_eq(on_terminal("list", "", text), 0);
	has_not(text, "\033");
}
END_TEST

START_TEST(terminal_is_told_of_waiting)
{
	static char text[MAX_TEXT];

	ck_assert_int_eq(
	    on_terminal("exec --device 01:10.4 -- echo done", "slow", text), 0);
	has(text, "vfiobroker: waiting for 0000:01:10.4 (draining): pid 4711");
	has(text, "done");
	/* Nobody waits, nobody is told. */
	ck_assert_int_eq(
	    on_terminal("exec --device 01:10.4 -- echo done", "", text), 0);
	has_not(text, "waiting");
}
END_TEST

/* The lease must not take the place of a closed stderr, nor stay in it. */
START_TEST(closed_stdio_is_not_a_lease)
{
	static char text[MAX_TEXT];
	char *argv[MAX_ARGS], script[256], file[] = "/tmp/vfiobroker-XXXXXX";
	int status, argc, fd = mkstemp(file);
	pid_t pid;

	ck_assert_int_ne(fd, -1);
	close(fd);
	snprintf(script, sizeof(script),
	    "for i in 0 2 3 4 5; do echo $i $(readlink /proc/$$/fd/$i); done "
	    ">%s",
	    file);
	argc = make_argv("run --device 01:10.0 -- sh -c", script, argv);
	fflush(NULL);
	pid = fork();
	if (pid == 0) {
		setenv("VFIOBROKER_FAKE", "", 1);
		close_range(0, ~0U, 0);
		exit(command_main(argc, argv));
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	read_file(file, text);
	unlink(file);
	ck_assert_int_eq(status, 0);
	has(text, "0 /dev/null\n2 /dev/null\n3 /memfd:lease");
}
END_TEST

#define COUNT(a) ((int)(sizeof(a) / sizeof((a)[0])))

int
main(int argc, char **argv)
{
	Suite *s = suite_create("cmd_launch");
	TCase *t = tcase_create("launch");
	SRunner *r;
	int failed;

	if (getenv("VFIOBROKER_TEST_INNER") != NULL)
		return command_main(argc, argv);
	tcase_set_timeout(t, 60);
	tcase_add_test(t, exec_passes_descriptors);
	tcase_add_test(t, exec_passes_cdevs);
	tcase_add_test(t, exec_passes_descriptors_past_others);
	tcase_add_loop_test(t, asks, 0, COUNT(questions));
	tcase_add_test(t, run_keeps_the_pid_and_passes_only_the_lease);
	tcase_add_test(t, run_answers_opens);
	tcase_add_test(t, run_reopens);
	tcase_add_loop_test(t, run_tells_late_refusals, 0, COUNT(refusals));
	tcase_add_test(t, run_keeps_exit_and_signal);
	tcase_add_test(t, run_in_run);
	tcase_add_test(t, terminal_has_colour);
	tcase_add_test(t, terminal_is_told_of_waiting);
	tcase_add_test(t, closed_stdio_is_not_a_lease);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
