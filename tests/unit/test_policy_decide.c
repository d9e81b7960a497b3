/* SPDX-License-Identifier: ISC */
/*
 * The table of decisions: a policy, a request in the words of test_policy.h,
 * and what must come of it: the verdict, the line that is named and, after it,
 * words that must stand in the reason or the terms of an allowance.
 */

#include <check.h>

#include "test_policy.h"

/* Lines of a policy end in "\n" where there is more than one. */
static const struct {
	const char *policy;
	const char *request;
	const char *expect;
} cases[] = {
	/* ---- default deny ---- */
	{ "", "1000 01:10.0", "no-rule" },
	{ "# nothing but a comment", "0 01:10.0", "no-rule" },
	{ "", "1000", "no-rule no device" },
	{ "allow any use all managed memlock unlimited", "1000",
	    "no-rule no device" },
	{ "limit any devices 10", "1000 01:10.0", "no-rule" },
	{ "claim 01:10.0", "1000 01:10.0", "no-rule" },
	{ "tolerate boot-vga on 01:10.0", "1000 01:10.0", "no-rule" },
	{ "admin uid 1000", "1000 01:10.0", "no-rule" },
	{ "pool a { 01:10.0 }", "1000 01:10.0", "no-rule" },
	{ "", "0 01:10.0", "no-rule" },
	{ "deny any use all", "1000 01:10.0", "denied:1" },

	/* ---- of equal lines the first is named, whatever they are about ---- */
	{ "deny any use class 02\ndeny any use 01:10.0", "1 01:10.0",
	    "denied:1" },
	{ "deny any use 01:10.0\ndeny any use class 02", "1 01:10.0",
	    "denied:1" },
	{ "allow any use class 02\nallow any use 01:10.0", "1 01:10.0",
	    "allow:1" },
	{ "allow any use 01:10.0\nallow any use class 02", "1 01:10.0",
	    "allow:1" },
	{ "allow any use class 02 expect 1111:1111\nallow any use 01:10.0 expect "
	  "1111:2222",
	    "1 01:10.0", "identity:1" },
	{ "allow any use 01:10.0 expect 1111:2222\nallow any use class 02 expect "
	  "1111:1111",
	    "1 01:10.0", "identity:1" },
	{ "allow any use class 02 memlock 1G\nallow any use 01:10.0 memlock "
	  "1G",
	    "1 01:10.0 memlock=2G", "short:1" },

	/* ---- subjects ---- */
	{ "allow user alice use 01:10.0", "1000 01:10.0", "allow:1" },
	{ "allow user alice use 01:10.0", "1001 01:10.0", "no-rule" },
	{ "allow user alice use 01:10.0", "1001:1000 01:10.0", "no-rule" },
	{ "allow uid 1000 use 01:10.0", "1000 01:10.0", "allow:1" },
	{ "allow uid 1000 use 01:10.0", "100 01:10.0", "no-rule" },
	{ "allow uid 0 use 01:10.0", "0 01:10.0", "allow:1" },
	{ "allow uid 4294967294 use 01:10.0", "4294967294 01:10.0", "allow:1" },
	{ "allow group kvm use 01:10.0", "1000:36 01:10.0", "allow:1" },
	{ "allow group kvm use 01:10.0", "1000:1,2,36,4 01:10.0", "allow:1" },
	{ "allow group kvm use 01:10.0", "1000:37 01:10.0", "no-rule" },
	{ "allow group kvm use 01:10.0", "36 01:10.0", "no-rule" },
	{ "allow group kvm use 01:10.0", "1000 01:10.0", "no-rule" },
	{ "allow gid 36 use 01:10.0", "1000:36 01:10.0", "allow:1" },
	{ "allow gid 36 use 01:10.0", "36:35 01:10.0", "no-rule" },
	{ "allow gid 0 use 01:10.0", "0 01:10.0", "no-rule" },
	{ "allow any use 01:10.0", "4242 01:10.0", "allow:1" },
	{ "allow any use 01:10.0", "0 01:10.0", "allow:1" },

	/* ---- targets ---- */
	{ "allow any use 0000:01:10.0", "1 0001:01:10.0", "no-rule" },
	{ "allow any use 0001:01:10.0", "1 0001:01:10.0", "allow:1" },
	{ "allow any use 01:10.0", "1 0001:01:10.0", "no-rule" },
	{ "allow any use 10000:e1:00.0", "1 10000:e1:00.0", "allow:1" },
	{ "allow any use 5e:02.0", "1 5e:02.1", "no-rule" },
	{ "allow any use slot 0000:01:00", "1 01:00.0", "allow:1" },
	{ "allow any use slot 0000:01:00", "1 01:00.1", "allow:1" },
	{ "allow any use slot 0000:01:00", "1 01:10.0", "no-rule" },
	{ "allow any use slot 5e:02", "1 5e:02.2", "allow:1" },
	{ "allow any use slot 5e:02", "1 5e:03.0", "no-rule" },
	{ "allow any use slot 0001:5e:02", "1 5e:02.0", "no-rule" },
	{ "allow any use id 10de:2684", "1 01:00.0", "allow:1" },
	{ "allow any use id 10DE:2684", "1 01:00.0", "allow:1" },
	{ "allow any use id 10de:2684", "1 01:00.1", "no-rule" },
	{ "allow any use id 8086:10ca", "1 0001:01:10.0", "allow:1" },
	{ "allow any use id 8086:10ca at 01:10.0", "1 01:10.0", "allow:1" },
	{ "allow any use id 8086:10ca at 01:10.0", "1 0001:01:10.0",
	    "no-rule" },
	{ "allow any use id 8086:10cb at 01:10.0", "1 01:10.0", "no-rule" },
	{ "allow any use class 02", "1 01:10.0", "allow:1" },
	{ "allow any use class 02", "1 02:00.0", "no-rule" },
	{ "allow any use class 0200", "1 5e:00.0", "allow:1" },
	{ "allow any use class 020000", "1 5e:00.0", "allow:1" },
	{ "allow any use class 0108", "1 02:00.0", "allow:1" },
	{ "allow any use class 010802", "1 02:00.0", "allow:1" },
	{ "allow any use class 010803", "1 02:00.0", "no-rule" },
	{ "allow any use class 0300", "1 02:00.0", "no-rule" },
	{ "allow any use class 0001", "1 02:00.0", "no-rule" },
	{ "allow any use class 000108", "1 02:00.0", "no-rule" },
	{ "allow any use vf-of 5e:00.0", "1 5e:02.0", "allow:1" },
	{ "allow any use vf-of 5e:00.0", "1 5e:03.0", "allow:1" },
	{ "allow any use vf-of 5e:00.0", "1 5e:00.0", "no-rule" },
	{ "allow any use vf-of 5e:00.0", "1 5f:02.0", "no-rule" },
	{ "allow any use vf-of 00:00.0", "1 01:10.0", "no-rule" },
	{ "allow any use group-of 01:00.0", "1 01:00.1", "allow:1" },
	{ "allow any use group-of 01:00.1", "1 01:00.0", "allow:1" },
	{ "allow any use group-of 01:00.0", "1 01:00.0", "allow:1" },
	{ "allow any use group-of 01:00.0", "1 01:10.0", "no-rule" },
	{ "allow any use group-of 99:00.0", "1 01:10.0", "no-rule" },
	{ "allow any use group-of 10000:e1:00.0", "1 10000:e1:00.0",
	    "allow:1" },
	{ "allow any use group-of 99:00.0", "1 10000:e1:00.0", "no-rule" },
	{ "allow any use all", "1 10000:e1:00.0", "allow:1" },
	{ "allow any use pool p\npool p { 01:10.0 }", "1 01:10.0", "allow:1" },
	{ "pool p { 01:10.0 }\nallow any use pool p", "1 02:00.0", "no-rule" },
	{ "pool p { }\nallow any use pool p", "1 02:00.0", "no-rule" },
	{ "pool p { 02:00.0\n slot 01:00 # both\n}\nallow any use pool p",
	    "1 01:00.1", "allow:4" },
	{ "pool p { vf-of 5e:00.0 class 03 }\nallow any use pool p",
	    "1 01:00.0", "allow:2" },
	{ "pool p { id 8086:10ca at 01:10.0 }\nallow any use pool p",
	    "1 0001:01:10.0", "no-rule" },
	{ "pool p { group-of 01:00.0 }\nallow any use pool p", "1 01:00.1",
	    "allow:2" },

	/* ---- deny beats allow, wherever it stands ---- */
	{ "allow any use all\ndeny any use class 0604", "1 00:1c.0",
	    "denied:2 class 0604" },
	{ "deny any use class 0604\nallow any use all", "1 00:1c.0",
	    "denied:1" },
	{ "deny any use class 0604\nallow any use all", "1 01:10.0",
	    "allow:2" },
	{ "allow uid 1 use 01:10.0\ndeny gid 5 use all", "1:5 01:10.0",
	    "denied:2" },
	{ "allow uid 1 use 01:10.0\ndeny gid 5 use all", "1:6 01:10.0",
	    "allow:1" },
	{ "allow any use all\ndeny uid 2 use 01:10.0", "1 01:10.0", "allow:1" },
	{ "allow any use all\ndeny any use slot 01:00", "1 02:00.0 01:00.1",
	    "denied:2" },
	{ "allow any use all\ndeny any use pool p\npool p { vf-of 5e:00.0 }",
	    "1 5e:02.1", "denied:2" },
	{ "allow any use all\ndeny any use group-of 01:00.0", "1 01:00.1",
	    "denied:2" },
	{ "deny uid 1 use 02:00.0", "1 01:10.0", "no-rule" },
	{ "deny uid 1 use 02:00.0", "1 01:10.0 02:00.0", "denied:1" },

	/* ---- managed ---- */
	{ "allow any use 01:10.0", "1 01:10.0+m",
	    "short:1 lacks managed; add: allow uid 1 use 0000:01:10.0 "
	    "managed" },
	{ "allow any use 01:10.0 managed", "1 01:10.0+m", "allow:1" },
	{ "allow any use 01:10.0 managed", "1 01:10.0", "allow:1" },
	{ "allow any use all managed\nallow any use 02:00.0",
	    "1 01:10.0+m 02:00.0", "allow:1" },
	{ "allow any use 01:10.0 managed\nallow any use 02:00.0",
	    "1 01:10.0 02:00.0+m", "short:2 use 0000:02:00.0 managed" },

	/* ---- memlock ---- */
	{ "allow any use 01:10.0", "1 01:10.0", "allow:1" },
	{ "allow any use 01:10.0", "1 01:10.0 memlock=1K",
	    "short:1 lacks memlock 1K; add: allow uid 1 use 0000:01:10.0 "
	    "memlock 1K" },
	{ "allow any use 01:10.0 memlock 2G", "1 01:10.0 memlock=2G",
	    "allow:1" },
	{ "allow any use 01:10.0 memlock 2G", "1 01:10.0 memlock=2097153K",
	    "short:1 memlock 2097153K" },
	{ "allow any use 01:10.0 memlock unlimited",
	    "1 01:10.0 memlock=unlimited", "allow:1" },
	{ "allow any use 01:10.0 memlock 16000000T",
	    "1 01:10.0 memlock=unlimited", "short:1 memlock unlimited" },
	{ "allow any use 01:10.0 memlock 0K", "1 01:10.0 memlock=1T",
	    "short:1 memlock 1T" },
	{ "allow any use 01:10.0 memlock 1G\nallow any use 01:10.0 memlock 4G",
	    "1 01:10.0 memlock=2G", "allow:2" },
	{ "allow any use 01:10.0 memlock 1G\nallow any use 02:00.0 memlock 4G",
	    "1 01:10.0 02:00.0 memlock=2G", "short:1" },

	/* ---- one line alone must cover the whole ---- */
	{ "allow any use 01:10.0 managed\nallow any use 01:10.0 memlock 4G",
	    "1 01:10.0+m memlock=2G", "short:1 lacks memlock 2G" },
	{ "allow any use 01:10.0 memlock 1G\nallow any use 01:10.0 managed "
	  "memlock 1G",
	    "1 01:10.0+m memlock=2G", "short:2 lacks memlock 2G;" },
	{ "allow any use 01:10.0\nallow any use 01:10.0 memlock 1G",
	    "1 01:10.0+m memlock=2G", "short:2 lacks managed memlock 2G" },
	{ "allow any use 01:10.0", "1 01:10.0 02:00.0", "no-rule 02:00.0" },
	{ "allow any use 02:00.0", "1 01:10.0 02:00.0", "no-rule 01:10.0" },
	{ "allow uid 1 use 01:10.0\nallow gid 5 use 02:00.0",
	    "1:5 01:10.0 02:00.0", "allow:1" },

	/* ---- siblings, reset: of any line that covers what is asked ---- */
	{ "allow any use 01:00.0", "1 01:00.0", "allow:1 ;" },
	{ "allow any use 01:00.0 siblings refuse reset required", "1 01:00.0",
	    "allow:1 ;" },
	{ "allow any use 01:00.0 siblings take", "1 01:00.0",
	    "allow:1 siblings;" },
	{ "allow any use 01:00.0 reset none", "1 01:00.0",
	    "allow:1 reset-none;" },
	{ "allow any use 01:00.0 managed reset none\nallow any use 01:00.0 "
	  "managed siblings take",
	    "1 01:00.0+m", "allow:2 siblings reset-none;" },
	{ "allow any use 01:00.0 managed reset none\nallow any use 01:00.0 "
	  "siblings take",
	    "1 01:00.0+m", "allow:1 reset-none;" },
	{ "allow any use 01:00.0 managed memlock 1G siblings take\nallow any "
	  "use 01:00.0 managed memlock 4G",
	    "1 01:00.0+m memlock=1G", "allow:1 siblings;" },
	{ "allow any use 01:00.0 managed memlock 1G siblings take\nallow any "
	  "use 01:00.0 managed memlock 4G",
	    "1 01:00.0+m memlock=2G", "allow:2 ;" },
	{ "allow any use 01:00.0 siblings take count 1\nallow any use all",
	    "1 01:00.0 has=01:00.0", "allow:2 ;" },
	{ "allow any use 01:00.0 expect dead:beef siblings take\nallow any use "
	  "all reset none",
	    "1 01:00.0", "allow:2 reset-none;" },
	{ "allow uid 2 use 01:00.0 siblings take\nallow any use 01:00.0",
	    "1 01:00.0", "allow:2 ;" },
	/* the line that allows most is named, in any order */
	{ "allow any use 01:00.0\nallow any use 01:00.0 siblings take",
	    "1 01:00.0", "allow:2 siblings;" },
	{ "allow any use 01:00.0 siblings take\nallow any use 01:00.0",
	    "1 01:00.0", "allow:1 siblings;" },
	{ "allow any use 01:00.0 memlock 9T\nallow any use 01:00.0 reset none",
	    "1 01:00.0", "allow:2 reset-none;" },
	{ "allow any use 01:00.0 memlock 1G\nallow any use all memlock 1G",
	    "1 01:00.0", "allow:1" },

	/* ---- count ---- */
	{ "allow any use vf-of 5e:00.0 count 2", "1 5e:02.0 5e:02.1",
	    "allow:1" },
	{ "allow any use vf-of 5e:00.0 count 2", "1 5e:02.0 5e:02.1 5e:02.2",
	    "short:1 lacks count 3; add: allow uid 1 use 0000:5e:02.0" },
	{ "allow any use vf-of 5e:00.0 count 2", "1 5e:02.0 has=5e:02.1",
	    "allow:1" },
	{ "allow any use vf-of 5e:00.0 count 2",
	    "1 5e:02.0 has=5e:02.1 has=5e:02.2", "short:1 count 3" },
	{ "allow any use vf-of 5e:00.0 count 2",
	    "1 5e:02.0 has=5f:02.0 has=01:10.0", "allow:1" },
	{ "allow any use vf-of 5e:00.0 count 0", "1 5e:02.0", "short:1" },
	{ "allow any use 01:10.0 count 1\nallow any use 02:00.0 count 1",
	    "1 01:10.0 02:00.0", "allow:1" },
	/* a line of its own for each device, and what it says of the whole */
	{ "allow any use 01:10.0 memlock 4G\nallow any use 02:00.0 memlock 2G",
	    "1 01:10.0 02:00.0 memlock=2G", "allow:1" },
	{ "allow any use 01:10.0 memlock 4G\nallow any use 02:00.0 memlock 2G",
	    "1 01:10.0 02:00.0 memlock=3G", "short:2 lacks memlock 3G" },
	{ "allow any use vf-of 5e:00.0 count 1\nallow any use 01:10.0",
	    "1 01:10.0 5e:02.0 5e:02.1", "short:1 lacks count 2" },
	{ "allow any use vf-of 5e:00.0 count 1\nallow any use 5e:02.1",
	    "1 5e:02.0 5e:02.1", "short:1 lacks count 2" },
	{ "allow any use all count 1\nallow any use 02:00.0",
	    "1 02:00.0 "
	    "01:10.0",
	    "short:1" },
	{ "pool p { vf-of 5e:00.0 vf-of 5f:00.0 }\nallow any use pool p "
	  "count 1",
	    "1 5e:02.0 has=5f:02.0", "short:2" },

	/* ---- expect ---- */
	{ "allow any use 01:10.0 expect 8086:10ca", "1 01:10.0", "allow:1" },
	{ "allow any use 01:10.0 expect 8086:10cb", "1 01:10.0",
	    "identity:1 8086:10ca" },
	{ "allow any use 01:10.0 expect 8086:10cb\nallow uid 1 use 01:10.0",
	    "1 01:10.0", "allow:2" },
	{ "allow any use 01:10.0 expect 8086:10cb\nallow uid 2 use 01:10.0",
	    "1 01:10.0", "identity:1" },
	{ "allow any use 01:10.0 expect 8086:10cb\nallow any use 01:10.0",
	    "1 01:10.0+m", "identity:1" },
	{ "allow any use 01:10.0 expect 8086:10cb\ndeny any use 01:10.0",
	    "1 01:10.0", "denied:2" },
	{ "allow any use 01:10.0 expect 8086:10cb", "1 02:00.0", "no-rule" },
	{ "allow any use class 02 expect 8086:10ca", "1 5e:00.0",
	    "identity:1" },
	{ "pool p { 01:10.0 expect 8086:10ca }\nallow any use pool p",
	    "1 01:10.0", "allow:2" },
	{ "pool p { 01:10.0 expect 1:1 }", "1 01:10.0", "error" },
	{ "pool p { 01:10.0 expect dead:beef }\nallow any use pool p",
	    "1 01:10.0", "identity:2 0000:01:10.0" },
	{ "pool p { 01:10.0 expect dead:beef class 02 }\nallow any use pool p",
	    "1 01:10.0", "allow:2" },
	{ "pool p { class 02 01:10.0 expect dead:beef }\nallow any use pool p",
	    "1 01:10.0", "allow:2" },
	{ "pool p { 01:10.0 }\nallow any use pool p expect dead:beef",
	    "1 01:10.0", "identity:2" },
	/* a card that was swapped stays denied */
	{ "pool p { 01:10.0 expect dead:beef }\nallow any use all\ndeny any "
	  "use pool p",
	    "1 01:10.0", "denied:3" },

	/* ---- limits ---- */
	{ "allow any use all\nlimit any devices 1", "1 01:10.0", "allow:1" },
	{ "allow any use all\nlimit any devices 1", "1 01:10.0 02:00.0",
	    "limit:2 limited to devices 1, with this request it would be 2" },
	{ "allow any use all\nlimit any devices 1", "1 01:10.0 has=02:00.0",
	    "limit:2" },
	{ "allow any use all\nlimit any devices 0", "1 01:10.0", "limit:2" },
	{ "allow any use all\nlimit uid 2 devices 0", "1 01:10.0", "allow:1" },
	{ "allow any use all\nlimit group kvm devices 0", "1:36 01:10.0",
	    "limit:2" },
	{ "allow any use all\nlimit user alice devices 9\nlimit any devices 0",
	    "1000 01:10.0", "limit:3" },
	{ "allow any use all\nlimit any devices 0\nlimit user alice devices 9",
	    "1000 01:10.0", "limit:2" },
	{ "allow any use all\nlimit any leases 2", "1 01:10.0 leases=1",
	    "allow:1" },
	{ "allow any use all\nlimit any leases 2", "1 01:10.0 leases=2",
	    "limit:2 leases" },
	{ "allow any use all\nlimit any leases 2", "1 01:10.0 leases=2 add",
	    "allow:1" },
	{ "allow any use all memlock 9G\nlimit any memlock 4G",
	    "1 01:10.0 memlock=4G", "allow:1" },
	{ "allow any use all memlock 9G\nlimit any memlock 4G",
	    "1 01:10.0 memlock=2G held=3G",
	    "limit:2 limited to memlock 4G, with this request it would be "
	    "5G" },
	{ "allow any use all memlock 9G\nlimit any memlock 4G",
	    "1 01:10.0 held=8G", "allow:1" },
	{ "allow any use all memlock unlimited\nlimit any memlock unlimited",
	    "1 01:10.0 memlock=unlimited held=unlimited", "allow:1" },
	{ "allow any use all memlock unlimited\nlimit any memlock 9T",
	    "1 01:10.0 memlock=unlimited held=1K",
	    "limit:2 would be unlimited" },
	{ "allow any use all\nlimit any connections 0 requests 1/s",
	    "1 01:10.0", "allow:1" },
	{ "limit any devices 0", "1 01:10.0", "no-rule" },
	{ "allow any use all\ndeny any use all\nlimit any devices 0",
	    "1 01:10.0", "denied:2" },
	{ "allow any use all\nlimit any devices 5 leases 0 memlock 0K",
	    "1 01:10.0", "limit:2 leases 0" },
	{ "allow any use all\nlimit any devices 5\nlimit any devices 5 leases "
	  "0",
	    "1 01:10.0", "limit:3" },
};

