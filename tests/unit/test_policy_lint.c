/* SPDX-License-Identifier: ISC */
/*
 * Advice: the warnings of `policy check` and the policy that `policy generate`
 * prints, on the machine of test_policy.h.
 */

#include <check.h>

#include "policy/generate.h"
#include "policy/lint.h"
#include "test_policy.h"

static struct policy_device devices[MACHINE_SIZE];

/* The disk carries the root file system, the graphics card shows the boot. */
static bool
needs(void *arg, size_t i, enum reason reason)
{
	(void)arg;
	if (strcmp(machine[i].bdf, "0000:02:00.0") == 0)
		return reason == REASON_ROOT_FS || reason == REASON_SWAP;
	if (strcmp(machine[i].bdf, "0000:01:00.0") == 0)
		return reason == REASON_BOOT_VGA;
	return reason == REASON_NOT_ENDPOINT && machine[i].class >> 16 == 6;
}

static const char *
label(void *arg, size_t i)
{
	(void)arg;
	return machine[i].class >> 16 == 2 ? "network\nallow any use all"
					   : NULL;
}

static struct policy_machine
machine_now(void)
{
	for (size_t i = 0; i < MACHINE_SIZE; i++)
		machine_device(machine[i].bdf, &devices[i]);
	return (struct policy_machine){ .devices = devices,
		.ndevices = MACHINE_SIZE,
		.needs = needs,
		.label = label };
}

