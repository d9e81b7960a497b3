/* SPDX-License-Identifier: ISC */
/*
 * `vfiobroker explain`: would the device be given, and why.  The broker
 * answers with its own evaluator; here the answer is only laid out.
 */

#include "command.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "json.h"
#include "say.h"
#include "username.h"

#define EXPLAIN_GROUPS 33

/* In the order they are shown.  A heading alone on its line has a list. */
static const struct section {
	const char *heading;
	const char *key;
	enum vfiobroker_text_kind kind;
	bool list;
} sections[] = {
	{ "decision", "decision", VFIOBROKER_TEXT_DECISION, false },
	{ "rule", "rule", VFIOBROKER_TEXT_RULE, false },
	{ "why", "why", VFIOBROKER_TEXT_WHY, false },
	{ "fix", "fix", VFIOBROKER_TEXT_FIX, false },
	{ "near misses", "near", VFIOBROKER_TEXT_NEAR, true },
	{ "limits", "limits", VFIOBROKER_TEXT_LIMIT, true },
	{ "reasons against", "reasons", VFIOBROKER_TEXT_REASON, true },
	{ "siblings", "siblings", VFIOBROKER_TEXT_SIBLING, true },
	{ "steps", "steps", VFIOBROKER_TEXT_STEP, true },
};

#define NSECTIONS (sizeof(sections) / sizeof(sections[0]))

struct question {
	struct device_list devices;
	const char *user;
	uint64_t memlock;
	bool managed;
	bool json;
	gid_t gids[EXPLAIN_GROUPS];
	struct vfiobroker_about about;
};

static int
look_up_user(struct question *q)
{
	const struct passwd *pw = getpwnam(q->user);
	int n = EXPLAIN_GROUPS;

	if (pw == NULL) {
		say("explain: there is no user '%s' on this machine", q->user);
		return EX_NOINPUT;
	}
	if (getgrouplist(pw->pw_name, pw->pw_gid, q->gids, &n) == -1)
		say("explain: %s is in %d groups; only the first %d count here",
		    q->user, n, EXPLAIN_GROUPS);
	q->about = (struct vfiobroker_about){ .uid = pw->pw_uid,
		.gids = q->gids,
		.ngids = (size_t)(n < EXPLAIN_GROUPS ? n : EXPLAIN_GROUPS) };
	return EX_OK;
}

static void
print_section(const struct section *s, const struct vfiobroker_text *texts,
    size_t n, int r)
{
	enum colour colour = COLOUR_NONE;
	unsigned number = 0;
	char text[2048];

	if (s->kind == VFIOBROKER_TEXT_DECISION)
		colour = r == 0 ? COLOUR_GOOD : COLOUR_BAD;
	for (size_t i = 0; i < n; i++) {
		if (texts[i].kind != s->kind)
			continue;
		number++;
		username_expand(texts[i].text, text, sizeof(text));
		if (s->list && number == 1)
			printf("%s\n", s->heading);
		if (s->kind == VFIOBROKER_TEXT_STEP)
			printf("  %u. %s\n", number, text);
		else if (s->list)
			printf("  %s\n", text);
		else
			printf("%-9s %s%s%s\n", number == 1 ? s->heading : "",
			    colour_start(stdout, colour), text,
			    colour_end(stdout, colour));
	}
}

static int
print_json(const struct question *q, const struct vfiobroker_text *texts,
    size_t n, int r)
{
	json_t *j = json_answer("explain");

	json_object_update_new(j,
	    json_pack("{s:o, s:b, s:i}", "device", json_bdf(&q->devices.v[0]),
		"granted", r == 0, "exit", vfiobroker_exit_status(r)));
	for (size_t s = 0; s < NSECTIONS; s++) {
		json_t *array = json_array();

		for (size_t i = 0; i < n; i++)
			if (texts[i].kind == sections[s].kind)
				json_array_append_new(
				    array, json_visible(texts[i].text));
		json_object_set_new(j, sections[s].key, array);
	}
	return json_print(j);
}

/* A question that was not understood has no decision. */
static bool
has_decision(const struct vfiobroker_text *texts, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (texts[i].kind == VFIOBROKER_TEXT_DECISION)
			return true;
	return false;
}

static int
explain(struct vfiobroker *broker, const struct question *q)
{
	const struct vfiobroker_text *texts = NULL;
	int r = vfiobroker_explain(broker, &q->devices.v[0], q->memlock,
	    q->managed, q->user != NULL ? &q->about : NULL);
	size_t n;

	if (r < 0)
		return say_refusal(broker, r);
	n = vfiobroker_texts(broker, &texts);
	if (!has_decision(texts, n))
		return r == 0 ? EX_OK : say_refusal(broker, r);
	if (q->json) {
		if (print_json(q, texts, n, r) != EX_OK)
			return EX_OSERR;
	} else {
		for (size_t i = 0; i < NSECTIONS; i++)
			print_section(&sections[i], texts, n, r);
	}
	return vfiobroker_exit_status(r);
}

int
cmd_explain(const struct command *c, int argc, char **argv)
{
	struct question q = { .user = NULL };
	const struct option_spec options[] = {
		{ "device", "BDF", "the device", option_device, &q.devices },
		{ "user", "NAME", "somebody else (admins)", option_text,
		    &q.user },
		{ "managed", NULL, "as if it had to leave a host driver",
		    option_flag, &q.managed },
		{ "memlock", "SIZE", "with so much memory to lock", option_size,
		    &q.memlock },
		{ "json", NULL, "print JSON", option_flag, &q.json },
		{ .name = NULL },
	};
	struct vfiobroker *broker = NULL;
	int r = options_read(c, options, &argc, &argv);

	if (r != OPTIONS_OK)
		return r;
	r = command_operands(c, argc, 0);
	if (r == EX_OK && q.devices.n != 1)
		r = say_usage(c->name, "explain: --device is needed once");
	if (r == EX_OK && q.user != NULL)
		r = look_up_user(&q);
	if (r == EX_OK)
		r = command_connect(&broker);
	if (r == EX_OK)
		r = explain(broker, &q);
	vfiobroker_close(broker);
	return r;
}
