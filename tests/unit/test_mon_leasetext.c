/* SPDX-License-Identifier: ISC */
/*
 * The text of lease files.  It is the broker's memory across a restart: who
 * holds a device is read from here, so a text that is not wholly right is none.
 */

#include <stdio.h>

#include "broker/monitor/lease.h"
#include "broker/monitor/leasefile.h"
#include "tests/unit/test_mon.h"

#define MAGIC "vfiobroker-lease 1\n"
#define ID "id 1000001\n"
#define UID "uid 1000\n"
#define PID "pid 4242\n"
#define COMM "comm qemu-system-x86\n"
#define LABEL "label guest one\n"
#define SINCE "since 1764100000\n"
#define MEMLOCK "memlock 3221225472\n"
#define IOMMUFD "iommufd 0\n"
#define END "end\n"
#define HEAD MAGIC ID UID PID COMM
#define OLD_TAIL SINCE MEMLOCK END /* before there was iommufd */
#define TAIL SINCE MEMLOCK IOMMUFD END
#define GOOD HEAD LABEL TAIL

static int
parse(const char *text, size_t len, struct lease *out)
{
	char *copy = exact_copy(text, len);
	int r;

	*out = (struct lease){ .probefd = -1 };
	r = lease_parse(copy, len, out);
	free(copy);
	return r;
}

static void
assert_same(const struct lease *a, const struct lease *b)
{
	ck_assert_uint_eq(a->id, b->id);
	ck_assert_uint_eq(a->uid, b->uid);
	ck_assert_int_eq(a->pid, b->pid);
	ck_assert_str_eq(a->comm, b->comm);
	ck_assert_str_eq(a->label, b->label);
	ck_assert_uint_eq(a->since, b->since);
	ck_assert_uint_eq(a->memlock, b->memlock);
	ck_assert_int_eq(a->iommufd, b->iommufd);
}

static uint64_t
random_number(uint32_t *seed)
{
	uint64_t n = random_next(seed);

	return (n << 32 | random_next(seed)) >> random_next(seed) % 64;
}

START_TEST(round_trip)
{
	uint32_t seed = 4711;

	for (int i = 0; i < 20000; i++) {
		struct lease l = { .id = random_number(&seed),
			.uid = random_next(&seed),
			.pid = (pid_t)(random_next(&seed) >> 1),
			.since = random_number(&seed),
			.memlock = random_number(&seed),
			.iommufd = random_next(&seed) & 1 };
		struct lease back;
		char text[LEASE_TEXT_MAX];
		size_t len;

		random_text(&seed, l.comm, sizeof(l.comm) - 1, "");
		random_text(&seed, l.label, sizeof(l.label) - 1, "");
		if (strcmp(l.comm, "-") == 0 || strcmp(l.label, "-") == 0)
			continue; /* which stands for none */
		len = lease_format(&l, text, sizeof(text));
		ck_assert_uint_lt(len, sizeof(text));
		ck_assert_msg(parse(text, len, &back) == 0, "%s", text);
		assert_same(&l, &back);
	}
}
END_TEST

START_TEST(text_form)
{
	struct lease l = { .id = 1000001,
		.uid = 1000,
		.pid = 4242,
		.comm = "qemu-system-x86",
		.label = "guest one",
		.since = 1764100000,
		.memlock = 3ULL << 30 };
	char text[LEASE_TEXT_MAX];
	struct lease back;

	lease_format(&l, text, sizeof(text));
	ck_assert_str_eq(text, GOOD);
	ck_assert_int_eq(parse(GOOD, strlen(GOOD), &back), 0);
	assert_same(&l, &back);
	ck_assert_int_eq(
	    parse(HEAD LABEL OLD_TAIL, strlen(HEAD LABEL OLD_TAIL), &back), 0);
	assert_same(&l, &back);
}
END_TEST

START_TEST(longest_fits)
{
	struct lease l = { .id = UINT64_MAX,
		.uid = UINT32_MAX,
		.pid = INT32_MAX,
		.since = UINT64_MAX,
		.memlock = UINT64_MAX };
	char text[LEASE_TEXT_MAX];
	struct lease back;
	size_t len;

	memset(l.comm, 'c', sizeof(l.comm) - 1);
	memset(l.label, 'l', sizeof(l.label) - 1);
	len = lease_format(&l, text, sizeof(text));
	ck_assert_uint_lt(len, sizeof(text));
	ck_assert_int_eq(parse(text, len, &back), 0);
	assert_same(&l, &back);
}
END_TEST

/* A label can not look like a line: it is printable, and one line ends it. */
START_TEST(label_like_a_line)
{
	struct lease l = { .id = 1, .label = "end" }, back;
	char text[LEASE_TEXT_MAX];
	size_t len = lease_format(&l, text, sizeof(text));

	ck_assert_int_eq(parse(text, len, &back), 0);
	ck_assert_str_eq(back.label, "end");
	ck_assert_str_eq(back.comm, "");
}
END_TEST

#define ROW(text)                      \
	{                              \
		text, sizeof(text) - 1 \
	}

