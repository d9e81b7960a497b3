/* SPDX-License-Identifier: ISC */
/*
 * Answers as JSON, for scripts.  Called by the subcommands under --json.
 * A key, once there, stays and keeps its type; absent things are null.
 */

#include "json.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "address.h"
#include "say.h"

json_t *
json_answer(const char *thing)
{
	return json_pack(
	    "{s:o}", "schema", json_sprintf("vfiobroker.%s/1", thing));
}

static int
json_write(json_t *j, size_t flags)
{
	int r = -1;

	if (j != NULL)
		r = json_dumpf(j, stdout, flags);
	json_decref(j);
	if (r != 0)
		return say_oserr(ENOMEM, "cannot print JSON");
	putchar('\n');
	return EX_OK;
}

int
json_print(json_t *j)
{
	return json_write(j, JSON_INDENT(2));
}

int
json_print_line(json_t *j)
{
	int r = json_write(j, JSON_COMPACT);

	fflush(stdout);
	return r;
}

json_t *
json_bdf(const struct vfiobroker_bdf *bdf)
{
	char buf[BDF_STRLEN];

	return json_string(address_format(bdf, buf));
}

json_t *
json_lease_id(uint64_t id)
{
	return id == 0 ? json_null() : json_sprintf("%" PRIu64, id);
}

/* How long the character is that text begins with; 0: that is none. */
static size_t
character_length(const char *text)
{
	for (size_t n = 1; n <= 4 && text[n - 1] != '\0'; n++) {
		json_t *one = json_stringn(text, n);

		json_decref(one);
		if (one != NULL)
			return n;
	}
	return 0;
}

/* Asks the library what it takes, so nothing that comes out can be refused. */
json_t *
json_visible(const char *text)
{
	json_t *j = json_string(text);
	char *out = NULL;
	size_t len, n;
	FILE *f;

	if (j != NULL)
		return j;
	f = open_memstream(&out, &len);
	if (f == NULL)
		return NULL;
	for (; *text != '\0'; text += n > 0 ? n : 1) {
		n = character_length(text);
		if (n > 0)
			fwrite(text, 1, n, f);
		else
			fprintf(f, "\\x%02x", (unsigned char)*text);
	}
	if (fclose(f) == 0)
		j = json_string(out);
	free(out);
	return j;
}

json_t *
json_text(const char *text)
{
	return text[0] == '\0' ? json_null() : json_visible(text);
}

static json_t *
json_from_minus_one(int n)
{
	return n < 0 ? json_null() : json_integer(n);
}

static json_t *
json_uid(bool has, uid_t uid)
{
	return has ? json_integer(uid) : json_null();
}

json_t *
json_device(const struct vfiobroker_device *d)
{
	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:s, s:o, s:o, s:o, "
			 "s:o, s:b, s:b, s:b, s:b, s:b, s:o}",
	    "bdf", json_bdf(&d->bdf), "vendor", json_sprintf("%04x", d->vendor),
	    "device", json_sprintf("%04x", d->device), "class",
	    json_sprintf("%06x", d->class_code), "driver", json_text(d->driver),
	    "group", json_from_minus_one(d->group), "state", d->state, "lease",
	    json_lease_id(d->lease), "numa", json_from_minus_one(d->numa),
	    "owner", json_uid(d->has_owner, d->owner), "pf",
	    d->is_vf ? json_bdf(&d->pf) : json_null(), "is_pf", d->is_pf,
	    "is_bridge", d->is_bridge, "claimed", d->claimed, "mine", d->mine,
	    "allowed", d->allowed, "why", json_text(d->why));
}

json_t *
json_lease(const struct vfiobroker_lease *l)
{
	json_t *devices = json_array();

	for (size_t i = 0; i < l->ndevices; i++)
		json_array_append_new(devices, json_bdf(&l->devices[i]));
	return json_pack("{s:o, s:i, s:i, s:o, s:o, s:I, s:I, s:b, s:s, s:o}",
	    "id", json_lease_id(l->id), "uid", (int)l->uid, "pid", (int)l->pid,
	    "command", json_visible(l->comm), "label", json_text(l->label),
	    "since", (json_int_t)l->since, "memlock", (json_int_t)l->memlock,
	    "revoking", l->revoking, "backend",
	    l->iommufd ? "iommufd" : "group", "devices", devices);
}

json_t *
json_event(const struct vfiobroker_event *e)
{
	static const struct vfiobroker_bdf none;
	bool device = !address_equal(&e->device, &none);
	json_t *j = json_answer("event");

	json_object_update_new(
	    j, json_pack("{s:I, s:I, s:s, s:o, s:o, s:o, s:o, s:o, s:I, s:o}",
		   "number", (json_int_t)e->number, "time_us",
		   (json_int_t)e->time_us, "kind", e->kind, "device",
		   device ? json_bdf(&e->device) : json_null(), "lease",
		   json_lease_id(e->lease), "from", json_text(e->from), "to",
		   json_text(e->to), "owner", json_uid(e->has_owner, e->owner),
		   "duration_us", (json_int_t)e->duration_us, "text",
		   json_text(e->text)));
	return j;
}
