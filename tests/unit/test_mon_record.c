/* SPDX-License-Identifier: ISC */
/*
 * Device records: what is written is read again, and nothing else is believed.
 * The text may come from a disk that was full or a hand that edited it, and
 * what it says is done to a device.
 */

#include <sys/resource.h>
#include <sys/stat.h>

#include <stdio.h>

#include "broker/monitor/record.h"
#include "broker/monitor/rundir.h"
#include "tests/unit/fixture.h"
#include "tests/unit/test_mon.h"

#define NAME "0000:01:10.0"
#define MAGIC "vfiobroker-device 1\n"
#define BDF "bdf 0000:01:10.0\n"
#define STEP "step unbind\n"
#define DRIVER "driver igbvf\n"
#define OVERRIDE "override -\n"
#define LEASE "lease 42\n"
#define TAKEN "taken 1\n"
#define NONE "reset-none 0\nwhy -\n"
#define CDEV "cdev 0\nrebind 0\nvfs 0\n"
#define END "end\n"
#define HEAD MAGIC BDF STEP DRIVER OVERRIDE
#define OLD HEAD LEASE TAKEN NONE END /* before there were cdevs */
#define GOOD HEAD LEASE TAKEN NONE CDEV END

static struct fixture tree;
static const struct bdf device = { .bus = 1, .dev = 0x10 };

static void
setup(void)
{
	char path[128];

	fixture_init(&tree);
	snprintf(path, sizeof(path), "%s/run", tree.root);
	ck_assert_int_eq(rundir_open(path), 0);
}

static void
teardown(void)
{
	fixture_fini(&tree);
}

static int
parse(const char *text, size_t len, struct record *out)
{
	char *copy = exact_copy(text, len);
	int r = record_parse(copy, len, out);

	free(copy);
	return r;
}

static void
random_word(uint32_t *seed, char word[SYSFS_NAME_MAX])
{
	do
		random_text(seed, word, SYSFS_NAME_MAX - 1, "/");
	while (strcmp(word, "-") == 0);
}

static struct record
random_record(uint32_t *seed)
{
	struct record r = { .lease = random_next(seed) };

	r.bdf.domain = random_next(seed) >> random_next(seed) % 32;
	r.bdf.bus = (uint8_t)random_next(seed);
	r.bdf.dev = random_next(seed) % 32;
	r.bdf.fn = random_next(seed) % 8;
	random_word(seed, r.step);
	random_word(seed, r.driver);
	random_word(seed, r.override);
	r.lease = r.lease << 32 | random_next(seed);
	r.lease >>= random_next(seed) % 64;
	r.taken = random_next(seed) & 1;
	r.reset_none = random_next(seed) & 1;
	r.cdev = random_next(seed) & 1;
	r.rebind = random_next(seed) & 1;
	r.vfs = random_next(seed);
	do
		random_text(seed, r.why, sizeof(r.why) - 1, "");
	while (strcmp(r.why, "-") == 0);
	return r;
}

static void
assert_same(const struct record *a, const struct record *b)
{
	ck_assert_int_eq(bdf_cmp(&a->bdf, &b->bdf), 0);
	ck_assert_str_eq(a->step, b->step);
	ck_assert_str_eq(a->driver, b->driver);
	ck_assert_str_eq(a->override, b->override);
	ck_assert_uint_eq(a->lease, b->lease);
	ck_assert_int_eq(a->taken, b->taken);
	ck_assert_int_eq(a->reset_none, b->reset_none);
	ck_assert_int_eq(a->cdev, b->cdev);
	ck_assert_int_eq(a->rebind, b->rebind);
	ck_assert_uint_eq(a->vfs, b->vfs);
	ck_assert_str_eq(a->why, b->why);
}

START_TEST(round_trip)
{
	uint32_t seed = 20121;

	for (int i = 0; i < 20000; i++) {
		struct record r = random_record(&seed), back;
		char text[RECORD_MAX];
		size_t len = record_format(&r, text, sizeof(text));

		ck_assert_uint_lt(len, sizeof(text));
		ck_assert_uint_eq(strlen(text), len);
		ck_assert_msg(parse(text, len, &back) == 0, "%s", text);
		assert_same(&r, &back);
	}
}
END_TEST

/* The form is fixed: a newer broker reads what an older one wrote. */
START_TEST(text_form)
{
	struct record r = { .bdf = device, .lease = 42, .taken = true }, back;
	char text[RECORD_MAX];

	strcpy(r.step, "unbind");
	strcpy(r.driver, "igbvf");
	record_format(&r, text, sizeof(text));
	ck_assert_str_eq(text, GOOD);
	ck_assert_int_eq(parse(OLD, strlen(OLD), &back), 0);
	assert_same(&r, &back);
	ck_assert_int_eq(parse(GOOD, strlen(GOOD), &back), 0);
	assert_same(&r, &back);
}
END_TEST