static const char *const verdicts[] = {
	[POLICY_ALLOW] = "allow",
	[POLICY_NO_RULE] = "no-rule",
	[POLICY_DENIED] = "denied",
	[POLICY_SHORT] = "short",
	[POLICY_IDENTITY] = "identity",
	[POLICY_LIMIT] = "limit",
};

/* "short:1" and, after a space, all that is known besides. */
static void
describe(const struct policy_decision *d, const struct policy_terms *terms,
    char *buf, size_t len)
{
	struct text t = text_in(buf, len);

	text_add(&t, "%s", verdicts[d->verdict]);
	if (d->rule != NULL)
		text_add(&t, ":%u", policy_rule_line(d->rule));
	text_add(&t, " %s", d->why);
	if (d->verdict != POLICY_ALLOW)
		return;
	text_add(&t, "%s%s%s;", terms->siblings_take ? "siblings" : "",
	    terms->siblings_take && terms->reset_none ? " " : "",
	    terms->reset_none ? "reset-none" : "");
}

/* The first word must be equal, and so must terms; words must stand in a why. */
static bool
agrees(const char *expect, const char *got)
{
	size_t n = strcspn(expect, " ");

	if (strncmp(expect, got, n) != 0 || got[n] != ' ')
		return false;
	if (expect[n] == '\0')
		return true;
	if (strncmp(expect, "allow", strlen("allow")) == 0)
		return strcmp(got + n, expect + n) == 0;
	return strstr(got + n, expect + n + 1) != NULL;
}

