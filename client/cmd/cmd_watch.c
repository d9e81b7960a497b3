/* SPDX-License-Identifier: ISC */
/*
 * `vfiobroker watch`: events as they come, one line each, until the broker or
 * the user ends it.
 */

#include "command.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>

#include "address.h"
#include "json.h"
#include "say.h"

static void
print_time(uint64_t time_us)
{
	time_t t = (time_t)(time_us / 1000000);
	char buf[32];
	struct tm tm;

	if (localtime_r(&t, &tm) != NULL &&
	    strftime(buf, sizeof(buf), "%H:%M:%S", &tm) > 0)
		printf("%s.%03u ", buf, (unsigned)(time_us / 1000 % 1000));
}

/* "device 0000:01:10.0 lease 17", "lease 17", "policy" */
static void
print_subject(const struct vfiobroker_event *e)
{
	static const struct vfiobroker_bdf none;
	char bdf[BDF_STRLEN];

	fputs(e->kind, stdout);
	if (!address_equal(&e->device, &none))
		printf(" %s", address_format(&e->device, bdf));
	if (e->lease != 0 && strcmp(e->kind, "lease") != 0)
		fputs(" lease", stdout);
	if (e->lease != 0)
		printf(" %" PRIu64, e->lease);
}

static void
print_event(const struct vfiobroker_event *e)
{
	enum colour colour = colour_of_state(e->to);

	print_time(e->time_us);
	print_subject(e);
	if (e->from[0] != '\0' || e->to[0] != '\0')
		printf(" %s -> %s%s%s", e->from, colour_start(stdout, colour),
		    e->to, colour_end(stdout, colour));
	if (e->duration_us != 0)
		printf(" after %u.%03u s", (unsigned)(e->duration_us / 1000000),
		    (unsigned)(e->duration_us / 1000 % 1000));
	if (e->text[0] != '\0')
		printf(": %s", e->text);
	putchar('\n');
	fflush(stdout);
}

static int
watch_events(struct vfiobroker *broker, bool json)
{
	struct vfiobroker_event e;
	int r = vfiobroker_watch(broker);

	while (r == 0) {
		r = vfiobroker_next_event(broker, &e);
		if (r != 0)
			break;
		if (json)
			json_print_line(json_event(&e));
		else
			print_event(&e);
		if (ferror(stdout))
			return EX_OK; /* the reader has gone */
	}
	return say_refusal(broker, r);
}

int
cmd_watch(const struct command *c, int argc, char **argv)
{
	bool json = false;
	const struct option_spec options[] = {
		{ "json", NULL, "one JSON object a line", option_flag, &json },
		{ .name = NULL },
	};
	struct vfiobroker *broker = NULL;
	int r = options_read(c, options, &argc, &argv);

	if (r != OPTIONS_OK)
		return r;
	r = command_operands(c, argc, 0);
	if (r == EX_OK)
		r = command_connect(&broker);
	if (r == EX_OK)
		r = watch_events(broker, json);
	vfiobroker_close(broker);
	return r;
}
