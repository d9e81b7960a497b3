/* SPDX-License-Identifier: ISC */
/*
 * How long loading and deciding take with many rules.  Prints one line per
 * size, the median of several runs, and ends with 1 when a figure is over the
 * limits below.  The policies: lines for many tenants, most of which are about
 * others, as in real ones; the worst of plain lines, every line about everybody
 * and nearly sufficient; a name of its own in each line, loaded by the daemon's
 * code with its child and pipe; and lines that each look at many things.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "broker/monitor/config.h"
#include "broker/monitor/inventory.h"
#include "broker/monitor/policyexec.h"
#include "broker/monitor/policyload.h"
#include "policy/parse/load.h"
#include "tests/unit/fixture.h"

#define RUNS 51
#define SUBJECT 7 /* its uid */
#define GROUPS 32 /* it is in */
#define HELD 64 /* devices */
#define MACHINE 128 /* devices */

static double
now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static int
compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* ---- policies ---------------------------------------------------------- */

static void
write_tenants(FILE *f, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		switch (i % 4) {
		case 0:
			fprintf(f, "pool p%u { 0000:%02x:%02x.0 }\n", i,
			    i / 32 % 256, i % 32);
			break;
		case 1:
			fprintf(f,
			    "allow user u%u use pool p%u managed "
			    "memlock 16G count 2\n",
			    i, i - 1);
			break;
		case 2:
			fprintf(f,
			    "allow gid %u use 0000:%02x:%02x.1 "
			    "memlock 1G\n",
			    50000 + i, i / 32 % 256, i % 32);
			break;
		default:
			fprintf(f, "deny uid %u use class 0604\n", 90000 + i);
		}
	}
}

static void
write_worst(FILE *f, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		fprintf(f, "allow any use 0000:01:10.0 count %u memlock %uM\n",
		    i, i % 1000);
}

/*
 * Lines that each look at many things: the entries of a pool, the devices held,
 * the devices of the machine.  As in real policies one in 32 is about the
 * subject; or all of them are, which is lines times things.
 */
static void
write_subject(FILE *f, unsigned i, bool all)
{
	if (all)
		fprintf(f, "allow any use ");
	else
		fprintf(f, "allow uid %u use ", SUBJECT + i % 32);
}

static void
write_pools(FILE *f, unsigned n, bool all)
{
	fprintf(f, "pool p { 0000:02:00.0 0000:03:00.0 slot 0000:03:00 "
		   "vf-of 0000:04:00.0 id 8086:1572 class 0c03 "
		   "0000:05:00.0 class 0200 }\n");
	for (unsigned i = 1; i < n; i++) {
		write_subject(f, i, all);
		fprintf(f, "pool p count %u memlock %uM\n", i, i % 1000);
	}
}

static void
write_some_pools(FILE *f, unsigned n)
{
	write_pools(f, n, false);
}

static void
write_all_pools(FILE *f, unsigned n)
{
	write_pools(f, n, true);
}

static void
write_counts(FILE *f, unsigned n, bool all)
{
	for (unsigned i = 0; i < n; i++) {
		write_subject(f, i, all);
		fprintf(f, "class %02x managed memlock 4G count %u\n",
		    all ? 2 : 2 + i / 32 % 4, i % HELD);
	}
}

static void
write_some_counts(FILE *f, unsigned n)
{
	write_counts(f, n, false);
}

static void
write_all_counts(FILE *f, unsigned n)
{
	write_counts(f, n, true);
}

static void
write_groups(FILE *f, unsigned n, bool all)
{
	for (unsigned i = 0; i < n; i++) {
		write_subject(f, i, all);
		fprintf(f, "group-of 0000:%02x:%02x.0 managed\n",
		    i / 32 % (MACHINE / 32), i % 32);
	}
}

static void
write_some_groups(FILE *f, unsigned n)
{
	write_groups(f, n, false);
}

static void
write_all_groups(FILE *f, unsigned n)
{
	write_groups(f, n, true);
}

/*
 * No two lines about the same, in no order: nothing that was found out for one
 * helps with another, and the address is mostly of nothing in the machine.
 */
static unsigned
shuffled(unsigned i)
{
	return i * 40503U % 65536U;
}

