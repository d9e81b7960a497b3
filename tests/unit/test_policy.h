/* SPDX-License-Identifier: ISC */
#ifndef VFIOBROKER_TEST_POLICY_H
#define VFIOBROKER_TEST_POLICY_H

/*
 * What the tests of the policy share: a machine, its users, and requests
 * written as words:
 *
 *	UID[:GID,GID] BDF[+m] ... [memlock=SIZE] [add]
 *	    [has=BDF] ... [leases=N] [held=SIZE]
 *
 * +m: a host driver must be unbound; add: no new lease; has, leases, held: what
 * the uid holds.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "policy/parse/load.h"
#include "policy/parse/values.h"

#define UNUSED __attribute__((unused))
#define REQUEST_DEVICES 16

static const struct {
	const char *bdf;
	uint16_t vendor, device;
	uint32_t class;
	const char *pf;
	int group;
} machine[] = {
	{ "0000:00:00.0", 0x8086, 0x1237, 0x060000, NULL, 0 },
	{ "0000:00:1c.0", 0x8086, 0xa110, 0x060400, NULL, 1 },
	{ "0000:01:00.0", 0x10de, 0x2684, 0x030000, NULL, 10 },
	{ "0000:01:00.1", 0x10de, 0x22ba, 0x040300, NULL, 10 },
	{ "0000:01:10.0", 0x8086, 0x10ca, 0x020000, NULL, 12 },
	{ "0001:01:10.0", 0x8086, 0x10ca, 0x020000, NULL, 13 },
	{ "0000:02:00.0", 0x144d, 0xa808, 0x010802, NULL, 11 },
	{ "0000:5e:00.0", 0x8086, 0x1572, 0x020000, NULL, 20 },
	{ "0000:5e:02.0", 0x8086, 0x154c, 0x020000, "0000:5e:00.0", 21 },
	{ "0000:5e:02.1", 0x8086, 0x154c, 0x020000, "0000:5e:00.0", 22 },
	{ "0000:5e:02.2", 0x8086, 0x154c, 0x020000, "0000:5e:00.0", 23 },
	{ "0000:5e:03.0", 0x8086, 0x154c, 0x020000, "0000:5e:00.0", 24 },
	{ "0000:5f:00.0", 0x8086, 0x1572, 0x020000, NULL, 25 },
	{ "0000:5f:02.0", 0x8086, 0x154c, 0x020000, "0000:5f:00.0", 26 },
	{ "10000:e1:00.0", 0x144d, 0xa80a, 0x010802, NULL, -1 },
};
#define MACHINE_SIZE (sizeof(machine) / sizeof(machine[0]))

static UNUSED int
machine_device(const char *name, struct policy_device *out)
{
	struct bdf b, pf = { 0 };

	if (bdf_parse(name, &b) != 0)
		return -EINVAL;
	for (size_t i = 0; i < MACHINE_SIZE; i++) {
		struct bdf at;

		bdf_parse(machine[i].bdf, &at);
		if (bdf_cmp(&at, &b) != 0)
			continue;
		if (machine[i].pf != NULL)
			bdf_parse(machine[i].pf, &pf);
		*out = (struct policy_device){ .bdf = b,
			.vendor = machine[i].vendor,
			.device = machine[i].device,
			.class = machine[i].class,
			.is_vf = machine[i].pf != NULL,
			.pf = pf,
			.group = machine[i].group };
		return 0;
	}
	return -ENOENT;
}

static UNUSED int
machine_group_of(void *arg, const struct bdf *b)
{
	struct policy_device d;
	char name[BDF_STRLEN];

	(void)arg;
	return machine_device(bdf_format(b, name), &d) == 0 ? d.group : -1;
}

static UNUSED const struct policy_world machine_world = {
	.group_of = machine_group_of
};

static UNUSED int
machine_user(void *arg, const char *name, uid_t *out)
{
	static const struct {
		const char *name;
		uid_t uid;
	} users[] = { { "root", 0 }, { "alice", 1000 }, { "bob", 1001 },
		{ "carol", 1002 }, { "svc-x_1.y", 1003 } };

	(void)arg;
	for (size_t i = 0; i < sizeof(users) / sizeof(users[0]); i++) {
		if (strcmp(users[i].name, name) == 0) {
			*out = users[i].uid;
			return 0;
		}
	}
	return -ENOENT;
}

static UNUSED int
machine_gid(void *arg, const char *name, gid_t *out)
{
	static const struct {
		const char *name;
		gid_t gid;
	} groups[] = { { "wheel", 10 }, { "kvm", 36 }, { "video", 44 } };

	(void)arg;
	for (size_t i = 0; i < sizeof(groups) / sizeof(groups[0]); i++) {
		if (strcmp(groups[i].name, name) == 0) {
			*out = groups[i].gid;
			return 0;
		}
	}
	return -ENOENT;
}

static UNUSED const struct policy_resolver machine_resolver = {
	.user = machine_user, .group = machine_gid
};

/* Keeps the first error and counts all. */
struct errors {
	unsigned count;
	struct policy_error first;
};