START_TEST(longest_fits)
{
	struct record r = { .lease = UINT64_MAX }, back;
	char text[RECORD_MAX];
	size_t len;

	r.bdf = (struct bdf){ UINT32_MAX, 255, 31, 7, 0 };
	memset(r.step, 's', SYSFS_NAME_MAX - 1);
	memset(r.driver, 'd', SYSFS_NAME_MAX - 1);
	memset(r.override, 'o', SYSFS_NAME_MAX - 1);
	len = record_format(&r, text, sizeof(text));
	ck_assert_uint_lt(len, sizeof(text));
	ck_assert_int_eq(parse(text, len, &back), 0);
	assert_same(&r, &back);
}
END_TEST

#define ROW(name, text)                      \
	{                                    \
		name, text, sizeof(text) - 1 \
	}

static const struct {
	const char *name, *text;
	size_t len;
} hostile[] = {
	ROW("empty", ""),
	ROW("one NUL", "\0"),
	ROW("no newline", "vfiobroker-device 1"),
	ROW("another magic", "vfiobroker-device 2\n" BDF STEP DRIVER OVERRIDE
				 LEASE TAKEN NONE END),
	ROW("a lease", "vfiobroker-lease 1\n" BDF STEP DRIVER OVERRIDE LEASE
			   TAKEN NONE END),
	ROW("no magic", BDF STEP DRIVER OVERRIDE LEASE TAKEN NONE END),
	ROW("magic twice", MAGIC GOOD),
	ROW("NUL in the magic", "vfiobroker-device 1\0\n" BDF STEP DRIVER
				    OVERRIDE LEASE TAKEN NONE END),
	ROW("no end", HEAD LEASE TAKEN NONE),
	ROW("end without newline", HEAD LEASE TAKEN NONE "end"),
	ROW("end and more", HEAD LEASE TAKEN NONE "end \n"),
	ROW("behind the end", GOOD "\n"),
	ROW("a NUL behind the end", GOOD "\0"),
	ROW("two records", GOOD GOOD),
	ROW("a key too many", HEAD LEASE TAKEN NONE "more 1\n" END),
	ROW("a key twice", HEAD LEASE LEASE TAKEN NONE END),
	ROW("bdf twice",
	    MAGIC BDF BDF STEP DRIVER OVERRIDE LEASE TAKEN NONE END),
	ROW("a key missing", HEAD TAKEN NONE END),
	ROW("the last key missing", HEAD LEASE TAKEN END),
	ROW("an added key twice", HEAD LEASE TAKEN NONE CDEV CDEV END),
	ROW("an added key too early", HEAD LEASE TAKEN CDEV NONE END),
	ROW("a cdev of two", HEAD LEASE TAKEN NONE "cdev 2\n" END),
	ROW("another order", HEAD TAKEN LEASE NONE END),
	ROW("an empty line", HEAD "\n" LEASE TAKEN NONE END),
	ROW("a comment", HEAD "# x\n" LEASE TAKEN NONE END),
	ROW("upper case", HEAD "Lease 42\n" TAKEN NONE END),
	ROW("longer key", HEAD "leases 42\n" TAKEN NONE END),
	ROW("no value", HEAD "lease\n" TAKEN NONE END),
	ROW("empty number", HEAD "lease \n" TAKEN NONE END),
	ROW("two blanks", HEAD "lease  42\n" TAKEN NONE END),
	ROW("negative", HEAD "lease -1\n" TAKEN NONE END),
	ROW("plus", HEAD "lease +1\n" TAKEN NONE END),
	ROW("hex", HEAD "lease 0x2a\n" TAKEN NONE END),
	ROW("65 bits", HEAD "lease 18446744073709551616\n" TAKEN NONE END),
	ROW("trailing blank", HEAD "lease 42 \n" TAKEN NONE END),
	ROW("carriage return", HEAD "lease 42\r\n" TAKEN NONE END),
	ROW("NUL in a number", HEAD "lease 4\0002\n" TAKEN NONE END),
	ROW("a bool of two", HEAD LEASE "taken 2\n" NONE END),
	ROW("a number with a zero before it",
	    HEAD "lease 042\n" TAKEN NONE END),
	ROW("a bool with one", HEAD LEASE "taken 01\n" NONE END),
	ROW("a long bool", HEAD LEASE "taken 10\n" NONE END),
	ROW("a word for a bool", HEAD LEASE "taken yes\n" NONE END),
	ROW("empty driver",
	    MAGIC BDF STEP "driver \n" OVERRIDE LEASE TAKEN NONE END),
	ROW("slash",
	    MAGIC BDF STEP "driver a/b\n" OVERRIDE LEASE TAKEN NONE END),
	ROW("dots and slash",
	    MAGIC BDF STEP "driver ../../x\n" OVERRIDE LEASE TAKEN NONE END),
	ROW("slash in the step",
	    MAGIC BDF "step /\n" DRIVER OVERRIDE LEASE TAKEN NONE END),
	ROW("slash in the override",
	    MAGIC BDF STEP DRIVER "override a/\n" LEASE TAKEN NONE END),
	ROW("NUL in a name",
	    MAGIC BDF STEP "driver ig\0bvf\n" OVERRIDE LEASE TAKEN NONE END),
	ROW("32 bytes of name", MAGIC BDF STEP
	    "driver 0123456789abcdef0123456789abcdef\n" OVERRIDE LEASE TAKEN
		NONE END),
	ROW("no bdf",
	    MAGIC "bdf -\n" STEP DRIVER OVERRIDE LEASE TAKEN NONE END),
	ROW("device 32", MAGIC
	    "bdf 0000:01:20.0\n" STEP DRIVER OVERRIDE LEASE TAKEN NONE END),
	ROW("function 8", MAGIC
	    "bdf 0000:01:10.8\n" STEP DRIVER OVERRIDE LEASE TAKEN NONE END),
	ROW("behind the bdf", MAGIC
	    "bdf 0000:01:10.0 x\n" STEP DRIVER OVERRIDE LEASE TAKEN NONE END),
};

