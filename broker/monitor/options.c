/* SPDX-License-Identifier: ISC */
/* The command line of vfiobrokerd, as a table. */

#include "options.h"

#include "broker/common/log.h"
#include "config.h"
#include "fault.h"
#include "plan.h"

#include <bsd/stdlib.h>

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>

struct config config = {
	.socket = "/run/vfiobroker/vfiobroker.sock",
	.rundir = "/run/vfiobroker",
	.policy = "/etc/vfiobroker/policy.conf",
	.policy_dir = "/etc/vfiobroker/policy.d",
	.session = LIBEXECDIR "/vfiobroker-session",
	.policy_program = LIBEXECDIR "/vfiobroker-policy",
	.guard_program = LIBEXECDIR "/vfiobroker-guard",
	.user = "vfiobroker",
	.sysroot = "",
	.worker_timeout = 10,
	.policy_timeout = 30,
};

static const struct {
	const char *name;
	const char **value;
	unsigned *seconds; /* a timeout, instead */
	const char *help;
} settings[] = {
	{ "socket", &config.socket, NULL, "PATH  where to listen" },
	{ "run-dir", &config.rundir, NULL, "PATH  for leases and records" },
	{ "policy", &config.policy, NULL, "FILE  the policy" },
	{ "policy-dir", &config.policy_dir, NULL, "DIR   more of it, *.conf" },
	{ "session", &config.session, NULL, "PATH  the session program" },
	{ "policy-program", &config.policy_program, NULL,
	    "PATH  what compiles it" },
	{ "guard-program", &config.guard_program, NULL,
	    "PATH  what looks at the host" },
	{ "user", &config.user, NULL, "NAME  whom sessions run as" },
	{ "sysroot", &config.sysroot, NULL,
	    "DIR   before /sys, /proc and /dev (tests)" },
	{ "worker-timeout", NULL, &config.worker_timeout,
	    "S  until a stuck device is called wedged" },
	{ "policy-timeout", NULL, &config.policy_timeout,
	    "S  until loading the policy is given up" },
};

#define NSETTINGS (sizeof(settings) / sizeof(settings[0]))

/* Above '?', by which getopt_long() says that it knows no such option. */
enum { OPT_HELP = 100, OPT_VERSION, OPT_DEBUG, OPT_FAULTS };

static void __attribute__((noreturn)) usage(int code)
{
	FILE *out = code == EX_OK ? stdout : stderr;

	fprintf(out,
	    "usage: vfiobrokerd [options]\n"
	    "Lends PCI devices to unprivileged VMMs; see vfiobrokerd(8).\n\n");
	for (size_t i = 0; i < NSETTINGS; i++) {
		fprintf(
		    out, "  --%-14s %s ", settings[i].name, settings[i].help);
		if (settings[i].seconds != NULL)
			fprintf(out, "[%u]\n", *settings[i].seconds);
		else
			fprintf(out, "[%s]\n", *settings[i].value);
	}
	fprintf(out, "  --debug  --version  --help\n");
	exit(code);
}

static void
setting_apply(size_t i, const char *arg)
{
	const char *error;
	long long n;

	if (settings[i].seconds == NULL) {
		*settings[i].value = arg;
		return;
	}
	n = strtonum(arg, 1, 3600, &error);
	if (error != NULL) {
		log_warn(
		    "--%s: %s is %s (1 to 3600)", settings[i].name, arg, error);
		exit(EX_USAGE);
	}
	*settings[i].seconds = (unsigned)n;
}

static void
option_apply(int opt)
{
	switch (opt) {
	case OPT_HELP:
		usage(EX_OK);
	case OPT_VERSION:
		printf("vfiobrokerd %s\n", VFIOBROKER_VERSION);
		exit(EX_OK);
	case OPT_DEBUG:
		log_set_debug(1);
		break;
#ifdef VFIOBROKER_FAULTS
	case OPT_FAULTS:
		fault_list();
		plan_fault_list();
		exit(EX_OK);
#endif
	default:
		usage(EX_USAGE);
	}
}

void
options_parse(int argc, char **argv)
{
	struct option longs[NSETTINGS + 5] = { { NULL, 0, NULL, 0 } };
	struct option *next = longs;
	int opt;

	for (size_t i = 0; i < NSETTINGS; i++)
		*next++ = (struct option){ settings[i].name, required_argument,
			NULL, (int)i };
	*next++ = (struct option){ "help", no_argument, NULL, OPT_HELP };
	*next++ = (struct option){ "version", no_argument, NULL, OPT_VERSION };
	*next++ = (struct option){ "debug", no_argument, NULL, OPT_DEBUG };
#ifdef VFIOBROKER_FAULTS
	*next++ =
	    (struct option){ "fault-points", no_argument, NULL, OPT_FAULTS };
#endif
	while ((opt = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		if (opt >= 0 && opt < (int)NSETTINGS)
			setting_apply((size_t)opt, optarg);
		else
			option_apply(opt);
	}
	if (optind != argc)
		usage(EX_USAGE);
}
