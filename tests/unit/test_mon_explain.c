/* SPDX-License-Identifier: ISC */
/*
 * Explain says what acquire does.  Of a random machine in a random state, with
 * a random policy and random users, is asked what MON_EXPLAIN says, and at once
 * MON_ACQUIRE is sent and served to its end.  Both answer with the same status,
 * and where they refuse, with the same sentences; explain changes nothing, and
 * the devices that it says will be rebound are.
 *
 * What the machine is and what stands for the kernel: test_mon_walk.h and
 * test_mon_kernel.h.  All between request_dispatch() and those is the broker's.
 *
 * What explain does not promise, and is not compared:
 *
 *	It asks about one device and a new lease, as its record does.
 *	A kernel that fails while acquire works is no decision: here workers
 *	of who asks succeed, nodes open, and limits can be raised.
 *	With MON_EXPLAIN_MANAGED it answers as if a device that is on a vfio
 *	driver had to be taken from the host.  Where it can be, it is moved
 *	there before acquire; else yes must remain yes, for who may rebind may
 *	do without.
 *	MON_ACQUIRE_UNMANAGED has no word in explain; what it refuses beyond
 *	follows from what would have to be rebound.
 *	It does not say by which nodes; the answer is the same for both.
 *	An administrator is told all reasons, with who is behind them, where
 *	acquire stops at the first kind: no sentence of acquire may lack.
 *
 * VFIOBROKER_SEED and VFIOBROKER_CASES: see test_random.h; a seed is of
 * QUESTIONS questions, which one machine is asked.
 */

#include "test_mon_question.h"

#define QUESTIONS 25
#define STEPS_MAX 4 /* of the walk, before each */

static unsigned long nasked, nstrangers, nunmanaged, nmoved, nimplied, nabout,
    nrules;
static unsigned long nrebound, counts[STATUS_COUNT];
static int logfd;

/* ---- explain ----------------------------------------------------------- */

/* All that a request could have changed. */
static uint64_t
fingerprint(void)
{
	const struct device *d;
	const struct lease *l;
	uint64_t h = nworkers;

	TAILQ_FOREACH(d, &inventory, entry) {
		h = h * 31 + d->state;
		h = h * 31 + (uintptr_t)d->lease;
		h = h * 31 + (uintptr_t)d->held_by;
		h = h * 31 + (uintptr_t)d->wanted;
		h = h * 31 + (uintptr_t)d->worker;
		h = h * 31 + d->record.lease;
		h = h * 8 + d->claimed * 4U + d->claim_failed * 2U +
		    d->record.taken;
	}
	TAILQ_FOREACH(l, &leases, entry)
		h = h * 31 + l->id + l->memlock;
	TAILQ_FOREACH(l, &ended_leases, entry)
		h = h * 31 + l->id;
	return h;
}

/* ---- acquire ------------------------------------------------- */

/* A sibling that a host driver has may only be taken if a line says so. */
static bool
takes_siblings(const struct question *q)
{
	const struct device *d = inventory_find(&q->m.device);
	const struct policy_usage none = { .ndevices = 0 };
	struct policy_subject who = q->of->s.peer.who;
	bool managed = !q->on_vfio || q->moved;
	struct policy_request want = { .devices = &d->facts,
		.ndevices = 1,
		.managed = &managed,
		.memlock = q->m.memlock,
		.new_lease = true };
	struct policy_decision dec;
	struct policy_terms terms;

	policy_decide(policy_current(), &inventory_world, &who, &none, &want,
	    &dec, &terms);
	return dec.verdict == POLICY_ALLOW && terms.siblings_take;
}

static void
claim_done(struct question *q, struct worker *w)
{
	bool claim = w->plan == PLAN_CLAIM;

	CHECK(!claim || takes_siblings(q) ||
	      bdf_cmp(&w->device->facts.bdf, &q->m.device) == 0);
	q->claims += claim;
	worker_end(w, 0, "");
}

/* The claims of who asks succeed; all others stay where they are. */
static void
acquire(struct question *q)
{
	struct asker *a = q->of;
	struct worker *w, *next;
	unsigned done = 1;

	asker_send(a, &q->acquire, sizeof(q->acquire));
	for (walk_quiet(); !a->ended; walk_quiet()) {
		CHECK_MSG(done > 0, "nobody serves it");
		done = 0;
		TAILQ_FOREACH_SAFE(w, &workers, entry, next) {
			if (w->device == NULL ||
			    w->device->wanted != a->s.acquisition)
				continue;
			claim_done(q, w);
			done++;
		}
	}
}