static const struct {
	const char *text;
	size_t len;
} hostile[] = {
	ROW(""),
	ROW("\0"),
	ROW("\n"),
	ROW("vfiobroker-lease 2\n" ID UID PID COMM LABEL TAIL),
	ROW("vfiobroker-device 1\n" ID UID PID COMM LABEL TAIL),
	ROW(ID UID PID COMM LABEL TAIL),
	ROW(MAGIC GOOD),
	ROW(GOOD GOOD),
	ROW(GOOD "\n"),
	ROW(GOOD "\0"),
	ROW(HEAD LABEL SINCE MEMLOCK),
	ROW(HEAD LABEL SINCE MEMLOCK "end"),
	ROW(HEAD LABEL SINCE MEMLOCK "end\r\n"),
	ROW(HEAD LABEL SINCE MEMLOCK "more 1\n" END),
	ROW(HEAD LABEL SINCE END),
	ROW(HEAD TAIL),
	ROW(HEAD LABEL LABEL TAIL),
	ROW(MAGIC ID ID UID PID COMM LABEL TAIL),
	ROW(MAGIC UID ID PID COMM LABEL TAIL),
	ROW(MAGIC "id -1\n" UID PID COMM LABEL TAIL),
	ROW(MAGIC "id\n" UID PID COMM LABEL TAIL),
	ROW(MAGIC "id \n" UID PID COMM LABEL TAIL),
	ROW(MAGIC "id 1 \n" UID PID COMM LABEL TAIL),
	ROW(MAGIC "id 18446744073709551616\n" UID PID COMM LABEL TAIL),
	ROW(MAGIC ID "uid 4294967296\n" PID COMM LABEL TAIL),
	ROW(MAGIC ID "uid -1\n" PID COMM LABEL TAIL),
	ROW(MAGIC ID "uid root\n" PID COMM LABEL TAIL),
	ROW(MAGIC ID UID "pid 4294967296\n" COMM LABEL TAIL),
	ROW(MAGIC ID UID PID "comm\n" LABEL TAIL),
	ROW(MAGIC ID UID PID "comm a\0b\n" LABEL TAIL),
	ROW(HEAD "label 0123456789abcdef0123456789abcdef\n" TAIL),
	ROW(HEAD "label a\nb\n" TAIL),
	ROW(HEAD "label a\0\n" TAIL),
	ROW(HEAD "\n" LABEL TAIL),
};

START_TEST(hostile_text)
{
	struct lease l;
	int r = parse(hostile[_i].text, hostile[_i].len, &l);

	ck_assert_msg(r == -EBADMSG, "%d for\n%s", r, hostile[_i].text);
}
END_TEST

START_TEST(cut_off)
{
	struct lease l;

	for (size_t n = 0; n < strlen(GOOD); n++)
		ck_assert_int_eq(parse(GOOD, n, &l), -EBADMSG);
	ck_assert_int_eq(parse(GOOD, strlen(GOOD), &l), 0);
}
END_TEST

/* Whatever one byte becomes: no crash, and texts stay texts in their fields. */
START_TEST(one_byte_wrong)
{
	char text[] = GOOD;
	unsigned accepted = 0;
	struct lease l;

	for (size_t at = 0; at < strlen(GOOD); at++) {
		for (int c = 1; c < 256; c++) {
			text[at] = (char)(GOOD[at] ^ c);
			if (parse(text, strlen(GOOD), &l) != 0)
				continue;
			accepted++;
			ck_assert_uint_lt(
			    strnlen(l.comm, sizeof(l.comm)), sizeof(l.comm));
			ck_assert_uint_lt(
			    strnlen(l.label, sizeof(l.label)), sizeof(l.label));
		}
		text[at] = GOOD[at];
	}
	/* Values may change, names of keys, blanks and ends may not. */
	ck_assert_uint_gt(accepted, 0);
	ck_assert_uint_lt(accepted, 255 * strlen("qemu-system-x86guest one") +
					9 * strlen("1000001100042421764100000"
						   "3221225472"));
}
END_TEST

START_TEST(noise)
{
	uint32_t seed = 5;
	char text[300];
	struct lease l;

	for (int i = 0; i < 50000; i++) {
		size_t len = random_next(&seed) % sizeof(text);

		for (size_t at = 0; at < len; at++)
			text[at] = (char)random_next(&seed);
		ck_assert_int_eq(parse(text, len, &l), -EBADMSG);
	}
}
END_TEST

int
main(void)
{
	TCase *tc = tcase_create("leasetext");
	Suite *s = suite_create("leasetext");

	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, round_trip);
	tcase_add_test(tc, text_form);
	tcase_add_test(tc, longest_fits);
	tcase_add_test(tc, label_like_a_line);
	tcase_add_loop_test(
	    tc, hostile_text, 0, sizeof(hostile) / sizeof(hostile[0]));
	tcase_add_test(tc, cut_off);
	tcase_add_test(tc, one_byte_wrong);
	tcase_add_test(tc, noise);
	suite_add_tcase(s, tc);
	return run_suite(s);
}
