/* SPDX-License-Identifier: ISC */
/*
 * `vfiobroker list`, `show` and `groups`: three views of one list, which the
 * broker keeps; nothing here reads /sys.
 */

#include "command.h"

#include <inttypes.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "address.h"
#include "json.h"
#include "pciclass.h"
#include "say.h"
#include "table.h"
#include "username.h"

struct devices {
	struct vfiobroker_device *v;
	size_t n;
};

/* Fetches the list; EX_OK, or the status to exit with after the message. */
static int
devices_fetch(struct devices *d)
{
	struct vfiobroker *broker = NULL;
	int status = command_connect(&broker);
	int r;

	if (status != EX_OK)
		return status;
	r = vfiobroker_list_devices(broker, &d->v, &d->n);
	if (r != 0)
		status = say_refusal(broker, r);
	vfiobroker_close(broker);
	return status;
}

static const char *
device_access(const struct vfiobroker_device *d)
{
	if (d->mine)
		return "mine";
	return d->allowed ? "allowed" : "-";
}

static void
number_cell(struct table *t, int n)
{
	if (n < 0)
		table_cell(t, COLOUR_NONE, "-");
	else
		table_cell(t, COLOUR_NONE, "%d", n);
}

static void
device_row(struct table *t, const struct vfiobroker_device *d)
{
	char bdf[BDF_STRLEN];

	table_cell(t, COLOUR_NONE, "%s", address_format(&d->bdf, bdf));
	table_cell(t, COLOUR_NONE, "%04x:%04x", d->vendor, d->device);
	table_cell(t, COLOUR_NONE, "%s", pciclass_name(d->class_code));
	table_cell(
	    t, COLOUR_NONE, "%s", d->driver[0] != '\0' ? d->driver : "-");
	number_cell(t, d->group);
	table_cell(t, colour_of_state(d->state), "%s", d->state);
	table_cell(t, d->mine || d->allowed ? COLOUR_GOOD : COLOUR_NONE, "%s",
	    device_access(d));
}

/* Bridges of every kind: they are never given out. */
static bool
is_plumbing(const struct vfiobroker_device *d)
{
	return d->is_bridge || d->class_code >> 16 == 0x06;
}

static int
list_json(const struct devices *d, bool all)
{
	json_t *j = json_answer("list");
	json_t *array = json_array();

	for (size_t i = 0; i < d->n; i++)
		if (all || !is_plumbing(&d->v[i]))
			json_array_append_new(array, json_device(&d->v[i]));
	json_object_set_new(j, "devices", array);
	return json_print(j);
}

static int
list_table(const struct devices *d, bool all)
{
	static const char *const heads[] = { "ADDRESS", "ID", "CLASS", "DRIVER",
		"GROUP", "STATE", "ACCESS" };
	struct table *t = table_new(heads, sizeof(heads) / sizeof(heads[0]));

	for (size_t i = 0; i < d->n; i++)
		if (all || !is_plumbing(&d->v[i]))
			device_row(t, &d->v[i]);
	table_print(t, stdout);
	table_free(t);
	return EX_OK;
}

int
cmd_list(const struct command *c, int argc, char **argv)
{
	bool json = false, all = false;
	const struct option_spec options[] = {
		{ "json", NULL, "print JSON", option_flag, &json },
		{ "all", NULL, "bridges too", option_flag, &all },
		{ .name = NULL },
	};
	struct devices d = { NULL, 0 };
	int r = options_read(c, options, &argc, &argv);

	if (r != OPTIONS_OK)
		return r;
	r = command_operands(c, argc, 0);
	if (r == EX_OK)
		r = devices_fetch(&d);
	if (r == EX_OK)
		r = json ? list_json(&d, all) : list_table(&d, all);
	free(d.v);
	return r;
}

/* ---- show ------------------------------------------------------------- */

static void
show_owner(const struct vfiobroker_device *d)
{
	const struct passwd *pw;

	if (!d->has_owner)
		return;
	pw = getpwuid(d->owner);
	printf("owner    %s (uid %u)\n", pw != NULL ? pw->pw_name : "?",
	    (unsigned)d->owner);
}

static void
show_kind(const struct vfiobroker_device *d)
{
	char pf[BDF_STRLEN];

	if (d->is_vf)
		printf("kind     VF of %s\n", address_format(&d->pf, pf));
	else if (d->is_pf)
		puts("kind     PF");
	else if (d->is_bridge)
		puts("kind     bridge");
}

static int
show_text(const struct vfiobroker_device *d)
{
	char bdf[BDF_STRLEN], why[512];

	printf("device   %s\n", address_format(&d->bdf, bdf));
	printf("id       %04x:%04x\n", d->vendor, d->device);
	printf(
	    "class    %06x %s\n", d->class_code, pciclass_name(d->class_code));
	show_kind(d);
	printf("driver   %s\n", d->driver[0] != '\0' ? d->driver : "none");
	if (d->group >= 0)
		printf("group    %d\n", d->group);
	else
		puts("group    none");
	if (d->numa >= 0)
		printf("numa     %d\n", d->numa);
	printf("state    %s%s\n", d->state,
	    d->claimed ? " (claimed by the policy)" : "");
	if (d->why[0] != '\0')
		printf(
		    "why      %s\n", username_expand(d->why, why, sizeof(why)));
	if (d->lease != 0)
		printf("lease    %" PRIu64 "\n", d->lease);
	show_owner(d);
	printf("access   %s\n", device_access(d));
	return EX_OK;
}