static const struct {
	const char *policy;
	const char *warnings; /* "line text" per line, in order */
} cases[] = {
	{ "", "" },
	{ "allow user alice use 01:10.0 managed", "" },
	{ "allow group kvm use vf-of 5e:00.0\nlimit any devices 3\nlimit user "
	  "alice devices 4 leases 2\nclaim vf-of 5e:00.0\nadmin group wheel",
	    "" },

	/* lines that do nothing */
	{ "allow user alice use 01:10.0\nallow user alice use 01:10.0",
	    "2 does nothing: test.conf:1 says as much or more\n" },
	{ "allow uid 1000 use 01:10.0\nallow user alice use 01:10.0 managed",
	    "1 does nothing: test.conf:2 says as much or more\n" },
	{ "allow any use class 04\nallow user alice use class 0403",
	    "2 does nothing: test.conf:1 says as much or more\n" },
	{ "allow any use class 0403\nallow user alice use class 04", "" },
	{ "allow any use class 04\nallow user alice use class 0403 managed",
	    "" },
	{ "allow any use slot 5e:02\nallow any use 5e:02.1",
	    "2 does nothing: test.conf:1 says as much or more\n" },
	{ "allow any use id 8086:10ca\nallow any use id 8086:10ca at 01:10.0",
	    "2 does nothing: test.conf:1 says as much or more\n" },
	{ "allow any use 01:10.0\nallow any use id 8086:10ca at 01:10.0",
	    "2 does nothing: test.conf:1 says as much or more\n" },
	{ "allow any use 01:10.0 expect 8086:10ca\nallow any use 01:10.0",
	    "1 does nothing: test.conf:2 says as much or more\n" },
	{ "pool p { 01:10.0 5e:02.0 }\nallow any use pool p\nallow any use "
	  "5e:02.0",
	    "3 does nothing: test.conf:2 says as much or more\n" },
	{ "pool p { 01:10.0 5e:02.0 }\nallow any use pool p\nallow any use "
	  "5e:02.1",
	    "" },
	{ "pool p { 5e:02.0 5e:02.1 }\nallow any use pool p\nallow any use "
	  "slot 5e:02",
	    "2 does nothing: test.conf:3 says as much or more\n" },
	{ "allow any use slot 5e:02 count 2\nallow any use 5e:02.0", "" },
	{ "allow any use slot 5e:02 count 2\nallow any use 5e:02.0 count 1",
	    "" },
	{ "allow any use slot 5e:02 count 2\nallow any use slot 5e:02 count 1",
	    "2 does nothing: test.conf:1 says as much or more\n" },
	{ "pool p { 01:10.0 }\nallow any use pool p expect 8086:10ca\nallow any "
	  "use pool p",
	    "2 does nothing: test.conf:3 says as much or more\n" },
	{ "allow any use group-of 01:00.0\nallow user alice use 01:00.0",
	    "2 does nothing: test.conf:1 says as much or more\n" },
	{ "allow any use group-of 01:00.0\nallow user alice use 01:00.1", "" },
	{ "allow gid 1000 use 01:10.0\nallow uid 1000 use 01:10.0", "" },
	{ "limit any devices 2\nlimit user alice devices 4",
	    "2 does nothing: test.conf:1 says as much or more\n" },
	{ "limit any devices 4\nlimit user alice devices 2", "" },
	{ "deny any use class 02\ndeny uid 1 use class 020000",
	    "2 does nothing: test.conf:1 says as much or more\n" },
	{ "claim 5e:02.0\nclaim slot 5e:02",
	    "1 does nothing: test.conf:2 says as much or more\n" },
	{ "tolerate swap on all\ntolerate swap on 02:00.0\ntolerate mounted "
	  "on 02:00.0",
	    "1 does nothing now: no line lets the broker take 0000:00:00.0 and "
	    "14 more\n"
	    "2 does nothing: test.conf:1 says as much or more\n"
	    "2 does nothing now: no line lets the broker take 0000:02:00.0\n"
	    "3 does nothing now: no line lets the broker take 0000:02:00.0\n" },
	{ "admin user alice\nadmin uid 1000",
	    "2 does nothing: test.conf:1 says as much or more\n" },
	{ "allow user alice use 01:10.0\ndeny any use class 02",
	    "1 allows nothing now (denied: 0000:01:10.0)\n" },
	{ "allow user alice use class 0200\ndeny any use class 02",
	    "1 allows nothing: test.conf:2 denies all of it\n" },
	{ "allow any use 01:10.0\ndeny user alice use 01:10.0", "" },
	{ "allow any use 01:10.0 count 0", "1 allows nothing: count is 0\n" },
	{ "allow any use id 8086:10ca expect 8086:10cb",
	    "1 allows nothing: expects other ids than it names\n" },
	{ "allow user alice use 01:10.0\nlimit any devices 0",
	    "1 allows nothing: test.conf:2 limits devices to 0\n" },
	{ "limit uid 1000 leases 0 memlock 1G\nallow user alice use 01:10.0 "
	  "memlock 2G",
	    "2 allows nothing: test.conf:1 limits leases to 0\n" },
	{ "allow group kvm use 01:10.0\nlimit group kvm connections 0",
	    "1 allows nothing: test.conf:2 limits connections to 0\n" },
	{ "allow any use 01:10.0\nlimit user alice devices 0", "" },
	{ "allow user alice use 01:10.0 memlock 8G\nlimit any memlock 4G\n"
	  "limit user alice memlock 2G\nlimit user bob memlock 1G",
	    "1 allows more memlock than test.conf:3 leaves: 2G\n" },
	{ "allow any use 01:10.0 memlock 8G\nlimit any memlock 8G\nlimit user "
	  "alice memlock 4G",
	    "" },
	{ "allow any use 01:10.0 memlock unlimited\nlimit any memlock 8G", "" },
	{ "pool p { }", "1 pool p is empty\n1 no line uses pool p\n" },
	{ "pool p { 01:10.0 }\nclaim pool p", "" },
	{ "admin any", "1 lets everybody revoke everybody's leases\n" },

	/* users in each other's way */
	{ "allow user alice use 01:00.0\nallow user bob use 01:00.1",
	    "1 IOMMU group 10 is split: 0000:01:00.1 is for others at "
	    "test.conf:2\n"
	    "2 IOMMU group 10 is split: 0000:01:00.0 is for others at "
	    "test.conf:1\n" },
	{ "allow user alice use 01:00.0\nallow any use 01:00.1",
	    "2 IOMMU group 10 is split: 0000:01:00.0 is for others at "
	    "test.conf:1\n" },
	{ "allow user alice use 01:00.0\nallow user alice use 01:00.1", "" },
	{ "allow user alice use 01:00.0\nallow user bob use 01:00.1\ndeny any "
	  "use class 03",
	    "1 allows nothing now (denied: 0000:01:00.0)\n" },
	{ "allow user alice use slot 01:00\nallow user bob use slot 01:00",
	    "" },
	{ "allow user alice use 5e:00.0\nallow user bob use vf-of 5e:00.0",
	    "1 allows PF 0000:5e:00.0, whose VFs are for others at "
	    "test.conf:2\n" },
	{ "allow user alice use 5e:00.0\nallow user alice use vf-of 5e:00.0",
	    "" },
	{ "allow user alice use 5e:00.0\nallow user bob use vf-of 5f:00.0",
	    "" },
	/* users of one line */
	{ "allow any use all",
	    "1 lets one user have PF 0000:5e:00.0 and others its VFs\n"
	    "1 lets one user have PF 0000:5f:00.0 and others its VFs\n" },
	{ "allow user alice use all", "" },
	{ "allow user alice use 5e:00.0\nallow uid 1000 use vf-of 5e:00.0",
	    "" },
	{ "allow group kvm use 5e:00.0\nallow group kvm use 5e:02.1",
	    "1 lets one user have PF 0000:5e:00.0 and others its VFs at "
	    "test.conf:2\n" },
	{ "allow any use all\ndeny any use vf-of 5e:00.0\ndeny any use 5f:00.0",
	    "" },

	/* the machine */
	{ "allow any use 03:00.0",
	    "1 there is no such device now: 0000:03:00.0\n" },
	{ "pool p { 03:00.0 01:10.0 id dead:beef }\ndeny any use pool p",
	    "1 there is no such device now: 0000:03:00.0\n"
	    "1 there is no such device now: id dead:beef\n" },
	{ "claim vf-of 01:00.0",
	    "1 there is no such device now: vf-of 0000:01:00.0\n" },
	{ "allow any use 01:10.0 expect dead:beef",
	    "1 allows nothing now (of other ids than expected: 0000:01:10.0 is "
	    "8086:10ca)\n" },
	{ "allow any use slot 5e:02 expect dead:beef managed",
	    "1 allows nothing now (of other ids than expected: 0000:5e:02.0 "
	    "and 2 more)\n" },
	{ "allow any use slot 01:00 expect 10de:22ba", "" },
	{ "pool p { 01:10.0 expect dead:beef 02:00.0 expect 144d:a808 }\nallow "
	  "any use pool p",
	    "1 another device is there now: 0000:01:10.0 is 8086:10ca\n" },
	{ "pool p { 01:10.0 }\nallow any use pool p expect dead:beef",
	    "2 allows nothing now (of other ids than expected: 0000:01:10.0 is "
	    "8086:10ca)\n" },
	{ "pool p { 02:00.0 expect dead:beef }\nclaim pool p",
	    "1 another device is there now: 0000:02:00.0 is 144d:a808\n"
	    "2 claims nothing now (of other ids than expected: 0000:02:00.0 is "
	    "144d:a808)\n" },
	{ "allow any use class 06 managed\nclaim 00:1c.0",
	    "1 allows nothing now (a bridge: 0000:00:00.0 and 1 more)\n"
	    "2 claims nothing now (a bridge: 0000:00:1c.0)\n" },
	{ "allow any use 10000:e1:00.0",
	    "1 allows nothing now (in no IOMMU group: 10000:e1:00.0)\n" },
	{ "pool p { 10000:e1:00.0 00:1c.0 02:00.0 01:10.0 expect dead:beef }\n"
	  "allow any use pool p\ndeny any use 02:00.0",
	    "1 another device is there now: 0000:01:10.0 is 8086:10ca\n"
	    "2 allows nothing now (denied: 0000:02:00.0; of other ids than "
	    "expected: 0000:01:10.0 is 8086:10ca; a bridge: 0000:00:1c.0; in "
	    "no IOMMU group: 10000:e1:00.0)\n" },
	{ "allow any use class 01", "" },
	{ "tolerate net-route on 01:10.0\nallow any use 01:10.0",
	    "1 does nothing now: no line lets the broker take 0000:01:10.0\n" },
	{ "tolerate net-route on all\nallow any use 01:10.0 managed", "" },
	{ "tolerate net-route on 01:10.0\nclaim 01:10.0", "" },
	{ "tolerate net-route on 01:10.0\nallow any use 01:10.0 managed\ndeny "
	  "any use class 0200",
	    "1 does nothing now: no line lets the broker take 0000:01:10.0\n"
	    "2 allows nothing now (denied: 0000:01:10.0)\n" },
	{ "tolerate boot-vga on slot 01:00\nallow any use 01:00.1",
	    "1 does nothing now: no line lets the broker take 0000:01:00.0 and "
	    "1 more\n" },
	{ "tolerate boot-vga on 01:00.0\nallow any use 01:00.1 siblings take",
	    "2 takes along 0000:01:00.0, which the host needs (tolerated): it "
	    "is the display the firmware started on\n" },
	{ "pool p { 03:00.0 }\nallow any use pool p",
	    "1 there is no such device now: 0000:03:00.0\n" },
	{ "tolerate swap on 03:00.0",
	    "1 there is no such device now: 0000:03:00.0\n" },
	{ "allow any use 02:00.0", "" },
	{ "allow any use 02:00.0 managed",
	    "1 reaches 0000:02:00.0, which the host needs: the root file "
	    "system is on it, swap space on it is in use\n" },
	{ "claim 02:00.0\ntolerate root-fs on all\ntolerate swap on 02:00.0",
	    "1 reaches 0000:02:00.0, which the host needs (tolerated): the "
	    "root file system is on it, swap space on it is in use\n" },
	{ "claim 02:00.0\ntolerate root-fs on all",
	    "1 reaches 0000:02:00.0, which the host needs: the root file "
	    "system is on it, swap space on it is in use\n" },
	{ "allow any use 02:00.0 managed\ndeny any use class 01",
	    "1 allows nothing now (denied: 0000:02:00.0)\n" },
	/* by the group */
	{ "allow any use 01:00.1 managed", "" },
	{ "allow any use 01:00.1 managed siblings refuse", "" },
	{ "allow any use 01:00.1 siblings take",
	    "1 takes along 0000:01:00.0, which the host needs: it is the "
	    "display the firmware started on\n" },
	{ "allow any use 01:00.1 managed siblings take\ntolerate boot-vga on "
	  "slot 01:00",
	    "1 takes along 0000:01:00.0, which the host needs (tolerated): it "
	    "is the display the firmware started on\n" },
	{ "allow any use slot 01:00 managed siblings take",
	    "1 reaches 0000:01:00.0, which the host needs: it is the display "
	    "the firmware started on\n" },
	{ "allow any use slot 01:00 siblings take",
	    "1 takes along 0000:01:00.0, which the host needs: it is the "
	    "display the firmware started on\n" },
	{ "allow any use 01:00.0 siblings take", "" },
	{ "allow any use 01:00.1 siblings take\ndeny any use 01:00.0", "" },
	{ "allow any use slot 01:00 siblings take\ndeny any use 01:00.1", "" },
	{ "allow any use 02:00.0 siblings take", "" },
	{ "allow user alice use all managed",
	    "1 reaches 0000:01:00.0, which the host needs: it is the display "
	    "the firmware started on\n"
	    "1 reaches 0000:02:00.0, which the host needs: the root file "
	    "system is on it, swap space on it is in use\n" },
};

