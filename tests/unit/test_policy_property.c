/* SPDX-License-Identifier: ISC */
/*
 * Properties of random policies and random requests:
 *
 *	an added allow never takes a permission away,
 *	an added deny never gives one,
 *	the order of lines and of files changes no answer,
 *	what is printed parses to the same policy,
 *	explain names the line that decides,
 *	the line that a refusal suggests suffices,
 *	who may have more may have less.
 *
 * VFIOBROKER_SEED and VFIOBROKER_CASES override seed and number of policies.
 */

#include "test_policy_random.h"

#define REQUESTS 4 /* asked of each policy */

static struct policy *
book_load(const struct book *b)
{
	struct policy_source sources[FILES_MAX];
	size_t nfiles = book_sources(b, sources);
	struct errors errors = { 0 };
	struct policy *p;

	policy_load(
	    &p, sources, nfiles, &machine_resolver, errors_add, &errors);
	CHECK_MSG(p != NULL, "%u:%u: %s in\n%s", errors.first.line,
	    errors.first.column, errors.first.text, sources[0].text);
	return p;
}

/* ---- random requests --------------------------------------------------- */

static void
request_random(struct request *r)
{
	static const gid_t gids[] = { 7, 10, 36, 44 };
	size_t first = below(MACHINE_SIZE), held = below(3);

	request_init(r);
	r->subject.uid = 1000 + (uid_t)below(3);
	for (size_t i = 0; i < 4; i++)
		if (one_in(3))
			r->gids[r->subject.ngids++] = gids[i];
	r->request.ndevices = one_in(3) ? 1 + below(3) : 1;
	r->request.memlock = PICK(sizes);
	r->request.new_lease = !one_in(4);
	for (size_t i = 0; i < r->request.ndevices; i++) {
		machine_device(
		    machine[(first + i) % MACHINE_SIZE].bdf, &r->devices[i]);
		r->managed[i] = one_in(4);
	}
	r->usage.ndevices = held;
	for (size_t i = 0; i < held; i++)
		machine_device(
		    machine[(first + 5 + i) % MACHINE_SIZE].bdf, &r->held[i]);
	r->usage.leases = (unsigned)below(3);
	r->usage.memlock = one_in(2) ? PICK(sizes) : 0;
}

/* ---- answers ----------------------------------------------------------- */

struct answer {
	struct policy_decision d;
	struct policy_terms terms[REQUEST_DEVICES];
};

static void
ask(const struct policy *p, const struct request *r, struct answer *a)
{
	memset(a, 0, sizeof(*a));
	request_decide(p, r, &a->d, a->terms);
	CHECK((a->d.rule == NULL) == (a->d.verdict == POLICY_NO_RULE));
	CHECK((a->d.why[0] == '\0') == (a->d.verdict == POLICY_ALLOW));
	CHECK(a->d.device < r->request.ndevices);
}

static bool
allowed(const struct policy *p, const struct request *r)
{
	struct answer a;

	ask(p, r, &a);
	return a.d.verdict == POLICY_ALLOW;
}

/* Everything but the name of the line. */
static bool
answers_equal(const struct answer *a, const struct answer *b, size_t ndevices)
{
	if (a->d.verdict != b->d.verdict || a->d.device != b->d.device)
		return false;
	/* Where no line is named, or its limit only, the words agree too. */
	if ((a->d.verdict == POLICY_NO_RULE || a->d.verdict == POLICY_LIMIT) &&
	    strcmp(a->d.why, b->d.why) != 0)
		return false;
	for (size_t i = 0; a->d.verdict == POLICY_ALLOW && i < ndevices; i++) {
		const struct policy_terms *x = &a->terms[i], *y = &b->terms[i];

		if (x->siblings_take != y->siblings_take ||
		    x->reset_none != y->reset_none)
			return false;
	}
	return true;
}

/* The smaller questions. */
static bool
asks_equal(
    const struct policy *p, const struct policy *q, const struct request *r)
{
	const struct policy_world *w = &machine_world;
	struct policy_limits x, y;

	policy_limits_of(p, &r->subject, &x);
	policy_limits_of(q, &r->subject, &y);
	if (memcmp(&x, &y, sizeof(x)) != 0 ||
	    policy_is_admin(p, &r->subject) != policy_is_admin(q, &r->subject))
		return false;
	for (size_t i = 0; i < r->request.ndevices; i++) {
		const struct policy_device *d = &r->devices[i];

		if (policy_claims(p, w, d) != policy_claims(q, w, d))
			return false;
		for (enum reason n = 0; n < REASON_COUNT; n++)
			if (policy_tolerates(p, w, d, n) !=
			    policy_tolerates(q, w, d, n))
				return false;
	}
	return true;
}

static void
check_alike(
    const struct policy *p, const struct policy *q, const struct request *r)
{
	struct answer a, b;

	ask(p, r, &a);
	ask(q, r, &b);
	CHECK_MSG(answers_equal(&a, &b, r->request.ndevices), "%d %s\n%d %s",
	    a.d.verdict, a.d.why, b.d.verdict, b.d.why);
	CHECK(asks_equal(p, q, r));
}

/* ---- properties -------------------------------------------------------- */

static void
check_added_allow(
    const struct book *b, const struct policy *p, const struct request *r)
{
	struct book more = *b;
	struct answer before, after;
	struct policy *q;

	line_random(more.lines[more.n++], sizeof(more.lines[0]), "allow");
	book_shuffle(&more);
	q = book_load(&more);
	for (size_t i = 0; i < REQUESTS; i++) {
		ask(p, &r[i], &before);
		ask(q, &r[i], &after);
		if (before.d.verdict != POLICY_ALLOW)
			continue;
		CHECK(after.d.verdict == POLICY_ALLOW);
		for (size_t j = 0; j < r[i].request.ndevices; j++) {
			const struct policy_terms *was = &before.terms[j],
						  *is = &after.terms[j];

			CHECK(is->siblings_take >= was->siblings_take);
			CHECK(is->reset_none >= was->reset_none);
		}
	}
	policy_free(q);
}