START_TEST(decides)
{
	struct policy_terms terms[REQUEST_DEVICES];
	struct policy_decision d;
	struct request r;
	char got[500];
	struct policy *p = load_text(cases[_i].policy, NULL);

	if (strcmp(cases[_i].expect, "error") == 0) {
		ck_assert_ptr_null(p);
		return;
	}
	ck_assert_msg(p != NULL, "no policy: %s", cases[_i].policy);
	ck_assert_int_eq(request_read(&r, cases[_i].request), 0);
	request_decide(p, &r, &d, terms);
	describe(&d, terms, got, sizeof(got));
	ck_assert_msg(agrees(cases[_i].expect, got),
	    "%s\n-- %s\nexpected: %s\ngot:      %s", cases[_i].policy,
	    cases[_i].request, cases[_i].expect, got);
	policy_free(p);
}
END_TEST

/* A line in a reason's "add: " is what an administrator will paste. */
START_TEST(suggestion_suffices)
{
	struct policy_decision d;
	struct request r;
	char text[1000];
	const char *add;
	struct policy *p = load_text(cases[_i].policy, NULL);
	size_t device;

	if (p == NULL)
		return;
	request_read(&r, cases[_i].request);
	request_decide(p, &r, &d, NULL);
	policy_free(p);
	add = strstr(d.why, "; add: ");
	ck_assert((d.verdict == POLICY_SHORT ||
		      (d.verdict == POLICY_NO_RULE && r.request.ndevices)) ==
		  (add != NULL));
	if (add == NULL)
		return;
	device = d.device;
	snprintf(text, sizeof(text), "%s\n%s\n", cases[_i].policy, add + 7);
	p = load_text(text, NULL);
	ck_assert_msg(p != NULL, "%s", text);
	request_decide(p, &r, &d, NULL);
	ck_assert_msg(d.verdict == POLICY_ALLOW || d.verdict == POLICY_LIMIT ||
			  d.device != device,
	    "%s\n%s", text, d.why);
	policy_free(p);
}
END_TEST