static void
write_own_pools(FILE *f, unsigned n)
{
	for (unsigned i = 0; i < n / 2; i++) {
		fprintf(f, "pool p%u {", i);
		for (unsigned j = 0; j < 8; j++)
			fprintf(f, " 0001:%02x:%02x.%u", shuffled(i) >> 8,
			    shuffled(i) >> 3 & 0x1f, j);
		fprintf(
		    f, " }\nallow any use pool p%u managed memlock 4G\n", i);
	}
}

static void
write_own_groups(FILE *f, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		fprintf(f, "allow any use group-of 0000:%02x:%02x.%u managed\n",
		    shuffled(i) >> 8, shuffled(i) >> 3 & 0x1f, shuffled(i) & 7);
}

static void
write_own_devices(FILE *f, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		fprintf(f, "allow any use 0001:%02x:%02x.%u managed\n",
		    shuffled(i) >> 8, shuffled(i) >> 3 & 0x1f, shuffled(i) & 7);
}

/* Every line has a name of its own. */
static void
write_names(FILE *f, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		fprintf(f, "allow user user-%u use 0000:01:10.0 managed\n", i);
}

/* ---- a machine, and the monitor's list of it ---------------------------- */

static struct fixture tree;
static struct policy_device machine[MACHINE];

static void
machine_init(void)
{
	char bdf[BDF_STRLEN];

	fixture_init(&tree);
	config.sysroot = tree.root;
	for (unsigned i = 0; i < MACHINE; i++) {
		machine[i] = (struct policy_device){
			.bdf = { 0, (uint8_t)(i / 32), i % 32, 0, 0 },
			.vendor = 0x8086,
			.device = 0x10ca,
			.class = 0x020000,
			.group = (int)i + 1
		};
		fixture_pci(&tree, &(struct fixture_pci){
				       .bdf = bdf_format(&machine[i].bdf, bdf),
				       .group = machine[i].group });
	}
	if (inventory_scan() != 0)
		abort();
}

/* ---- loading ----------------------------------------------------------- */

static char *text;
static size_t textlen;

static int
resolve(void *arg, const char *name, uid_t *out)
{
	(void)arg;
	*out = (uid_t)strlen(name);
	return 0;
}

static struct policy *
load(const struct policy_resolver *by)
{
	const struct policy_source source = { "bench.conf", text, textlen };
	struct policy *p;

	if (policy_load(&p, &source, 1, by, NULL, NULL) != 0)
		abort();
	return p;
}

/* In the daemon's child, in place of NSS, the files and another program. */
void
policyexec(int out)
{
	const struct policy_source source = { "bench.conf", text, textlen };
	const struct policy_resolver by = { resolve, resolve, NULL };
	FILE *f = fdopen(out, "w");

	if (policy_compile(f, &source, 1, &by, NULL, NULL) != 0)
		abort();
	_exit(0);
}

static void
load_alone(void)
{
	const struct policy_resolver by = { resolve, resolve, NULL };

	policy_free(load(&by));
}

/* All of it: the child, the pipe, the names. */
static void
load_by_daemon(void)
{
	if (policyload_init() != 0 || !policyload_done())
		abort();
	while (waitpid(-1, NULL, 0) > 0)
		continue;
}

/* ---- deciding ---------------------------------------------------------- */

/* A request that no line satisfies: every line is looked at. */
static struct policy *asked;
static size_t held;

static const struct policy_device wanted = { .bdf = { 0, 1, 0x10, 0, 0 },
	.vendor = 0x8086,
	.device = 0x10ca,
	.class = 0x020000,
	.group = MACHINE + 1 };
static const bool managed = true;
static const struct policy_request want = { .devices = &wanted,
	.ndevices = 1,
	.managed = &managed,
	.memlock = 2ULL << 30,
	.new_lease = true };
static gid_t gids[GROUPS];
static const struct policy_subject who = { SUBJECT, gids, GROUPS };

static void
decide(void)
{
	const struct policy_usage have = { machine, held, 0, 0 };
	struct policy_decision decision;
	struct policy_terms terms;

	policy_decide(
	    asked, &inventory_world, &who, &have, &want, &decision, &terms);
	if (decision.verdict == POLICY_ALLOW)
		abort();
}

