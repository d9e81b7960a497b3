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
	const char *help;
} strings[] = {
	{ "socket", &config.socket, "PATH  where to listen" },
	{ "run-dir", &config.rundir, "PATH  for leases and records" },
	{ "policy", &config.policy, "FILE  the policy" },
	{ "policy-dir", &config.policy_dir, "DIR   more of it, *.conf" },
	{ "session", &config.session, "PATH  the session program" },
	{ "policy-program", &config.policy_program, "PATH  what compiles it" },
	{ "guard-program", &config.guard_program,
	    "PATH  what looks at the host" },
	{ "user", &config.user, "NAME  whom sessions run as" },
	{ "sysroot", &config.sysroot,
	    "DIR   before /sys, /proc and /dev (tests)" },
};

#define NSTRINGS (sizeof(strings) / sizeof(strings[0]))

static const struct {
	const char *name;
	unsigned *value;
	const char *help;
} timeouts[] = {
	{ "worker-timeout", &config.worker_timeout,
	    "until a stuck device is called wedged" },
	{ "policy-timeout", &config.policy_timeout,
	    "until loading the policy is given up" },
};

#define NTIMEOUTS (sizeof(timeouts) / sizeof(timeouts[0]))

/* Above '?', by which getopt_long() says that it knows no such option. */
enum { OPT_HELP = 100, OPT_VERSION, OPT_DEBUG, OPT_FAULTS, OPT_TIMEOUT };

static void __attribute__((noreturn)) usage(int code)
{
	FILE *out = code == EX_OK ? stdout : stderr;

	fprintf(out,
	    "usage: vfiobrokerd [options]\n"
	    "Lends PCI devices to unprivileged VMMs; see vfiobrokerd(8).\n\n");
	for (size_t i = 0; i < NSTRINGS; i++)
		fprintf(out, "  --%-14s %s [%s]\n", strings[i].name,
		    strings[i].help, *strings[i].value);
	for (size_t i = 0; i < NTIMEOUTS; i++)
		fprintf(out, "  --%s S  %s [%u]\n", timeouts[i].name,
		    timeouts[i].help, *timeouts[i].value);
	fprintf(out, "  --debug  --version  --help\n");
	exit(code);
}

static void
set_timeout(size_t i, const char *arg)
{
	const char *error;
	long long n = strtonum(arg, 1, 3600, &error);

	if (error != NULL) {
		log_warn(
		    "--%s: %s is %s (1 to 3600)", timeouts[i].name, arg, error);
		exit(EX_USAGE);
	}
	*timeouts[i].value = (unsigned)n;
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
	struct option longs[NSTRINGS + NTIMEOUTS + 5] = { { NULL, 0, NULL,
	    0 } };
	struct option *next = longs;
	int opt;

	for (size_t i = 0; i < NSTRINGS; i++)
		*next++ = (struct option){ strings[i].name, required_argument,
			NULL, (int)i };
	for (size_t i = 0; i < NTIMEOUTS; i++)
		*next++ = (struct option){ timeouts[i].name, required_argument,
			NULL, OPT_TIMEOUT + (int)i };
	*next++ = (struct option){ "help", no_argument, NULL, OPT_HELP };
	*next++ = (struct option){ "version", no_argument, NULL, OPT_VERSION };
	*next++ = (struct option){ "debug", no_argument, NULL, OPT_DEBUG };
#ifdef VFIOBROKER_FAULTS
	*next++ =
	    (struct option){ "fault-points", no_argument, NULL, OPT_FAULTS };
#endif
	while ((opt = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		if (opt >= 0 && opt < (int)NSTRINGS)
			*strings[opt].value = optarg;
		else if (opt >= OPT_TIMEOUT)
			set_timeout((size_t)(opt - OPT_TIMEOUT), optarg);
		else
			option_apply(opt);
	}
	if (optind != argc)
		usage(EX_USAGE);
}
