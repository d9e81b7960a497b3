/* SPDX-License-Identifier: ISC */
/*
 * The table of subcommands and the way into them.  Called by main().  Every
 * text that teaches stands here, beside the name it teaches.
 */

#include "command.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "say.h"

static const struct command commands[] = {
	{ "list", "", "Shows the PCI devices, and which you may have",
	    "ACCESS is 'mine' for a device in a lease of yours, and 'allowed' "
	    "where the\npolicy has a line for you.\n\n"
	    "example: vfiobroker list\n",
	    cmd_list, false },
	{ "show", "DEVICE", "Shows all that the broker says about one device",
	    "example: vfiobroker show 01:10.0\n", cmd_show, false },
	{ "groups", "", "Shows the IOMMU groups and who is in them",
	    "A group is given out whole or not at all.\n\n"
	    "example: vfiobroker groups\n",
	    cmd_groups, false },
	{ "status", "", "Shows whether the broker answers, and your leases",
	    "Devices on their way between states are listed with what they "
	    "wait for.\n\n"
	    "example: vfiobroker status --json\n",
	    cmd_status, false },
	{ "run", "-- PROGRAM [ARGUMENT...]",
	    "Runs QEMU or another VFIO program with its devices",
	    "The devices and the memory are read from QEMU's own arguments "
	    "(-device\nvfio-pci,host=..., -m).  The program is not changed; "
	    "when it opens a node\nof VFIO, it gets the broker's file "
	    "descriptor.  Devices go home when it ends.\n\n"
	    "example: vfiobroker run -- qemu-system-x86_64 -m 2G "
	    "-device vfio-pci,host=01:10.0\n",
	    cmd_run, true },
	{ "exec", "-- PROGRAM [ARGUMENT...]",
	    "Runs a program that inherits a lease as file descriptors",
	    "The descriptors start at 3; LISTEN_PID, LISTEN_FDS and "
	    "LISTEN_FDNAMES name\nthem: lease, container, group-N.\n\n"
	    "example: vfiobroker exec --device 01:10.0 --memlock 2G -- "
	    "my-driver\n",
	    cmd_exec, true },
	{ "explain", "", "Explains whether a device would be given, and why",
	    "The exit status is 0 when it would be, else that of the "
	    "refusal.\n\n"
	    "example: vfiobroker explain --device 01:10.0 --memlock 2G\n",
	    cmd_explain, false },
	{ "watch", "", "Prints what happens to devices and leases",
	    "One line per event, until interrupted.\n\n"
	    "example: vfiobroker watch --json | jq .to\n",
	    cmd_watch, false },
	{ "release", "LEASE", "Gives up a lease of yours",
	    "Its devices are handed on once its holders have closed them.\n\n"
	    "example: vfiobroker release 17\n",
	    cmd_release, false },
	{ "revoke", "LEASE", "Asks a lease back from its holder (admins)",
	    "The holder is told; nothing is killed.\n\n"
	    "example: vfiobroker revoke 17 --grace 30\n",
	    cmd_revoke, false },
	{ "recover", "DEVICE", "Tries a quarantined device again (admins)",
	    "example: vfiobroker recover 01:10.0\n", cmd_recover, false },
	{ "policy check", "[FILE...]", "Checks policy files, without a daemon",
	    "Without files: /etc/vfiobroker/policy.conf and "
	    "/etc/vfiobroker/policy.d/*.conf.\n\n"
	    "example: vfiobroker policy check ./new.conf\n",
	    cmd_policy_check, false },
	{ "policy show", "", "Prints the policy that the broker runs",
	    "example: vfiobroker policy show\n", cmd_policy_show, false },
	{ "policy generate", "", "Prints a first policy for this machine",
	    "It allows nothing until a line is uncommented.\n\n"
	    "example: vfiobroker policy generate >policy.conf\n",
	    cmd_policy_generate, false },
	{ .name = NULL },
};

