/* SPDX-License-Identifier: ISC */
/*
 * Explain: the check of acquire itself, said aloud, and the steps that acquire
 * would then take.  Changes nothing.
 */

#include "explain.h"

#include "broker/common/state.h"
#include "check.h"
#include "inventory.h"
#include "policyload.h"
#include "request.h"
#include "session.h"
#include "sysfs.h"
#include "usage.h"

#include <stdlib.h>
#include <string.h>

/* One that waits for a look. */
struct explanation {
	TAILQ_ENTRY(explanation) entry;
	struct session *session;
	struct mon_explain m;
	struct hostuse *look;
};

static TAILQ_HEAD(, explanation) waiting = TAILQ_HEAD_INITIALIZER(waiting);

struct notes {
	struct session *s;
	bool admin;
	unsigned n[POLICY_NOTE_KINDS];
};

static const enum mon_text_kind note_kinds[POLICY_NOTE_KINDS] = {
	[POLICY_NOTE_DECIDED] = MON_TEXT_RULE,
	[POLICY_NOTE_ALSO] = MON_TEXT_RULE,
	[POLICY_NOTE_OTHERS] = MON_TEXT_NEAR,
	[POLICY_NOTE_NEAR] = MON_TEXT_NEAR,
	[POLICY_NOTE_LIMIT] = MON_TEXT_LIMIT,
};

static void
say_note(void *arg, const struct policy_note *note)
{
	struct notes *notes = arg;

	/* What others may is no affair of his. */
	if (note->kind == POLICY_NOTE_OTHERS && !notes->admin)
		return;
	/* All of it would be the whole policy. */
	if (++notes->n[note->kind] > POLICY_NOTES_MAX)
		return;
	session_say(notes->s, note_kinds[note->kind], "%s:%u: %s: %s",
	    policy_rule_file(note->rule), policy_rule_line(note->rule),
	    policy_rule_text(note->rule), note->why);
}

static void
say_rules(struct session *s, const struct check *c, const struct device *d)
{
	bool managed = c->as_managed || !device_on_vfio(d);
	struct policy_request req = { .devices = &d->facts,
		.ndevices = 1,
		.managed = &managed,
		.memlock = c->memlock,
		.new_lease = true };
	struct policy_usage usage;
	struct notes notes = { .s = s, .admin = c->all };
	int r = usage_of(c->who.uid, NULL, true, &usage);

	if (r == 0) {
		for (size_t i = c->nbdfs; i < c->ncounted; i++)
			usage_add(&usage, c->members[i].device);
		r = policy_explain(policy_current(), &inventory_world, &c->who,
		    &usage, &req, say_note, &notes);
		usage_clear(&usage);
	}
	if (r != 0)
		session_say(s, MON_TEXT_RULE, "cannot tell the lines: %s",
		    strerror(-r));
	for (size_t i = 0; i < POLICY_NOTE_KINDS; i++) {
		if (notes.n[i] > POLICY_NOTES_MAX)
			session_say(s, note_kinds[i], "and %u more",
			    notes.n[i] - POLICY_NOTES_MAX);
	}
}

static void
say_siblings(struct session *s, const struct device *of)
{
	const struct device *d;

	TAILQ_FOREACH(d, &inventory, entry) {
		if (inventory_mates(d, of))
			session_say(s, MON_TEXT_SIBLING, "%s, %s, %s%s",
			    device_name(d),
			    d->driver[0] == '\0' ? "no driver" : d->driver,
			    state_name(d->state),
			    d->is_bridge ? ", a bridge: ignored" : "");
	}
}

static void
say_claim_steps(struct session *s, const struct device *d)
{
	const char *name = device_name(d);

	session_say(s, MON_TEXT_STEP,
	    "record what to put back for %s: driver %s and its override", name,
	    d->driver[0] == '\0' ? "none" : d->driver);
	session_say(
	    s, MON_TEXT_STEP, "set driver_override of %s to vfio-pci", name);
	if (d->driver[0] != '\0')
		session_say(
		    s, MON_TEXT_STEP, "unbind %s from %s", name, d->driver);
	session_say(
	    s, MON_TEXT_STEP, "probe %s and verify that vfio-pci has it", name);
}

