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
	.user = "vfiobroker",
	.sysroot = "",
	.worker_timeout = 10,
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
	{ "user", &config.user, "NAME  whom sessions run as" },
	{ "sysroot", &config.sysroot,
	    "DIR   before /sys, /proc and /dev (tests)" },
};

#define NSTRINGS (sizeof(strings) / sizeof(strings[0]))

enum { OPT_HELP = 100, OPT_VERSION, OPT_DEBUG, OPT_TIMEOUT, OPT_FAULTS };

static void __attribute__((noreturn)) usage(int code)
{
	FILE *out = code == EX_OK ? stdout : stderr;

	fprintf(out,
	    "usage: vfiobrokerd [options]\n"
	    "Lends PCI devices to unprivileged VMMs; see vfiobrokerd(8).\n\n");
	for (size_t i = 0; i < NSTRINGS; i++)
		fprintf(out, "  --%-11s %s [%s]\n", strings[i].name,
		    strings[i].help, *strings[i].value);
	fprintf(out,
	    "  --worker-timeout S  until a stuck device is called wedged "
	    "[%u]\n"
	    "  --debug  --version  --help\n",
	    config.worker_timeout);
	exit(code);
}

static void
set_timeout(const char *arg)
{
	const char *error;
	long long n = strtonum(arg, 1, 3600, &error);

	if (error != NULL) {
		log_warn("--worker-timeout: %s is %s (1 to 3600)", arg, error);
		exit(EX_USAGE);
	}
	config.worker_timeout = (unsigned)n;
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
	case OPT_TIMEOUT:
		set_timeout(optarg);
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
	struct option longs[NSTRINGS + 6] = { { NULL, 0, NULL, 0 } };
	int opt;

	for (size_t i = 0; i < NSTRINGS; i++)
		longs[i] = (struct option){ strings[i].name, required_argument,
			NULL, (int)i };
	longs[NSTRINGS] =
	    (struct option){ "help", no_argument, NULL, OPT_HELP };
	longs[NSTRINGS + 1] =
	    (struct option){ "version", no_argument, NULL, OPT_VERSION };
	longs[NSTRINGS + 2] =
	    (struct option){ "debug", no_argument, NULL, OPT_DEBUG };
	longs[NSTRINGS + 3] = (struct option){ "worker-timeout",
		required_argument, NULL, OPT_TIMEOUT };
#ifdef VFIOBROKER_FAULTS
	longs[NSTRINGS + 4] =
	    (struct option){ "fault-points", no_argument, NULL, OPT_FAULTS };
#endif
	while ((opt = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		if (opt >= 0 && opt < (int)NSTRINGS)
			*strings[opt].value = optarg;
		else
			option_apply(opt);
	}
	if (optind != argc)
		usage(EX_USAGE);
}
