/* SPDX-License-Identifier: ISC */
/*
 * `vfiobroker status`: does the broker answer, what do I hold, and what is on
 * its way.  The first thing to type when something is odd, so a broker that
 * does not answer is an answer too (and exit status 69).
 */

#include "command.h"

#include <inttypes.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>

#include "address.h"
#include "json.h"
#include "say.h"
#include "size.h"
#include "username.h"

struct state_of_things {
	const struct vfiobroker_welcome *welcome;
	struct vfiobroker_lease *leases;
	size_t nleases;
	struct vfiobroker_device *devices;
	size_t ndevices;
};

/* A device that somebody may be waiting for. */
static bool
on_its_way(const struct vfiobroker_device *d)
{
	static const char *const settled[] = { "host", "ready", "leased",
		"gone" };

	for (size_t i = 0; i < sizeof(settled) / sizeof(settled[0]); i++)
		if (strcmp(d->state, settled[i]) == 0)
			return false;
	return true;
}

static const char *
user_name(uid_t uid)
{
	const struct passwd *pw = getpwuid(uid);

	return pw != NULL ? pw->pw_name : "?";
}

static const char *
backends(const struct vfiobroker_welcome *w)
{
	if (!w->vfio)
		return "none: the kernel has no VFIO or no IOMMU";
	return w->backend_iommufd ? "group, iommufd" : "group";
}

static void
print_lease(const struct vfiobroker_lease *l)
{
	char size[SIZE_STRLEN], bdf[BDF_STRLEN], when[32];
	time_t since = (time_t)l->since;
	struct tm tm;

	printf("lease     %" PRIu64 "%s%s%s%s\n", l->id,
	    l->label[0] != '\0' ? " \"" : "", l->label,
	    l->label[0] != '\0' ? "\"" : "", l->revoking ? ", asked back" : "");
	fputs("  devices ", stdout);
	for (size_t i = 0; i < l->ndevices; i++)
		printf("%s%s", i > 0 ? " " : "",
		    address_format(&l->devices[i], bdf));
	printf("\n  backend %s", l->iommufd ? "iommufd" : "group");
	printf("\n  holder  %s (pid %d) of %s\n", l->comm, (int)l->pid,
	    user_name(l->uid));
	if (localtime_r(&since, &tm) != NULL &&
	    strftime(when, sizeof(when), "%Y-%m-%d %H:%M:%S", &tm) > 0)
		printf("  since   %s\n", when);
	if (l->memlock != 0)
		printf("  memlock %s\n", size_format(l->memlock, size));
}

static int
status_text(const struct state_of_things *s)
{
	const struct vfiobroker_welcome *w = s->welcome;
	char bdf[BDF_STRLEN], why[512];

	printf("broker    %s, protocol %u\n", w->broker, w->version);
	printf("you       %s (uid %u)%s\n", user_name(w->uid), (unsigned)w->uid,
	    w->admin ? ", admin" : "");
	printf("backends  %s\n", backends(w));
	if (s->nleases == 0)
		puts("leases    none");
	for (size_t i = 0; i < s->nleases; i++)
		print_lease(&s->leases[i]);
	for (size_t i = 0; i < s->ndevices; i++) {
		const struct vfiobroker_device *d = &s->devices[i];
		enum colour colour = colour_of_state(d->state);

		if (!on_its_way(d))
			continue;
		printf("device    %s %s%s%s%s%s\n",
		    address_format(&d->bdf, bdf), colour_start(stdout, colour),
		    d->state, colour_end(stdout, colour),
		    d->why[0] != '\0' ? ": " : "",
		    username_expand(d->why, why, sizeof(why)));
	}
	return EX_OK;
}

static int
status_json(const struct state_of_things *s)
{
	const struct vfiobroker_welcome *w = s->welcome;
	json_t *leases = json_array(), *devices = json_array();
	json_t *j = json_answer("status");

	for (size_t i = 0; i < s->nleases; i++)
		json_array_append_new(leases, json_lease(&s->leases[i]));
	for (size_t i = 0; i < s->ndevices; i++)
		if (on_its_way(&s->devices[i]))
			json_array_append_new(
			    devices, json_device(&s->devices[i]));
	json_object_update_new(
	    j, json_pack("{s:s, s:i, s:i, s:b, s:b, s:{s:b, s:b}, s:o, s:o}",
		   "broker", w->broker, "protocol", (int)w->version, "uid",
		   (int)w->uid, "admin", w->admin, "vfio", w->vfio, "backends",
		   "group", w->backend_group, "iommufd", w->backend_iommufd,
		   "leases", leases, "devices", devices));
	return json_print(j);
}

static int
ask(struct vfiobroker *broker, bool json)
{
	struct state_of_things s = { .welcome = vfiobroker_welcome(broker) };
	int r = vfiobroker_list_leases(broker, &s.leases, &s.nleases);
	int status;

	if (r == 0)
		r = vfiobroker_list_devices(broker, &s.devices, &s.ndevices);
	if (r != 0)
		status = say_refusal(broker, r);
	else
		status = json ? status_json(&s) : status_text(&s);
	free(s.leases);
	free(s.devices);
	return status;
}

int
cmd_status(const struct command *c, int argc, char **argv)
{
	bool json = false;
	const struct option_spec options[] = {
		{ "json", NULL, "print JSON", option_flag, &json },
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
		r = ask(broker, json);
	vfiobroker_close(broker);
	return r;
}