static void
say_steps(struct session *s, const struct check *c)
{
	bool loaded = sysfs_driver_loaded("vfio-pci");

	for (size_t i = 0; i < c->nmembers; i++) {
		const struct device *d = c->members[i].device;

		if (device_on_vfio(d))
			continue;
		if (!loaded)
			session_say(
			    s, MON_TEXT_STEP, "load vfio-pci by modprobe");
		loaded = true;
		say_claim_steps(s, d);
	}
	session_say(s, MON_TEXT_STEP,
	    "open /dev/vfio/vfio and /dev/vfio/%d, check their numbers and "
	    "that the group is viable",
	    c->members[0].device->facts.group);
	if (c->memlock > 0)
		session_say(s, MON_TEXT_STEP,
		    "raise the limit of locked memory to at least %llu bytes",
		    (unsigned long long)c->memlock);
	session_say(s, MON_TEXT_STEP,
	    "make the lease, hand over its fds, and keep none");
}

/* One's own groups are the kernel's word; of others the asker gives them. */
static struct policy_subject
subject_of(const struct session *s, struct mon_explain *m, bool admin)
{
	policy_sort_gids(m->gids, m->ngids);
	if (!(m->flags & MON_EXPLAIN_USER) ||
	    (!admin && m->uid == s->peer.who.uid))
		return s->peer.who;
	return (struct policy_subject){
		.uid = m->uid, .gids = m->gids, .ngids = m->ngids
	};
}

static void
explain_answer(struct session *s, struct check *c)
{
	const struct device *d = inventory_find(c->bdfs);

	session_say(s, MON_TEXT_DECISION,
	    c->status == STATUS_OK ? "uid %u may have %s now"
				   : "uid %u may not have %s now",
	    c->who.uid, d == NULL ? "it" : device_name(d));
	texts_send(&c->texts, s);
	if (d != NULL) {
		say_rules(s, c, d);
		if (c->nmembers > 0)
			say_siblings(s, d);
	}
	if (c->status == STATUS_OK)
		say_steps(s, c);
	session_end(s, c->status);
}

static void
explain_end(struct explanation *e)
{
	TAILQ_REMOVE(&waiting, e, entry);
	hostuse_drop(&e->look);
	free(e);
}

static void explain_seen(void *);

/* False: the answer has to wait for a look. */
static bool
explain_check(struct explanation *e, struct session *s, bool admin)
{
	struct check c = { .who = subject_of(s, &e->m, admin),
		.foreign = s->peer.foreign,
		.look = e->look,
		.bdfs = &e->m.device,
		.nbdfs = 1,
		.memlock = e->m.memlock,
		.as_managed = e->m.flags & MON_EXPLAIN_MANAGED,
		.explain = true,
		.all = admin };

	if (c.who.uid != s->peer.who.uid && !admin) {
		session_refuse(s, STATUS_DENIED,
		    "only administrators may ask about other users\n"
		    "ask about yourself, or have one of them ask");
		return true;
	}
	check_run(&c);
	hostuse_drop(&e->look);
	if (c.unseen)
		e->look = hostuse_look(
		    s->peer.who.uid, c.to_see, c.nto_see, explain_seen, e);
	if (!c.unseen)
		explain_answer(s, &c);
	else if (e->look == NULL)
		session_end(s, STATUS_INTERNAL);
	texts_clear(&c.texts);
	return e->look == NULL;
}

/* The world may be another one by now: all is checked anew. */
static void
explain_seen(void *arg)
{
	struct explanation *e = arg;

	if (explain_check(e, e->session, request_admin(e->session)))
		explain_end(e);
}

void
explain_request(struct session *s, const void *record)
{
	struct explanation *e = calloc(1, sizeof(*e));

	if (e == NULL) {
		session_end(s, STATUS_INTERNAL);
		return;
	}
	e->session = s;
	e->m = *(const struct mon_explain *)record;
	TAILQ_INSERT_TAIL(&waiting, e, entry);
	explain_seen(e);
}

void
explain_forget(const struct session *s)
{
	struct explanation *e, *next;

	TAILQ_FOREACH_SAFE(e, &waiting, entry, next) {
		if (e->session == s)
			explain_end(e);
	}
}