/* Requests may leave out what they do not need. */
START_TEST(null_arrays)
{
	struct policy *p = load_text("allow any use all", NULL);
	struct policy_decision d;
	struct request r;

	request_read(&r, "1 01:10.0");
	r.request.managed = NULL;
	r.usage.devices = NULL;
	r.subject.gids = NULL;
	policy_decide(p, NULL, &r.subject, &r.usage, &r.request, &d, NULL);
	ck_assert_int_eq(d.verdict, POLICY_ALLOW);
	policy_free(p);
}
END_TEST

static int
count_questions(void *arg, const struct bdf *b)
{
	(*(unsigned *)arg)++;
	return machine_group_of(NULL, b);
}

static void
skip_note(void *arg, const struct policy_note *note)
{
	(void)arg;
	(void)note;
}

/* By n lines, the allow lines about the device's group and another one. */
static unsigned
questions(unsigned n, bool explain)
{
	static const char *const lines[] = { "deny any use group-of 02:00.0\n",
		"allow any use group-of 01:00.1 count 1 memlock 1G\n",
		"allow any use group-of 5e:00.0 count 1 memlock 1G\n" };
	unsigned asked = 0;
	const struct policy_world world = { count_questions, &asked };
	struct policy_decision d;
	struct request r;
	char *text;
	size_t len;
	FILE *f = open_memstream(&text, &len);
	struct policy *p;

	for (unsigned i = 0; i < n; i++)
		fputs(lines[i % 3], f);
	fclose(f);
	p = load_text(text, NULL);
	request_read(&r, "1 01:00.0 memlock=2G has=01:00.1 has=02:00.0");
	policy_decide(p, &world, &r.subject, &r.usage, &r.request, &d, NULL);
	ck_assert_int_eq(d.verdict, POLICY_SHORT);
	if (explain)
		ck_assert_int_eq(policy_explain(p, &world, &r.subject, &r.usage,
				     &r.request, skip_note, NULL),
		    0);
	policy_free(p);
	free(text);
	return asked;
}