static void
warnings_add(void *arg, const struct policy_warning *w)
{
	struct text *t = arg;

	ck_assert_str_eq(w->file, "test.conf");
	text_add(t, "%u %s\n", w->line, w->text);
}

static void
assert_warns(
    const struct policy_machine *m, const char *policy, const char *warnings)
{
	struct policy *p = load_text(policy, NULL);
	char got[2000];
	struct text t = text_in(got, sizeof(got));

	ck_assert_ptr_nonnull(p);
	ck_assert_int_eq(policy_lint(p, m, warnings_add, &t), 0);
	ck_assert_msg(strcmp(got, warnings) == 0, "%s\ngot:\n%sexpected:\n%s",
	    policy, got, warnings);
	policy_free(p);
}

START_TEST(warns)
{
	struct policy_machine m = machine_now();

	assert_warns(&m, cases[_i].policy, cases[_i].warnings);
}
END_TEST

/* A bridge among them splits no group, for nobody gets it. */
START_TEST(bridge_in_a_group)
{
	struct policy_machine m = machine_now();

	devices[1].group = 12;
	assert_warns(&m,
	    "allow user alice use 01:10.0\nallow user bob use 00:1c.0",
	    "2 allows nothing now (a bridge: 0000:00:1c.0)\n");
	devices[1].class = 0x020000;
	assert_warns(&m,
	    "allow user alice use 01:10.0\nallow user bob use 00:1c.0",
	    "1 IOMMU group 12 is split: 0000:00:1c.0 is for others at "
	    "test.conf:2\n"
	    "2 IOMMU group 12 is split: 0000:01:10.0 is for others at "
	    "test.conf:1\n");
	/* Once for a line, of however many devices. */
	devices[1].group = 10;
	assert_warns(&m,
	    "allow user alice use slot 01:00\nallow user bob use 00:1c.0",
	    "1 IOMMU group 10 is split: 0000:00:1c.0 is for others at "
	    "test.conf:2\n"
	    "2 IOMMU group 10 is split: 0000:01:00.0 is for others at "
	    "test.conf:1\n");
}
END_TEST

