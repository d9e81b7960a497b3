/* SPDX-License-Identifier: ISC */
/*
 * How long loading and deciding take with many rules.  Prints one line per
 * size, the median of several runs.  Three policies: lines for many tenants,
 * most of which are about others, as in real ones; the worst, every line about
 * everybody and nearly sufficient; and lines that all search the same pool.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "policy/policy.h"

#define RUNS 51
#define GROUPS 32 /* of the subject */

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

static double
median(double *v)
{
	qsort(v, RUNS, sizeof(*v), compare);
	return v[RUNS / 2];
}

static int
find_id(void *arg, const char *name, uid_t *out)
{
	(void)arg;
	*out = 1000 + (uid_t)strlen(name);
	return 0;
}

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

/* Every entry of a pool costs what a line costs, so lines are n / 8 here. */
static void
write_pools(FILE *f, unsigned n)
{
	fprintf(f, "pool p { 0000:02:00.0 0000:03:00.0 slot 0000:03:00 "
		   "vf-of 0000:04:00.0 id 8086:1572 class 0c03 "
		   "0000:05:00.0 class 0200 }\n");
	for (unsigned i = 0; i < n / 8; i++)
		fprintf(f, "allow any use pool p count %u memlock %uM\n", i,
		    i % 1000);
}

static struct policy *
load(const char *text, size_t len)
{
	const struct policy_source source = { "bench.conf", text, len };
	const struct policy_resolver by = { find_id, find_id, NULL };
	struct policy *p;

	if (policy_load(&p, &source, 1, &by, NULL, NULL) != 0)
		abort();
	return p;
}

static double
time_load(const char *text, size_t len)
{
	double t[RUNS];

	for (int i = 0; i < RUNS; i++) {
		double start = now_us();
		struct policy *p = load(text, len);

		t[i] = now_us() - start;
		policy_free(p);
	}
	return median(t);
}

/* A request that no line satisfies: every line is looked at. */
static double
time_decide(const char *text, size_t len)
{
	const struct policy_device d = { .bdf = { 0, 1, 0x10, 0, 0 },
		.vendor = 0x8086,
		.device = 0x10ca,
		.class = 0x020000,
		.group = 3 };
	const bool managed = true;
	const struct policy_request want = { .devices = &d,
		.ndevices = 1,
		.managed = &managed,
		.memlock = 2ULL << 30,
		.new_lease = true };
	const struct policy_usage have = { 0 };
	struct policy *p = load(text, len);
	struct policy_decision decision;
	struct policy_subject who = { .uid = 7, .ngids = GROUPS };
	gid_t gids[GROUPS];
	double t[RUNS];

	for (unsigned i = 0; i < GROUPS; i++)
		gids[i] = 100 + i;
	who.gids = gids;
	for (int i = 0; i < RUNS; i++) {
		double start = now_us();

		policy_decide(p, NULL, &who, &have, &want, &decision, NULL);
		t[i] = now_us() - start;
	}
	policy_free(p);
	return median(t);
}

static void
bench(const char *name, void (*write)(FILE *, unsigned), unsigned n)
{
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	write(f, n);
	fclose(f);
	printf("policy %-8s %6u rules: load %8.2f ms, decide %8.2f us\n", name,
	    n, time_load(text, len) / 1e3, time_decide(text, len));
	free(text);
}

int
main(void)
{
	static const unsigned sizes[] = { 100, 1000, 10000 };
	static const struct {
		const char *name;
		void (*write)(FILE *, unsigned);
	} shapes[] = { { "tenants", write_tenants }, { "worst", write_worst },
		{ "pools", write_pools } };

	for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++)
		for (size_t j = 0; j < sizeof(sizes) / sizeof(sizes[0]); j++)
			bench(shapes[i].name, shapes[i].write, sizes[j]);
	return 0;
}
