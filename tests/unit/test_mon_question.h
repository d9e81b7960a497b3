/* SPDX-License-Identifier: ISC */
#ifndef VFIOBROKER_TESTS_TEST_MON_QUESTION_H
#define VFIOBROKER_TESTS_TEST_MON_QUESTION_H

/*
 * Random questions to explain, the requests that go with them, and what a
 * person has to see of one that was answered wrongly.
 */

#include "test_mon_walk.h"

struct question {
	struct asker *by; /* who asks */
	struct asker *of; /* about whom, who then acquires */
	struct mon_explain m;
	bool admin; /* is who asks */
	bool on_vfio; /* was the device when it was asked about */
	bool as_if; /* MANAGED, and it is on a vfio driver */
	bool moved; /* therefore it was given to the host */
	struct mon_acquire acquire;
	unsigned claims; /* made for it */
};

static unsigned long nstates[STATE_COUNT]; /* of the device, when asked */
static const struct question *asked;

/* ---- when it fails ----------------------------------------------------- */

static void
device_print(FILE *out, const struct device *d)
{
	const struct function *f = function_of(&d->facts.bdf);

	fprintf(out, "%s%s group %d driver '%s' (%s) %s", device_name(d),
	    d->is_bridge ? " bridge" : "", d->facts.group, d->driver, f->driver,
	    state_name(d->state));
	fprintf(out, "%s%s%s%s reasons %x%s lease %llu held by %llu: %s\n",
	    d->record.taken ? " taken" : "", d->claimed ? " claimed" : "",
	    d->wanted != NULL ? " wanted" : "",
	    life_arriving(d) ? " arriving" : "", f->reasons,
	    f->unreadable ? " unreadable" : "",
	    d->lease == NULL ? 0ULL : (unsigned long long)d->lease->id,
	    d->held_by == NULL ? 0ULL : (unsigned long long)d->held_by->id,
	    d->why);
}

static void
asker_print(FILE *out, const struct asker *a, const char *what)
{
	fprintf(out, "%s: uid %u%s, groups", what, a->s.peer.who.uid,
	    a->s.peer.foreign ? " (foreign)" : "");
	for (size_t i = 0; i < a->s.peer.who.ngids; i++)
		fprintf(out, " %u", a->gids[i]);
	fprintf(out, ": %s\n%s", a->ended ? status_name(a->status) : "waits",
	    a->refusal.text);
}

static void
case_print(FILE *out)
{
	const struct question *q = asked;
	const struct device *d;
	const struct lease *l;
	char name[BDF_STRLEN];

	for (size_t i = 0; i < book.n; i++)
		fprintf(out, "%s\n", book.lines[i]);
	TAILQ_FOREACH(d, &inventory, entry)
		device_print(out, d);
	TAILQ_FOREACH(l, &leases, entry)
		fprintf(out, "lease %llu of uid %u, memlock %llu\n",
		    (unsigned long long)l->id, l->uid,
		    (unsigned long long)l->memlock);
	if (q == NULL)
		return;
	fprintf(out, "%s memlock %llu, explain flags %x, acquire flags %x\n",
	    bdf_format(&q->m.device, name), (unsigned long long)q->m.memlock,
	    q->m.flags, q->acquire.flags);
	asker_print(out, q->by, "explain");
	asker_print(out, q->of, "acquire");
}

/* ---- the question ------------------------------------------------------ */

static struct asker *
asker_like(const struct asker *a)
{
	struct asker *b = asker_new(
	    a->s.peer.who.uid, a->s.peer.who.gids, a->s.peer.who.ngids);

	b->s.peer.foreign = a->s.peer.foreign;
	return b;
}

/* With the last group first: the monitor has to sort them. */
static void
question_name(struct mon_explain *m, const struct asker *of)
{
	m->flags |= MON_EXPLAIN_USER;
	m->uid = of->s.peer.who.uid;
	for (size_t i = of->s.peer.who.ngids; i-- > 0;)
		m->gids[m->ngids++] = of->gids[i];
}

static void
question_subject(struct question *q)
{
	bool self;

	q->of = walk_asker();
	q->of->s.peer.foreign = one_in(40);
	q->by = one_in(3) ? walk_asker() : asker_like(q->of);
	q->admin = request_admin(&q->by->s);
	self = q->by->s.peer.who.uid == q->of->s.peer.who.uid;
	if (q->admin || !self || one_in(4))
		question_name(&q->m, q->of);
	/* Whom an administrator names is of here. */
	if (q->admin)
		q->of->s.peer.foreign = false;
	/* Of oneself the kernel's word counts. */
	if (!q->admin && self) {
		asker_free(q->of);
		q->of = asker_like(q->by);
	}
}

static void
question_random(struct question *q)
{
	const struct device *d;

	*q = (struct question){ .m.h.type = MON_EXPLAIN };
	question_subject(q);
	q->m.device = PICK(functions).bdf;
	if (one_in(60))
		q->m.device.bus = 0xfe; /* no such address */
	q->m.memlock = PICK(sizes);
	if (one_in(5))
		q->m.flags |= MON_EXPLAIN_MANAGED;
	q->acquire = (struct mon_acquire){ .h.type = MON_ACQUIRE,
		.memlock = q->m.memlock,
		.flags = MON_ACQUIRE_NO_WAIT,
		.ndevices = 1,
		.devices = { q->m.device } };
	if (!(q->m.flags & MON_EXPLAIN_MANAGED) && one_in(6))
		q->acquire.flags |= MON_ACQUIRE_UNMANAGED;
	if (one_in(3))
		q->acquire.flags |= MON_ACQUIRE_IOMMUFD;
	d = inventory_find(&q->m.device);
	if (d != NULL) {
		nstates[d->state]++;
		if (one_in(8))
			driver_change_unheard(d->facts.group);
	}
	q->on_vfio =
	    d != NULL && driver_is_vfio(function_of(&d->facts.bdf)->driver);
	q->as_if = q->on_vfio && q->m.flags & MON_EXPLAIN_MANAGED;
}

#endif