/* What a container shows, or a machine whose IOMMU is off. */
START_TEST(no_groups)
{
	struct policy_machine m = machine_now();

	for (size_t i = 0; i < MACHINE_SIZE; i++)
		devices[i].group = -1;
	assert_warns(&m,
	    "allow any use 01:10.0 managed\ntolerate net-route on 01:10.0\n"
	    "allow any use 10000:e1:00.0\nclaim 5e:02.0",
	    "");
	m.ndevices = 0;
	assert_warns(&m,
	    "allow any use all managed\ntolerate net-route on class 02\n"
	    "allow any use 01:10.0 expect dead:beef\nclaim class 06",
	    "1 there is no such device now: all\n"
	    "2 there is no such device now: class 02\n"
	    "3 does nothing: test.conf:1 says as much or more\n"
	    "3 there is no such device now: 0000:01:10.0\n"
	    "4 there is no such device now: class 06\n");
}
END_TEST

/* Without a machine only the lines speak. */
START_TEST(no_machine)
{
	assert_warns(NULL,
	    "allow any use 03:00.0\nallow any use 02:00.0 managed\n"
	    "allow any use 03:00.0\ntolerate swap on 02:00.0\n"
	    "allow any use 00:1c.0 expect dead:beef",
	    "3 does nothing: test.conf:1 says as much or more\n");
}
END_TEST

