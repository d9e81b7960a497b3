/* SPDX-License-Identifier: ISC */
#ifndef VFIOBROKER_TESTS_TEST_POLICY_RANDOM_H
#define VFIOBROKER_TESTS_TEST_POLICY_RANDOM_H

/*
 * Random policies about the machine of test_policy.h, with every word of the
 * language.
 */

#include "test_policy.h"
#include "test_random.h"

#define LINES_MAX 16
#define FILES_MAX 3
#define POOLS 3

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

static inline void
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
static inline void
add_expect(struct text *t)
{
	size_t i = below(MACHINE_SIZE);

	text_add(t, " expect %04x:%04x", machine[i].vendor, machine[i].device);
}

static inline void
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

static inline void
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

static inline void
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

static inline void
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

static inline void
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

/* Cuts the lines into one to FILES_MAX sources; how many. */
static inline size_t
book_sources(const struct book *b, struct policy_source sources[FILES_MAX])
{
	static char text[FILES_MAX][LINES_MAX * 400];
	size_t nfiles = 1 + below(FILES_MAX);
	struct text t[FILES_MAX];

	for (size_t i = 0; i < nfiles; i++)
		t[i] = text_in(text[i], sizeof(text[i]));
	for (size_t i = 0; i < b->n; i++)
		text_add(&t[i * nfiles / b->n], "%s\n", b->lines[i]);
	for (size_t i = 0; i < nfiles; i++)
		sources[i] =
		    (struct policy_source){ "random.conf", text[i], t[i].len };
	return nfiles;
}

static const uint64_t sizes[] = { 0, 0, 0, 0, 1024, 1ULL << 30, 2ULL << 30,
	3ULL << 30, UINT64_MAX };

#endif