static void
assert_granted(const struct question *q)
{
	const struct device *d = inventory_find(&q->m.device);
	const struct lease *l = lease_find(q->of->grant.lease);
	bool iommufd = q->acquire.flags & MON_ACQUIRE_IOMMUFD;
	unsigned groups = 0, cdevs = 0;

	CHECK(l != NULL && d->lease == l && d->state == STATE_LEASED);
	CHECK(device_on_vfio(d) && l->uid == q->of->s.peer.who.uid);
	CHECK(q->of->leasefd != -1);
	for (size_t i = 0; i < q->of->grant.nfds; i++) {
		if (q->of->grant.fds[i].kind == MON_FD_GROUP)
			groups += q->of->grant.fds[i].group == d->facts.group;
		else if (q->of->grant.fds[i].kind == MON_FD_DEVICE)
			cdevs += bdf_cmp(&q->of->grant.fds[i].device,
				     &q->m.device) == 0;
	}
	CHECK(groups == !iommufd && cdevs == iommufd);
	CHECK(d->record.cdev == iommufd && l->iommufd == iommufd);
}

/* ---- comparing --------------------------------------------------------- */

static unsigned
count(const char *text, const char *what)
{
	unsigned n = 0;

	while ((text = strstr(text, what)) != NULL) {
		text++;
		n++;
	}
	return n;
}

/*
 * Unmanaged is asked after policy, holders and group, and before the guard,
 * about all that would be rebound.
 */
static enum status
unmanaged_status(const struct question *q)
{
	const struct device *d = inventory_find(&q->m.device);
	enum status said = q->by->status;

	if (said == STATUS_OK && strstr(q->by->steps.text, "driver_override"))
		return STATUS_DENIED;
	if (said == STATUS_HOST_IN_USE && !(q->on_vfio && d->facts.group < 0))
		return STATUS_DENIED;
	return said;
}

/* Whether explain has the sentence, or another about the same device: an
 * administrator is told who holds it. */
static bool
is_said(const struct asker *by, const char *line, size_t len)
{
	char start[1024];
	const char *is;

	snprintf(start, sizeof(start), "%.*s\n", (int)len, line);
	if (strstr(by->refusal.text, start) != NULL)
		return true;
	is = strstr(start, " is ");
	if (is == NULL)
		return false;
	start[is - start + 4] = '\0';
	return strstr(by->refusal.text, start) != NULL;
}

static void
assert_all_said(const struct question *q)
{
	const char *line = q->of->refusal.text, *end;

	for (; (end = strchr(line, '\n')) != NULL; line = end + 1)
		if (strncmp(line, "why: ", 5) == 0)
			CHECK_MSG(is_said(q->by, line, (size_t)(end - line)),
			    "explain lacks %.*s", (int)(end - line), line);
}

/* The first of its rules is the line on which the decision stands, with why. */
static void
assert_rule(const struct question *q)
{
	const char *rule = q->by->rules.text, *text, *why;
	char want[1024];
	int len;

	if (q->by->status == STATUS_OK) {
		len = (int)strcspn(rule, "\n");
		CHECK_MSG(len > 0 && strncmp(rule + len - 20,
					 ": covers the request", 20) == 0,
		    "it may, by: %.*s", len, rule);
		return;
	}
	text = strstr(q->by->refusal.text, "the policy does not let uid ");
	if (text == NULL || strstr(text, "no allow line covers it") != NULL)
		return;
	/* "FILE:LINE: TEXT: WHY[; add: LINE]" there, "WHY (FILE:LINE: TEXT)"
	 * here. */
	text = strstr(rule, ": ");
	why = text == NULL ? NULL : strstr(text + 2, ": ");
	CHECK_MSG(why != NULL, "no rule: %s", rule);
	len = (int)strcspn(why + 2, ";\n");
	snprintf(want, sizeof(want), ": %.*s (%.*s)\n", len, why + 2,
	    (int)(why - rule), rule);
	CHECK_MSG(strstr(q->by->refusal.text, want) != NULL,
	    "the rule is %.*s, but: %s", (int)strlen(rule), rule,
	    q->by->refusal.text);
	nrules++;
}

static void
assert_same(const struct question *q)
{
	bool unmanaged = q->acquire.flags & MON_ACQUIRE_UNMANAGED;
	enum status said = unmanaged ? unmanaged_status(q) : q->by->status;

	if (q->as_if && !q->moved) {
		nimplied++;
		CHECK(said != STATUS_OK || q->of->status == STATUS_OK);
		return;
	}
	CHECK_MSG(q->of->status == said, "explain: %s, acquire: %s",
	    status_name(said), status_name(q->of->status));
	if (said == STATUS_OK && !q->as_if) {
		nrebound += q->claims;
		CHECK(count(q->by->steps.text, "driver_override") == q->claims);
	}
	CHECK(q->by->may == (q->by->status == STATUS_OK));
	CHECK((q->by->steps.len > 0) == (q->by->status == STATUS_OK));
	CHECK((q->of->refusal.len > 0) == (said != STATUS_OK));
	assert_rule(q);
	if (unmanaged || q->as_if || said == STATUS_OK)
		return;
	if (q->admin)
		assert_all_said(q);
	else
		CHECK(strcmp(q->by->refusal.text, q->of->refusal.text) == 0);
}