/* ---- generate ---------------------------------------------------------- */

static char *
generated(void)
{
	struct policy_machine m = machine_now();
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	policy_generate(&m, f);
	fclose(f);
	return text;
}

START_TEST(generates_nothing)
{
	char *text = generated();
	struct policy *p = load_text(text, NULL);

	ck_assert_ptr_nonnull(p);
	for (size_t i = 0; i < MACHINE_SIZE; i++) {
		struct policy_decision d;
		struct request r;

		request_read(&r, machine[i].bdf);
		r.subject.uid = 0;
		r.request.ndevices = 1;
		machine_device(machine[i].bdf, &r.devices[0]);
		request_decide(p, &r, &d, NULL);
		ck_assert_int_eq(d.verdict, POLICY_NO_RULE);
	}
	policy_free(p);
	free(text);
}
END_TEST

/* Takes away each "#" with a word behind it and writes names for NAME. */
static void
uncomment(char *text)
{
	for (char *c = text; *c != '\0'; c++)
		if (*c == '#' && (c == text || c[-1] == '\n') && c[1] > '@')
			*c = ' ';
	for (char *c = text; (c = strstr(c, "user NAME")) != NULL;)
		memcpy(c, "user root", 9);
	for (char *c = text; (c = strstr(c, "group NAME")) != NULL;)
		memcpy(c, "gid   0036", 10);
	for (char *c = text; (c = strstr(c, "gid   0036")) != NULL;)
		memcpy(c, "gid     36", 10);
}