START_TEST(hostile_text)
{
	struct record r = { .lease = 7 };
	int e = parse(hostile[_i].text, hostile[_i].len, &r);

	ck_assert_msg(e == -EBADMSG, "%s: %d", hostile[_i].name, e);
	ck_assert_uint_eq(r.lease, 7);
}
END_TEST

START_TEST(long_lines)
{
	char text[4096];
	struct record r;

	for (size_t n = 100; n < 2000; n += 7) {
		int len = snprintf(
		    text, sizeof(text), HEAD "lease %0*d\n", (int)n, 42);

		ck_assert_int_eq(parse(text, (size_t)len, &r), -EBADMSG);
		memset(text, 'x', n);
		ck_assert_int_eq(parse(text, n, &r), -EBADMSG);
	}
}
END_TEST

START_TEST(cut_off)
{
	struct record r;

	for (size_t n = 0; n < strlen(GOOD); n++)
		ck_assert_int_eq(parse(GOOD, n, &r), -EBADMSG);
	ck_assert_int_eq(parse(GOOD, strlen(GOOD), &r), 0);
}
END_TEST

/* A byte that another one was: at worst another value, never another device,
 * since the file's name says which one it must be. */
START_TEST(one_byte_wrong)
{
	char text[] = GOOD;
	unsigned others = 0;
	struct record r;

	for (size_t at = 0; at < strlen(GOOD); at++) {
		for (int c = 1; c < 256; c++) {
			text[at] = (char)(GOOD[at] ^ c);
			if (parse(text, strlen(GOOD), &r) != 0 ||
			    bdf_cmp(&r.bdf, &device) == 0)
				continue;
			others++;
			ck_assert_int_eq(rundir_replace(RUNDIR_DEVICES, NAME,
					     text, strlen(GOOD)),
			    0);
			ck_assert_int_eq(record_read(&device, &r), -EBADMSG);
		}
		text[at] = GOOD[at];
	}
	ck_assert_uint_gt(others, 50);
}
END_TEST

START_TEST(noise)
{
	uint32_t seed = 77;
	char text[300];
	struct record r;

	for (int i = 0; i < 50000; i++) {
		size_t len = random_next(&seed) % sizeof(text);

		for (size_t at = 0; at < len; at++)
			text[at] = (char)random_next(&seed);
		ck_assert_int_eq(parse(text, len, &r), -EBADMSG);
	}
}
END_TEST

int
main(void)
{
	TCase *text = tcase_create("text"), *byte = tcase_create("byte");
	Suite *s = suite_create("record");

	tcase_set_timeout(text, 60);
	tcase_add_test(text, round_trip);
	tcase_add_test(text, text_form);
	tcase_add_test(text, longest_fits);
	tcase_add_loop_test(
	    text, hostile_text, 0, sizeof(hostile) / sizeof(hostile[0]));
	tcase_add_test(text, long_lines);
	tcase_add_test(text, cut_off);
	tcase_add_test(text, noise);
	suite_add_tcase(s, text);

	tcase_set_timeout(byte, 60);
	tcase_add_checked_fixture(byte, setup, teardown);
	tcase_add_test(byte, one_byte_wrong);
	suite_add_tcase(s, byte);
	return run_suite(s);
}
