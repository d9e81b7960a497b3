/* SPDX-License-Identifier: ISC */
/*
 * `vfiobroker release`, `revoke` and `recover`: one question to the broker
 * each, which decides who may.
 */

#include "command.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>

#include "progress.h"
#include "say.h"

#define REVOKE_GRACE_MS 10000

/* A lease is named by its number, as `status` shows it. */
static int
lease_operand(const struct command *c, int argc, char **argv, uint64_t *out)
{
	int r = command_operands(c, argc, 1);
	char *end;

	if (r != EX_OK)
		return r;
	errno = 0;
	*out = strtoull(argv[0], &end, 10);
	if (argv[0][0] < '0' || argv[0][0] > '9' || *end != '\0' ||
	    errno != 0 || *out == 0)
		return say_usage(c->name,
		    "%s: '%s' is no lease; 'vfiobroker status' shows their "
		    "numbers",
		    c->name, argv[0]);
	return EX_OK;
}

/* The end of each of these commands: what the broker says, good or bad. */
static int
conclude(struct vfiobroker *broker, int r)
{
	const struct vfiobroker_text *texts = NULL;
	size_t n = vfiobroker_texts(broker, &texts);
	int status = EX_OK;

	if (r != 0)
		status = say_refusal(broker, r);
	for (size_t i = 0; r == 0 && i < n; i++)
		puts(texts[i].text);
	vfiobroker_close(broker);
	return status;
}

int
cmd_release(const struct command *c, int argc, char **argv)
{
	const struct option_spec options[] = { { .name = NULL } };
	struct vfiobroker *broker = NULL;
	int status = options_read(c, options, &argc, &argv);
	uint64_t lease = 0;

	if (status != OPTIONS_OK)
		return status;
	status = lease_operand(c, argc, argv, &lease);
	if (status == EX_OK)
		status = command_connect(&broker);
	if (status != EX_OK)
		return status;
	return conclude(broker, vfiobroker_release(broker, lease));
}

static bool
tell_revoke(void *arg)
{
	say("waiting for the holder of lease %" PRIu64, *(uint64_t *)arg);
	return true;
}

int
cmd_revoke(const struct command *c, int argc, char **argv)
{
	unsigned grace = REVOKE_GRACE_MS;
	const struct option_spec options[] = {
		{ "grace", "S", "seconds the holder has (10)", option_seconds,
		    &grace },
		{ .name = NULL },
	};
	struct vfiobroker *broker = NULL;
	int status = options_read(c, options, &argc, &argv);
	uint64_t lease = 0;
	pid_t progress;
	int r;

	if (status != OPTIONS_OK)
		return status;
	status = lease_operand(c, argc, argv, &lease);
	if (status == EX_OK)
		status = command_connect(&broker);
	if (status != EX_OK)
		return status;
	progress = progress_start(tell_revoke, &lease);
	r = vfiobroker_revoke(broker, lease, grace);
	progress_stop(progress);
	return conclude(broker, r);
}

int
cmd_recover(const struct command *c, int argc, char **argv)
{
	const struct option_spec options[] = { { .name = NULL } };
	struct vfiobroker *broker = NULL;
	struct device_list wanted = { 0 };
	char buf[OPTION_ERROR_MAX];
	int status = options_read(c, options, &argc, &argv);
	const char *wrong;

	if (status != OPTIONS_OK)
		return status;
	status = command_operands(c, argc, 1);
	if (status != EX_OK)
		return status;
	wrong = option_device(&wanted, argv[0], buf);
	if (wrong != NULL)
		return say_usage(c->name, "recover: %s", wrong);
	status = command_connect(&broker);
	if (status != EX_OK)
		return status;
	return conclude(broker, vfiobroker_recover(broker, &wanted.v[0]));
}