static void
skip_note(void *arg, const struct policy_note *note)
{
	(void)arg;
	(void)note;
}

static void
explain(void)
{
	const struct policy_usage have = { machine, held, 0, 0 };

	if (policy_explain(asked, &inventory_world, &who, &have, &want,
		skip_note, NULL) != 0)
		abort();
}

/* ---- figures ----------------------------------------------------------- */

static double
median_us(void (*run)(void))
{
	double t[RUNS];

	for (int i = 0; i < RUNS; i++) {
		double start = now_us();

		run();
		t[i] = now_us() - start;
	}
	qsort(t, RUNS, sizeof(*t), compare);
	return t[RUNS / 2];
}

static const struct shape {
	const char *name;
	void (*write)(FILE *, unsigned);
	void (*load)(void);
	size_t held;
} shapes[] = {
	{ "tenants", write_tenants, load_alone, 0 },
	{ "worst", write_worst, load_alone, 0 },
	{ "names", write_names, load_by_daemon, 0 },
	{ "pools", write_some_pools, load_alone, 0 },
	{ "counts", write_some_counts, load_alone, HELD },
	{ "groups", write_some_groups, load_alone, 0 },
	{ "all-pools", write_all_pools, load_alone, 0 },
	{ "all-counts", write_all_counts, load_alone, HELD },
	{ "all-groups", write_all_groups, load_alone, 0 },
	{ "own-devices", write_own_devices, load_alone, 0 },
	{ "own-pools", write_own_pools, load_alone, 0 },
	{ "own-groups", write_own_groups, load_alone, 0 },
};

/*
 * The limits of the issue, for 10,000 rules, and one for who asks why, as the
 * monitor does nothing else meanwhile; and what is taken for linear.
 */
static const struct figure {
	const char *name;
	double max_us;
} figures[] = { { "load", 100e3 }, { "decide", 200 }, { "explain", 5e3 } };
#define NFIGURES (sizeof(figures) / sizeof(figures[0]))
#define GROWTH_MAX 25.0 /* from 1,000 to 10,000 */

static void
measure(const struct shape *s, unsigned n, double us[NFIGURES])
{
	const struct policy_resolver by = { resolve, resolve, NULL };
	FILE *f = open_memstream(&text, &textlen);

	s->write(f, n);
	fclose(f);
	us[0] = median_us(s->load);
	asked = load(&by);
	held = s->held;
	us[1] = median_us(decide);
	us[2] = median_us(explain);
	policy_free(asked);
	printf("policy %-11s %6u rules: load %8.2f ms, decide %8.2f us, "
	       "explain %8.2f us\n",
	    s->name, n, us[0] / 1e3, us[1], us[2]);
	free(text);
}

static bool
judge(const struct shape *s, const double before[NFIGURES],
    const double us[NFIGURES])
{
	bool good = true;

	for (size_t i = 0; i < NFIGURES; i++) {
		if (us[i] > figures[i].max_us) {
			printf("policy %-10s %s is over %.0f us\n", s->name,
			    figures[i].name, figures[i].max_us);
			good = false;
		}
		if (us[i] > before[i] * GROWTH_MAX) {
			printf("policy %-10s %s grows %.0f times\n", s->name,
			    figures[i].name, us[i] / before[i]);
			good = false;
		}
	}
	return good;
}

static bool
bench(const struct shape *s)
{
	double small[NFIGURES], us[NFIGURES];

	measure(s, 100, us);
	measure(s, 1000, small);
	measure(s, 10000, us);
	return judge(s, small, us);
}

/* Others may use the machine too: only what is over again and again counts. */
int
main(void)
{
	bool good = true;

	machine_init();
	for (unsigned i = 0; i < GROUPS; i++)
		gids[i] = 100 + i;
	/* Of the daemon's log nobody needs a line per load. */
	if (freopen("/dev/null", "w", stderr) == NULL)
		return 1;
	for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
		good &=
		    bench(&shapes[i]) || bench(&shapes[i]) || bench(&shapes[i]);
	}
	fixture_fini(&tree);
	return good ? 0 : 1;
}