static UNUSED void
errors_add(void *arg, const struct policy_error *e)
{
	struct errors *errors = arg;

	if (errors->count++ == 0)
		errors->first = *e;
}

/* NULL if the text is no policy; errors may be NULL. */
static UNUSED struct policy *
load_text(const char *text, struct errors *errors)
{
	const struct policy_source source = { "test.conf", text, strlen(text) };
	struct policy *p;

	policy_load(&p, &source, 1, &machine_resolver,
	    errors != NULL ? errors_add : NULL, errors);
	return p;
}

/* A request and all it points to; set up by request_read(). */
struct request {
	struct policy_device devices[REQUEST_DEVICES];
	bool managed[REQUEST_DEVICES];
	struct policy_device held[REQUEST_DEVICES];
	gid_t gids[REQUEST_DEVICES];
	struct policy_request request;
	struct policy_subject subject;
	struct policy_usage usage;
};

static UNUSED void
request_init(struct request *r)
{
	memset(r, 0, sizeof(*r));
	r->request = (struct policy_request){
		.devices = r->devices, .managed = r->managed, .new_lease = true
	};
	r->subject.gids = r->gids;
	r->usage.devices = r->held;
}

static UNUSED void
request_subject(struct request *r, const char *word)
{
	char *end;

	r->subject.uid = (uid_t)strtoul(word, &end, 10);
	while (*end == ':' || *end == ',')
		r->gids[r->subject.ngids++] = (gid_t)strtoul(end + 1, &end, 10);
}

static UNUSED int
request_device(struct request *r, char *word)
{
	size_t i = r->request.ndevices++;
	char *plus = strchr(word, '+');

	if (plus != NULL) {
		r->managed[i] = plus[1] == 'm';
		*plus = '\0';
	}
	return machine_device(word, &r->devices[i]);
}

static UNUSED int
request_word(struct request *r, char *word)
{
	if (strncmp(word, "memlock=", 8) == 0)
		return value_read(VALUE_SIZE, word + 8, &r->request.memlock);
	if (strncmp(word, "held=", 5) == 0)
		return value_read(VALUE_SIZE, word + 5, &r->usage.memlock);
	if (strncmp(word, "leases=", 7) == 0) {
		r->usage.leases = (unsigned)atoi(word + 7);
		return 0;
	}
	if (strncmp(word, "has=", 4) == 0)
		return machine_device(word + 4, &r->held[r->usage.ndevices++]);
	if (strcmp(word, "add") == 0) {
		r->request.new_lease = false;
		return 0;
	}
	return request_device(r, word);
}

/* -EINVAL or -ENOENT for words that mean nothing. */
static UNUSED int
request_read(struct request *r, const char *text)
{
	char copy[400], *save = NULL, *word;
	int rc = 0;

	request_init(r);
	snprintf(copy, sizeof(copy), "%s", text);
	word = strtok_r(copy, " ", &save);
	request_subject(r, word);
	while (rc == 0 && (word = strtok_r(NULL, " ", &save)) != NULL)
		rc = request_word(r, word);
	return rc;
}

static UNUSED void
request_decide(const struct policy *p, const struct request *r,
    struct policy_decision *d, struct policy_terms *terms)
{
	policy_decide(
	    p, &machine_world, &r->subject, &r->usage, &r->request, d, terms);
}

#endif