START_TEST(generates_lines)
{
	static const struct {
		const char *request;
		enum policy_verdict verdict;
	} expect[] = {
		{ "0 01:10.0+m memlock=16G", POLICY_ALLOW },
		{ "0 0001:01:10.0+m", POLICY_ALLOW },
		{ "0 5e:00.0+m", POLICY_ALLOW },
		{ "1000:36 5e:02.0+m memlock=16G", POLICY_ALLOW },
		{ "1000:36 5e:02.0 5e:02.1", POLICY_SHORT },
		{ "1000:36 5e:02.0 5f:02.0", POLICY_ALLOW },
		/* bridges, the boot display and its group, the root disk, no
		 * group */
		{ "0 00:1c.0", POLICY_DENIED },
		{ "0 01:00.0", POLICY_NO_RULE },
		{ "0 01:00.1", POLICY_NO_RULE },
		{ "0 02:00.0", POLICY_NO_RULE },
		{ "0 10000:e1:00.0", POLICY_NO_RULE },
	};
	char *text = generated();
	struct errors errors = { 0 };
	struct policy *p;

	uncomment(text);
	p = load_text(text, &errors);
	ck_assert_msg(p != NULL, "%u: %s\n%s", errors.first.line,
	    errors.first.text, text);
	for (size_t i = 0; i < sizeof(expect) / sizeof(expect[0]); i++) {
		struct policy_decision d;
		struct request r;

		ck_assert_int_eq(request_read(&r, expect[i].request), 0);
		request_decide(p, &r, &d, NULL);
		ck_assert_msg(d.verdict == expect[i].verdict, "%s: %s\n%s",
		    expect[i].request, d.why, text);
	}
	policy_free(p);
	free(text);
}
END_TEST

/* A VF is offered with the others of its PF; what is not is said. */
START_TEST(generates_the_rest)
{
	char *text = generated();
	char *not_offered = strstr(text, "\n# Not offered");

	ck_assert_ptr_null(strstr(text, "use 0000:5e:02.0"));
	ck_assert_ptr_null(strstr(text, " 0000:5e:02.0 "));
	ck_assert_ptr_nonnull(not_offered);
	ck_assert_ptr_nonnull(strstr(
	    not_offered, "\n#   10000:e1:00.0  144d:a80a  class 0108\n"));
	ck_assert_ptr_nonnull(strstr(not_offered, "\n#   0000:02:00.0 "));
	ck_assert_ptr_null(strstr(not_offered, "0000:01:10.0"));
	free(text);
}
END_TEST

/* A group without a reason against it is one pool. */
START_TEST(generates_group)
{
	struct policy_machine m = machine_now();
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	m.needs = NULL;
	m.label = NULL;
	policy_generate(&m, f);
	fclose(f);
	ck_assert_ptr_nonnull(strstr(text,
	    "\n# IOMMU group 10, which goes as a whole\n"
	    "#   0000:01:00.0  10de:2684  class 0300\n"
	    "#   0000:01:00.1  10de:22ba  class 0403\n"
	    "#pool group-0000-01-00.0 { 0000:01:00.0 expect 10de:2684 "
	    "0000:01:00.1 expect 10de:22ba }\n"
	    "#allow user NAME use pool group-0000-01-00.0 managed memlock "
	    "17G\n"));
	free(text);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("policy_lint");
	TCase *tc = tcase_create("advice");
	SRunner *sr;
	int failed;

	tcase_add_loop_test(
	    tc, warns, 0, (int)(sizeof(cases) / sizeof(cases[0])));
	tcase_add_test(tc, no_machine);
	tcase_add_test(tc, bridge_in_a_group);
	tcase_add_test(tc, no_groups);
	tcase_add_test(tc, generates_the_rest);
	tcase_add_test(tc, generates_nothing);
	tcase_add_test(tc, generates_lines);
	tcase_add_test(tc, generates_group);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed;
}