static int
show_json(const struct vfiobroker_device *d)
{
	json_t *j = json_answer("device");

	json_object_update_new(j, json_device(d));
	return json_print(j);
}

static int
show_device(
    const struct devices *d, const struct vfiobroker_bdf *bdf, bool json)
{
	char buf[BDF_STRLEN];

	for (size_t i = 0; i < d->n; i++)
		if (address_equal(&d->v[i].bdf, bdf))
			return json ? show_json(&d->v[i]) : show_text(&d->v[i]);
	say("there is no device %s; 'vfiobroker list --all' shows those there "
	    "are",
	    address_format(bdf, buf));
	return EX_NOINPUT;
}

int
cmd_show(const struct command *c, int argc, char **argv)
{
	bool json = false;
	const struct option_spec options[] = {
		{ "json", NULL, "print JSON", option_flag, &json },
		{ .name = NULL },
	};
	struct devices d = { NULL, 0 };
	struct device_list wanted = { 0 };
	char buf[OPTION_ERROR_MAX];
	const char *wrong;
	int r = options_read(c, options, &argc, &argv);

	if (r != OPTIONS_OK)
		return r;
	r = command_operands(c, argc, 1);
	if (r != EX_OK)
		return r;
	wrong = option_device(&wanted, argv[0], buf);
	if (wrong != NULL)
		return say_usage(c->name, "show: %s", wrong);
	r = devices_fetch(&d);
	if (r == EX_OK)
		r = show_device(&d, &wanted.v[0], json);
	free(d.v);
	return r;
}

/* ---- groups ----------------------------------------------------------- */

static int
compare_groups(const void *a, const void *b)
{
	const struct vfiobroker_device *x = a, *y = b;

	if (x->group != y->group)
		return x->group < y->group ? -1 : 1;
	if (x->bdf.domain != y->bdf.domain)
		return x->bdf.domain < y->bdf.domain ? -1 : 1;
	return memcmp(&x->bdf.bus, &y->bdf.bus, 3);
}

static int
groups_json(const struct devices *d)
{
	json_t *j = json_answer("groups");
	json_t *groups = json_array();
	json_t *members = NULL;

	for (size_t i = 0; i < d->n; i++) {
		if (d->v[i].group < 0)
			continue;
		if (members == NULL || d->v[i].group != d->v[i - 1].group) {
			members = json_array();
			json_array_append_new(
			    groups, json_pack("{s:i, s:o}", "group",
					d->v[i].group, "devices", members));
		}
		json_array_append_new(members, json_device(&d->v[i]));
	}
	json_object_set_new(j, "groups", groups);
	return json_print(j);
}

static int
groups_table(const struct devices *d)
{
	static const char *const heads[] = { "GROUP", "ADDRESS", "ID", "CLASS",
		"DRIVER", "STATE" };
	struct table *t = table_new(heads, sizeof(heads) / sizeof(heads[0]));
	char bdf[BDF_STRLEN];

	for (size_t i = 0; i < d->n; i++) {
		const struct vfiobroker_device *v = &d->v[i];

		if (v->group < 0)
			continue;
		if (i > 0 && v->group == v[-1].group)
			table_cell(t, COLOUR_NONE, " ");
		else
			number_cell(t, v->group);
		table_cell(t, COLOUR_NONE, "%s", address_format(&v->bdf, bdf));
		table_cell(t, COLOUR_NONE, "%04x:%04x", v->vendor, v->device);
		table_cell(t, COLOUR_NONE, "%s", pciclass_name(v->class_code));
		table_cell(t, COLOUR_NONE, "%s",
		    v->driver[0] != '\0' ? v->driver : "-");
		table_cell(t, colour_of_state(v->state), "%s", v->state);
	}
	table_print(t, stdout);
	table_free(t);
	return EX_OK;
}

int
cmd_groups(const struct command *c, int argc, char **argv)
{
	bool json = false;
	const struct option_spec options[] = {
		{ "json", NULL, "print JSON", option_flag, &json },
		{ .name = NULL },
	};
	struct devices d = { NULL, 0 };
	int r = options_read(c, options, &argc, &argv);

	if (r != OPTIONS_OK)
		return r;
	r = command_operands(c, argc, 0);
	if (r == EX_OK)
		r = devices_fetch(&d);
	if (r == EX_OK && d.n > 0)
		qsort(d.v, d.n, sizeof(d.v[0]), compare_groups);
	if (r == EX_OK)
		r = json ? groups_json(&d) : groups_table(&d);
	free(d.v);
	return r;
}
