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

#include <check.h>
#include <stdarg.h>

#include "test_policy.h"

#define LINES_MAX 16
#define FILES_MAX 3
#define POOLS 3
#define REQUESTS 4 /* asked of each policy */

static uint64_t seed = 20240229;
static unsigned long cases = 100000;

static void fail_case(int line, const char *fmt, ...)
    __attribute__((format(printf, 2, 3), noreturn));

/* ck_assert() writes to a pipe each time, which takes longer than deciding. */
#define CHECK_MSG(condition, ...)                         \
	do {                                              \
		if (!(condition))                         \
			fail_case(__LINE__, __VA_ARGS__); \
	} while (0)
#define CHECK(condition) CHECK_MSG(condition, "%s", #condition)

/* ---- randomness -------------------------------------------------------- */

static uint64_t state;

/* splitmix64: any seed will do. */
static uint64_t
random_next(void)
{
	uint64_t z = state += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

static size_t
below(size_t n)
{
	return random_next() % n;
}

static bool
one_in(size_t n)
{
	return below(n) == 0;
}

#define PICK(array) (array)[below(sizeof(array) / sizeof((array)[0]))]

/* ---- random policies --------------------------------------------------- */

/* Lines without their order; every source is put together from them. */
struct book {
	char lines[LINES_MAX][400];
	size_t n;
};

static const char *const subject_words[] = { "user alice", "uid 1000",
	"uid 1001", "user bob", "group kvm", "gid 44", "group wheel", "any",
	"any", "any", "any", "any" };
static const char *const size_words[] = { "0K", "1K", "1G", "2G", "4G",
	"unlimited" };

static void
add_target(struct text *t, bool in_pool)
{
	const char *bdf = machine[below(MACHINE_SIZE)].bdf;
	size_t i = below(MACHINE_SIZE);

	switch (below(in_pool ? 7 : 12)) {
	case 0:
	case 1:
		text_add(t, "%s", bdf);
		break;
	case 2:
		text_add(t, "slot %.*s", (int)strlen(bdf) - 2, bdf);
		break;
	case 3:
		text_add(
		    t, "id %04x:%04x", machine[i].vendor, machine[i].device);
		if (one_in(2))
			text_add(t, " at %s", one_in(2) ? machine[i].bdf : bdf);
		break;
	case 4:
		i = below(3);
		text_add(t, "class %0*x", 2 * ((int)i + 1),
		    PICK(machine).class >> (16 - 8 * i));
		break;
	case 5:
		text_add(t, "vf-of %s", one_in(2) ? "5e:00.0" : bdf);
		break;
	case 6:
		text_add(t, "group-of %s", one_in(2) ? "01:00.0" : bdf);
		break;
	case 7:
	case 8:
	case 9:
		text_add(t, "pool p%zu", below(POOLS));
		break;
	default:
		text_add(t, "all");
	}
}

/* Mostly the ids of some device, so that they often agree. */
static void
add_expect(struct text *t)
{
	size_t i = below(MACHINE_SIZE);

	text_add(t, " expect %04x:%04x", machine[i].vendor, machine[i].device);
}

static void
add_options(struct text *t)
{
	if (one_in(2))
		text_add(t, " managed");
	if (one_in(2))
		text_add(t, " memlock %s", PICK(size_words));
	if (one_in(5))
		text_add(t, " count %zu", below(4));
	if (one_in(3))
		text_add(t, " siblings %s", one_in(2) ? "take" : "refuse");
	if (one_in(5))
		add_expect(t);
	if (one_in(3))
		text_add(t, " reset %s", one_in(2) ? "none" : "required");
}

static void
add_limits(struct text *t)
{
	size_t before = t->len;

	if (one_in(2))
		text_add(t, " devices %zu", below(5));
	if (one_in(2))
		text_add(t, " leases %zu", below(4));
	if (one_in(3))
		text_add(t, " connections %zu", below(100));
	if (one_in(3))
		text_add(t, " requests %zu/s", 1 + below(99));
	if (one_in(2) || t->len == before)
		text_add(t, " memlock %s", PICK(size_words));
}

static void
line_random(char *buf, size_t len, const char *verb)
{
	static const char *const verbs[] = { "allow", "allow", "allow", "allow",
		"allow", "deny", "limit", "claim", "tolerate", "admin" };
	struct text t = text_in(buf, len);

	if (verb == NULL)
		verb = PICK(verbs);
	text_add(&t, "%s ", verb);
	if (*verb == 't')
		text_add(&t, "%s on ",
		    reason_keyword((enum reason)below(REASON_NOT_ENDPOINT)));
	if (strcmp(verb, "claim") != 0 && *verb != 't')
		text_add(&t, "%s", PICK(subject_words));
	if (strcmp(verb, "allow") == 0 || *verb == 'd')
		text_add(&t, " use ");
	if (*verb != 'l' && strcmp(verb, "admin") != 0)
		add_target(&t, false);
	if (strcmp(verb, "allow") == 0)
		add_options(&t);
	if (*verb == 'l')
		add_limits(&t);
}

static void
book_random(struct book *b)
{
	b->n = 0;
	for (size_t i = 0; i < POOLS; i++) {
		struct text t = text_in(b->lines[b->n], sizeof(b->lines[0]));

		text_add(&t, "pool p%zu {", i);
		for (size_t n = below(4); n > 0; n--) {
			text_add(&t, one_in(2) ? " " : "\n\t");
			add_target(&t, true);
			if (one_in(4))
				add_expect(&t);
		}
		text_add(&t, " }");
		b->n++;
	}
	/* Room for one more: properties add a line. */
	for (size_t n = 1 + below(LINES_MAX - POOLS - 1); n > 0; n--)
		line_random(b->lines[b->n++], sizeof(b->lines[0]),
		    one_in(3) ? NULL : "allow");
}

static void
book_shuffle(struct book *b)
{
	char swap[sizeof(b->lines[0])];

	for (size_t i = b->n; i > 1; i--) {
		size_t j = below(i);

		memcpy(swap, b->lines[i - 1], sizeof(swap));
		memcpy(b->lines[i - 1], b->lines[j], sizeof(swap));
		memcpy(b->lines[j], swap, sizeof(swap));
	}
}

/* Cuts the lines into one to FILES_MAX sources. */
static struct policy *
book_load(const struct book *b)
{
	static char text[FILES_MAX][LINES_MAX * 400];
	struct policy_source sources[FILES_MAX];
	size_t nfiles = 1 + below(FILES_MAX);
	struct errors errors = { 0 };
	struct text t[FILES_MAX];
	struct policy *p;

	for (size_t i = 0; i < nfiles; i++)
		t[i] = text_in(text[i], sizeof(text[i]));
	for (size_t i = 0; i < b->n; i++)
		text_add(&t[i * nfiles / b->n], "%s\n", b->lines[i]);
	for (size_t i = 0; i < nfiles; i++)
		sources[i] =
		    (struct policy_source){ "random.conf", text[i], t[i].len };
	policy_load(
	    &p, sources, nfiles, &machine_resolver, errors_add, &errors);
	CHECK_MSG(p != NULL, "%u:%u: %s in\n%s", errors.first.line,
	    errors.first.column, errors.first.text, text[0]);
	return p;
}

/* ---- random requests --------------------------------------------------- */

static const uint64_t sizes[] = { 0, 0, 0, 0, 1024, 1ULL << 30, 2ULL << 30,
	3ULL << 30, UINT64_MAX };

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
static unsigned long current_case;

static void
fail_case(int line, const char *fmt, ...)
{
	char why[2000];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(why, sizeof(why), fmt, ap);
	va_end(ap);
	for (size_t i = 0; i < current.n; i++)
		fprintf(stderr, "%s\n", current.lines[i]);
	ck_abort_msg("line %d, case %lu: %s", line, current_case, why);
	abort();
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
		/* Each case has its own seed, to be run alone. */
		current_case = i;
		state = seed + i * 0x2545f4914f6cdd1d;
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
	const char *s = getenv("VFIOBROKER_SEED");
	const char *n = getenv("VFIOBROKER_CASES");
	Suite *suite = suite_create("policy_property");
	TCase *tc = tcase_create("random");
	SRunner *sr;
	int failed;

	if (s != NULL)
		seed = strtoull(s, NULL, 0);
	if (n != NULL)
		cases = strtoul(n, NULL, 0);
	printf("policy_property: VFIOBROKER_SEED=%llu\n",
	    (unsigned long long)seed);
	tcase_add_test(tc, properties);
	tcase_set_timeout(tc, 600);
	suite_add_tcase(suite, tc);
	sr = srunner_create(suite);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed;
}