/* As if it had to be taken from the host: give it back, if that can be. */
static void
move_home(struct question *q)
{
	struct device *d = inventory_find(&q->m.device);
	struct function *f = function_of(&q->m.device);

	if (!q->as_if || d->state != STATE_READY || d->record.taken ||
	    d->worker != NULL || d->wanted != NULL)
		return;
	f->reasons = 0;
	f->unreadable = false;
	function_bind(f, "igb");
	q->moved = true;
	nmoved++;
}

static bool
is_stranger(const struct question *q)
{
	return !q->admin && q->by->s.peer.who.uid != q->of->s.peer.who.uid;
}

static void
ask(struct question *q)
{
	uint64_t before = fingerprint();

	asker_send(q->by, &q->m, sizeof(q->m));
	walk_quiet(); /* the look at the host */
	CHECK(q->by->ended);
	CHECK(fingerprint() == before);
	if (is_stranger(q)) {
		CHECK(q->by->status == STATUS_DENIED);
		nstrangers++;
		return;
	}
	nasked++;
	counts[q->by->status]++;
	nabout += q->by->s.peer.who.uid != q->of->s.peer.who.uid;
	nunmanaged += (q->acquire.flags & MON_ACQUIRE_UNMANAGED) != 0;
	move_home(q);
	acquire(q);
	assert_same(q);
	if (q->of->status == STATUS_OK)
		assert_granted(q);
}

static void
check_case(void)
{
	struct question q;

	/* Who waits is not told of what no event tells. */
	acquisition_poke();
	walk_quiet();
	question_random(&q);
	asked = &q;
	ask(&q);
	asked = NULL;
	if (nholders + nwaiters >= HOLDERS_MAX - 1)
		holder_end(0);
	if (q.of->ended)
		walk_answered(q.of);
	else
		asker_free(q.of);
	asker_free(q.by);
	walk_quiet();
}

static void
check_machine(void)
{
	walk_begin();
	for (int i = 0; i < QUESTIONS; i++) {
		if (one_in(8))
			walk_policy();
		for (size_t n = below(STEPS_MAX + 1); n > 0; n--)
			walk();
		check_case();
	}
	walk_end();
}

/* ---- all of it --------------------------------------------------------- */

static void
tell(void)
{
	printf("explain: seed %llu, %lu questions, %lu granted; %lu strangers, "
	       "%lu about others, %lu unmanaged, %lu moved home, %lu implied; "
	       "%lu rebound, %lu refused by a line\n",
	    (unsigned long long)seed, nasked, counts[STATUS_OK], nstrangers,
	    nabout, nunmanaged, nmoved, nimplied, nrebound, nrules);
	printf("explain:");
	for (enum status s = 0; s < STATUS_COUNT; s++)
		if (counts[s] > 0)
			printf(" %s %lu", status_name(s), counts[s]);
	printf("\nexplain:");
	for (enum state s = 0; s < STATE_COUNT; s++)
		if (nstates[s] > 0)
			printf(" %s %lu", state_name(s), nstates[s]);
	printf("\n");
}

START_TEST(explain_is_acquire)
{
	static const enum status told[] = { STATUS_OK, STATUS_NOT_FOUND,
		STATUS_DENIED, STATUS_IDENTITY, STATUS_HOST_IN_USE,
		STATUS_GROUP, STATUS_BUSY, STATUS_LIMIT, STATUS_UNAVAILABLE };

	ck_assert_int_ge(dup2(logfd, STDERR_FILENO), 0);
	walk_init();
	for (unsigned long i = 0; nasked < cases; i++) {
		ck_assert_int_eq(ftruncate(logfd, 0), 0);
		ck_assert_int_eq(lseek(logfd, 0, SEEK_SET), 0);
		case_begin(i);
		dprintf(logfd, "VFIOBROKER_SEED=%llu\n",
		    (unsigned long long)case_seed);
		check_machine();
	}
	tell();
	/* Agreement about what never happens is worth nothing. */
	for (size_t i = 0; i < sizeof(told) / sizeof(told[0]); i++)
		ck_assert_msg(cases < 10000 || counts[told[i]] > 0, "never %s",
		    status_name(told[i]));
	for (enum state s = 0; s < STATE_GONE; s++)
		ck_assert_msg(
		    cases < 10000 || nstates[s] > 0, "never %s", state_name(s));
}
END_TEST

/* What was logged of the machine at which it failed, or died. */
static void
log_print(void)
{
	static char log[1 << 16];
	ssize_t n = pread(logfd, log, sizeof(log), 0);

	fwrite(log, 1, n < 0 ? 0 : (size_t)n, stdout);
}

int
main(void)
{
	int failed;

	logfd = memfd_create("log", MFD_CLOEXEC);
	failed = run_cases("explain", explain_is_acquire);
	if (failed != 0)
		log_print();
	return failed;
}