/* What a target means is found out once, however many lines are about it. */
START_TEST(asked_once)
{
	ck_assert_uint_gt(questions(12, false), 0);
	ck_assert_uint_eq(questions(1200, false), questions(12, false));
	/* Each reason that is told has a count of its own. */
	ck_assert_uint_gt(questions(120, true), questions(120, false));
	ck_assert_uint_eq(questions(1200, true), questions(120, true));
}
END_TEST

/* The longest of everything: nothing is cut, least of all the line to add. */
START_TEST(longest_why)
{
	struct policy *p =
	    load_text("allow uid 4294967294 use all count 0", NULL);
	struct policy_decision d;
	struct request r;

	request_read(&r, "4294967294 10000:e1:00.0+m");
	r.devices[0].bdf = (struct bdf){ 0xffffffff, 0xff, 0x1f, 7, 0 };
	r.request.memlock = 18014398509481983ULL << 10;
	request_decide(p, &r, &d, NULL);
	ck_assert_str_eq(d.why,
	    "lacks managed memlock 18014398509481983K count 1; add: allow uid "
	    "4294967294 use ffffffff:ff:1f.7 managed memlock "
	    "18014398509481983K");
	policy_free(p);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("policy_decide");
	TCase *tc = tcase_create("table");
	int n = (int)(sizeof(cases) / sizeof(cases[0]));
	SRunner *sr;
	int failed;

	tcase_add_loop_test(tc, decides, 0, n);
	tcase_add_loop_test(tc, suggestion_suffices, 0, n);
	tcase_add_test(tc, null_arrays);
	tcase_add_test(tc, longest_why);
	tcase_add_test(tc, asked_once);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed;
}