static int
print_help(void)
{
	const struct command *c;

	puts("usage: vfiobroker COMMAND [options]\n\n"
	     "Gives PCI devices to programs of ordinary users, by VFIO.\n");
	for (c = commands; c->name != NULL; c++)
		printf("  %-16s %s\n", c->name, c->summary);
	puts("\nexample:\n"
	     "  vfiobroker list\n"
	     "  vfiobroker run -- qemu-system-x86_64 -m 2G -nographic "
	     "-device vfio-pci,host=01:10.0\n\n"
	     "'vfiobroker COMMAND --help' says more, and so does "
	     "vfiobroker(1).");
	return EX_OK;
}

/* How many words of argv the name of c takes; 0 when it is not meant. */
static int
match_command(const struct command *c, int argc, char **argv)
{
	size_t n = strcspn(c->name, " ");

	if (strlen(argv[0]) != n || strncmp(c->name, argv[0], n) != 0)
		return 0;
	if (c->name[n] == '\0')
		return 1;
	return argc > 1 && strcmp(c->name + n + 1, argv[1]) == 0 ? 2 : 0;
}

static const char *
main_word(int argc, char **argv)
{
	static const char *const help[] = { "--help", "-h", "help" };

	if (argc == 0)
		return "";
	for (size_t i = 0; i < sizeof(help) / sizeof(help[0]); i++)
		if (strcmp(argv[0], help[i]) == 0)
			return "help";
	return argv[0];
}

static int
dispatch(int argc, char **argv)
{
	const char *word = main_word(argc, argv);
	const struct command *c;
	int n;

	if (strcmp(word, "help") == 0)
		return print_help();
	if (strcmp(word, "--version") == 0) {
		puts("vfiobroker " VFIOBROKER_VERSION);
		return EX_OK;
	}
	if (word[0] == '\0')
		return say_usage("", "a command is missing");
	for (c = commands; c->name != NULL; c++) {
		n = match_command(c, argc, argv);
		if (n > 0)
			return c->run(c, argc - n + 1, argv + n - 1);
	}
	if (strcmp(word, "policy") == 0)
		return say_usage("", "policy: check, show or generate?");
	return say_usage("", "there is no command '%s'", word);
}

/*
 * By another name, vfiobroker-PROGRAM, we are PROGRAM with its devices: where
 * that begins, or NULL.
 */
static char *
other_name(char *argv0)
{
	static const char prefix[] = "vfiobroker-";
	char *base = argv0 == NULL ? NULL : strrchr(argv0, '/');

	base = base == NULL ? argv0 : base + 1;
	if (base == NULL || strncmp(base, prefix, strlen(prefix)) != 0 ||
	    base[strlen(prefix)] == '\0')
		return NULL;
	return base + strlen(prefix);
}

/*
 * Whoever starts us with stdin, stdout or stderr closed would find a lease in
 * their places, and messages written into it.
 */
static int
open_missing_stdio(void)
{
	int fd = STDIN_FILENO;

	while (fd >= 0 && fd <= STDERR_FILENO)
		fd = open("/dev/null", O_RDWR);
	if (fd < 0)
		return -errno;
	close(fd);
	return 0;
}

int
command_main(int argc, char **argv)
{
	int status = open_missing_stdio();
	char *program = other_name(argv[0]);

	if (status != 0)
		return EX_OSERR; /* and nowhere to say it */
	if (program != NULL) {
		argv[0] = program;
		status = cmd_run_as(argv);
	} else {
		status = dispatch(argc - 1, argv + (argc > 0));
	}
	if (fflush(stdout) != 0 || ferror(stdout))
		return say_oserr(errno, "cannot write the output");
	return status;
}

int
command_connect(struct vfiobroker **out)
{
	int r = vfiobroker_open(out, NULL);

	if (r == 0)
		return EX_OK;
	r = say_refusal(*out, r);
	vfiobroker_close(*out);
	*out = NULL;
	return r;
}

int
command_operands(const struct command *c, int argc, int n)
{
	if (argc == n)
		return EX_OK;
	if (argc < n)
		return say_usage(
		    c->name, "%s: %s is missing", c->name, c->operands);
	return say_usage(c->name, "%s: too many arguments", c->name);
}