static void
check_added_deny(
    const struct book *b, const struct policy *p, const struct request *r)
{
	struct book more = *b;
	struct policy *q;

	line_random(more.lines[more.n++], sizeof(more.lines[0]), "deny");
	book_shuffle(&more);
	q = book_load(&more);
	for (size_t i = 0; i < REQUESTS; i++)
		if (allowed(q, &r[i]))
			CHECK(allowed(p, &r[i]));
	policy_free(q);
}

static void
check_order(
    const struct book *b, const struct policy *p, const struct request *r)
{
	struct book other = *b;
	struct policy *q;

	book_shuffle(&other);
	q = book_load(&other);
	for (size_t i = 0; i < REQUESTS; i++)
		check_alike(p, q, &r[i]);
	policy_free(q);
}

static void
check_print(const struct policy *p, const struct request *r)
{
	char *once = NULL, *twice = NULL;
	size_t len;
	FILE *f = open_memstream(&once, &len);
	struct policy *q;

	policy_print(p, f, one_in(2));
	fclose(f);
	q = load_text(once, NULL);
	CHECK_MSG(q != NULL, "%s", once);
	for (size_t i = 0; i < REQUESTS; i++)
		check_alike(p, q, &r[i]);
	free(once);
	f = open_memstream(&once, &len);
	policy_print(p, f, false);
	fclose(f);
	f = open_memstream(&twice, &len);
	policy_print(q, f, false);
	fclose(f);
	CHECK(strcmp(once, twice) == 0);
	policy_free(q);
	free(once);
	free(twice);
}

struct notes {
	const struct policy_rule *decided;
	unsigned ndecided;
	unsigned before; /* notes before the decided one */
	unsigned n;
};

static void
notes_add(void *arg, const struct policy_note *note)
{
	struct notes *notes = arg;

	CHECK(note->rule != NULL);
	CHECK(note->why[0] != '\0');
	if (note->kind == POLICY_NOTE_DECIDED) {
		notes->before = notes->n;
		notes->decided = note->rule;
		notes->ndecided++;
	}
	notes->n++;
}

static void
check_explain(const struct policy *p, const struct request *r)
{
	struct notes notes = { 0 };
	struct answer a;

	ask(p, r, &a);
	policy_explain(p, &machine_world, &r->subject, &r->usage, &r->request,
	    notes_add, &notes);
	CHECK(notes.ndecided == (a.d.rule != NULL));
	CHECK(notes.before == (0));
	CHECK(notes.decided == a.d.rule);
}

static void
check_suggestion(
    const struct book *b, const struct policy *p, const struct request *r)
{
	struct book more = *b;
	struct answer a, c;
	struct policy *q;
	const char *add;

	ask(p, r, &a);
	add = strstr(a.d.why, "; add: ");
	CHECK((add != NULL) ==
	      (a.d.verdict == POLICY_NO_RULE || a.d.verdict == POLICY_SHORT));
	if (add == NULL)
		return;
	snprintf(more.lines[more.n++], sizeof(more.lines[0]), "%s", add + 7);
	q = book_load(&more);
	ask(q, r, &c);
	CHECK_MSG(c.d.verdict == POLICY_ALLOW || c.d.verdict == POLICY_LIMIT ||
		      c.d.device > a.d.device,
	    "%s\n%s", add, c.d.why);
	policy_free(q);
}

/* Less memory, no rebind, fewer devices held: never a refusal more. */
static void
check_less(const struct policy *p, const struct request *r)
{
	struct request less = *r;

	less.request.devices = less.devices;
	less.request.managed = less.managed;
	less.subject.gids = less.gids;
	less.usage.devices = less.held;
	less.request.memlock /= 2;
	less.managed[0] = false;
	if (less.usage.ndevices > 0)
		less.usage.ndevices--;
	if (allowed(p, r))
		CHECK(allowed(p, &less));
}

static unsigned long nallowed, nasked;

static struct book current;

static void
case_print(FILE *out)
{
	for (size_t i = 0; i < current.n; i++)
		fprintf(out, "%s\n", current.lines[i]);
}

static void
check_case(void)
{
	static struct request r[REQUESTS];
	struct policy *p;

	book_random(&current);
	p = book_load(&current);
	for (size_t i = 0; i < REQUESTS; i++) {
		request_random(&r[i]);
		nasked++;
		nallowed += allowed(p, &r[i]);
		check_explain(p, &r[i]);
		check_less(p, &r[i]);
	}
	check_suggestion(&current, p, &r[0]);
	check_added_allow(&current, p, r);
	check_added_deny(&current, p, r);
	check_order(&current, p, r);
	check_print(p, r);
	policy_free(p);
}

START_TEST(properties)
{
	for (unsigned long i = 0; i < cases; i++) {
		case_begin(i);
		check_case();
	}
	printf("policy_property: seed %llu, %lu policies, %lu requests, "
	       "%lu%% allowed\n",
	    (unsigned long long)seed, cases, nasked, nallowed * 100 / nasked);
	/* Properties of what never happens are worth nothing. */
	CHECK(nallowed * 100 / nasked >= 10);
}
END_TEST

int
main(void)
{
	return run_cases("policy_property", properties);
}
