/* SPDX-License-Identifier: ISC */
/*
 * The compiled form as the broker reads it: each rule of it broken on its own,
 * every length, every byte with every value.  What is taken all the same must
 * print and decide without reading outside itself.  That what is written can be
 * read, and means the same, the other tests of the policy show, for all of them
 * load by way of it.
 */

#include <check.h>
#include <stdlib.h>

#include "policy/compiled.h"
#include "test_policy.h"

static const char everything[] =
    "pool a { 01:10.0 expect 8086:10ca slot 5e:02 id 8086:154c at 5e:03.0 }\n"
    "allow user alice use pool a managed memlock 16G count 2\n"
    "allow group kvm use 02:00.0 siblings take expect 144d:a808 reset none\n"
    "deny uid 1001 use class 0604\n"
    "deny any use vf-of 5e:00.0\n"
    "limit gid 44 devices 2 leases 1 memlock 4G\n"
    "limit any connections 5 requests 7/s\n"
    "claim group-of 01:00.0\n"
    "tolerate swap on pool b\n"
    "pool b { }\n"
    "admin uid 0\n";

/* The lines above, and the targets in order. */
enum {
	POOL_A,
	ALLOW_A,
	ALLOW,
	DENY,
	DENY_ANY,
	LIMIT,
	LIMIT_ANY,
	CLAIM,
	TOLERATE,
	POOL_B,
	ADMIN,
	LINES
};
enum {
	T_EXPECT,
	T_SLOT,
	T_ID,
	T_POOL,
	T_ALLOW,
	T_CLASS,
	T_VF,
	T_GROUP,
	T_POOL_B,
	TARGETS
};

/* A compiled policy, with pointers to its parts. */
struct image {
	char *bytes;
	size_t len;
	struct compiled_head *head;
	struct compiled_line *lines;
	struct compiled_target *targets;
	char *strings;
};

static void
image_find(struct image *m)
{
	m->head = (void *)m->bytes;
	m->lines = (void *)(m->head + 1);
	m->targets = (void *)(m->lines + m->head->lines);
	m->strings = (void *)(m->targets + m->head->targets);
}

static void
image_make(struct image *m, const char *text)
{
	const struct policy_source source = { "a.conf", text, strlen(text) };
	FILE *f = open_memstream(&m->bytes, &m->len);

	ck_assert_int_eq(
	    policy_compile(f, &source, 1, &machine_resolver, NULL, NULL), 0);
	fclose(f);
	image_find(m);
}

static void
image_errors(struct image *m, const char *const *lines, size_t n)
{
	FILE *f = open_memstream(&m->bytes, &m->len);

	ck_assert_int_eq(policy_compile_errors(f, lines, n), 0);
	fclose(f);
	image_find(m);
}

static void
use_note(void *arg, const struct policy_note *n)
{
	size_t *total = arg;

	*total += strlen(n->why) + strlen(policy_rule_text(n->rule)) +
		  strlen(policy_rule_file(n->rule));
}

/* All that the broker does with a policy, whatever comes of it. */
static void
use(const struct policy *p)
{
	struct policy_limits limits;
	struct policy_decision d;
	struct request r;
	size_t total = 0;
	char *text = NULL;
	FILE *f = open_memstream(&text, &total);

	policy_print(p, f, true);
	fclose(f);
	free(text);
	request_read(&r, "1000:36,44 01:10.0+m memlock=2G has=02:00.0");
	request_decide(p, &r, &d, NULL);
	policy_explain(p, &machine_world, &r.subject, &r.usage, &r.request,
	    use_note, &total);
	policy_limits_of(p, &r.subject, &limits);
	policy_is_admin(p, &r.subject);
	policy_claims(p, &machine_world, r.devices);
	policy_tolerates(p, &machine_world, r.devices, REASON_SWAP);
}

/* From a block of just its size, for the sanitizers to guard. */
static int
read_copy(const char *bytes, size_t len)
{
	char *copy = malloc(len == 0 ? 1 : len);
	struct policy *p;
	int r;

	memcpy(copy, bytes, len);
	r = policy_read(&p, copy, len, NULL, NULL);
	free(copy);
	if ((r == 0) != (p != NULL))
		ck_abort_msg("%d, and %p", r, (void *)p);
	if (r == 0)
		use(p);
	policy_free(p);
	return r;
}

START_TEST(as_written)
{
	struct image m;

	image_make(&m, everything);
	ck_assert_uint_eq(m.head->lines, LINES);
	ck_assert_uint_eq(m.head->targets, TARGETS);
	ck_assert_int_eq(read_copy(m.bytes, m.len), 0);
	free(m.bytes);
	image_make(&m, "");
	ck_assert_int_eq(read_copy(m.bytes, m.len), 0);
	free(m.bytes);
}
END_TEST

START_TEST(truncated)
{
	struct image m;

	image_make(&m, everything);
	for (size_t len = 0; len < m.len; len++)
		ck_assert_int_eq(read_copy(m.bytes, len), -EBADMSG);
	/* Also where the end stands at the cut. */
	for (size_t len = 0; len + COMPILED_WORD < m.len; len++) {
		memcpy(m.bytes + len, COMPILED_END, COMPILED_WORD);
		ck_assert_int_eq(
		    read_copy(m.bytes, len + COMPILED_WORD), -EBADMSG);
		free(m.bytes);
		image_make(&m, everything);
	}
	free(m.bytes);
}
END_TEST

START_TEST(longer)
{
	struct image m;
	char *more;

	image_make(&m, everything);
	more = calloc(1, 2 * m.len);
	memcpy(more, m.bytes, m.len);
	ck_assert_int_eq(read_copy(more, m.len + 1), -EBADMSG);
	ck_assert_int_eq(read_copy(more, m.len + 8), -EBADMSG);
	memcpy(more + m.len, m.bytes, m.len);
	ck_assert_int_eq(read_copy(more, 2 * m.len), -EBADMSG);
	free(more);
	free(m.bytes);
}
END_TEST

/* Refused, or used without harm: a number may be another number. */
START_TEST(every_byte)
{
	size_t taken = 0;
	struct image m;
	char was;

	image_make(&m, everything);
	for (size_t i = 0; i < m.len; i++) {
		was = m.bytes[i];
		for (int c = 0; c < 256; c++) {
			m.bytes[i] = (char)c;
			taken += read_copy(m.bytes, m.len) == 0;
		}
		m.bytes[i] = was;
	}
	ck_assert_uint_gt(taken, m.len);
	free(m.bytes);
}
END_TEST

/* ---- one rule of the form after the other -------------------------------- */

static void
end_elsewhere(struct image *m)
{
	m->len += COMPILED_WORD;
	m->bytes = realloc(m->bytes, m->len);
	memcpy(m->bytes + m->len - COMPILED_WORD, COMPILED_END, COMPILED_WORD);
}

static void
string_empty(struct image *m)
{
	m->strings[0] = '\0';
}

static void
string_control(struct image *m)
{
	m->strings[1] = '\n';
}

static void
string_delete(struct image *m)
{
	m->strings[1] = 0x7f;
}

/* Two of them are one, and one more is two. */
static void
strings_fewer(struct image *m)
{
	m->strings[strlen(m->strings)] = ' ';
}

static void
strings_more(struct image *m)
{
	m->strings[2] = '\0';
}

static void
string_without_end(struct image *m)
{
	m->bytes[m->len - COMPILED_WORD - 1] = 'x';
}

#define SET(name, what, value)            \
	static void name(struct image *m) \
	{                                 \
		m->what = value;          \
	}

/* clang-format off */
SET(magic, head->magic[7], '0')
SET(errors_too, head->errors, 1)
SET(no_files, head->files, 0)
SET(many_files, head->files, POLICY_FILES_MAX + 1)
SET(more_lines, head->lines, LINES + 1)
SET(most_lines, head->lines, UINT32_MAX)
SET(fewer_targets, head->targets, TARGETS - 1)
SET(most_targets, head->targets, UINT32_MAX)
SET(verb, lines[ADMIN].verb, VERB_COUNT)
SET(subject, lines[ALLOW].subject, SUBJECT_COUNT)
SET(subject_of_claim, lines[CLAIM].subject, SUBJECT_ANY)
SET(id_of_claim, lines[CLAIM].id, 1)
SET(id_of_any, lines[DENY_ANY].id, 1)
SET(id_nobody, lines[ALLOW].id, UINT32_MAX)
SET(reason, lines[TOLERATE].reason, REASON_COUNT)
SET(reason_firm, lines[TOLERATE].reason, REASON_NOIOMMU)
SET(reason_of_claim, lines[CLAIM].reason, REASON_SWAP)
SET(line_zero, lines[ALLOW].zero, 1)
SET(file, lines[ADMIN].file, 1)
SET(line_0, lines[POOL_A].line, 0)
SET(line_twice, lines[ALLOW].line, 2)
SET(line_before, lines[ADMIN].line, 1)
SET(pool_of_deny, lines[DENY].pool, POOL_B)
SET(pool_of_limit, lines[LIMIT].pool, POOL_B)
SET(pool_of_pool, lines[POOL_B].pool, POOL_B)
SET(pool_is_none, lines[ALLOW_A].pool, ALLOW)
SET(pool_beyond, lines[ALLOW_A].pool, LINES)
SET(targets_none, lines[CLAIM].targets, 0)
SET(targets_two, lines[ALLOW].targets, 2)
SET(targets_of_limit, lines[LIMIT].targets, 1)
SET(targets_most, lines[POOL_A].targets, UINT32_MAX)
SET(targets_fewer, lines[POOL_A].targets, 2)
SET(managed, lines[ALLOW_A].value[FIELD_MANAGED], 2)
SET(count, lines[ALLOW_A].value[FIELD_COUNT], 1ULL << 32)
SET(siblings, lines[ALLOW].value[FIELD_SIBLINGS], 2)
SET(reset, lines[ALLOW].value[FIELD_RESET], 2)
SET(expect_apart, lines[ALLOW].value[FIELD_EXPECT], VALUE_ABSENT)
SET(value_of_deny, lines[DENY].value[0], 1)
SET(value_of_limit, lines[LIMIT].value[5], 1)
SET(devices, lines[LIMIT].value[0], 1ULL << 32)
SET(requests, lines[LIMIT].value[FIELD_MAX_REQUESTS - FIELD_OPTIONS_END], 0)
SET(kind, targets[T_ALLOW].kind, TARGET_COUNT)
SET(kind_in_pool, targets[T_EXPECT].kind, TARGET_ALL)
SET(kind_pool, targets[T_ALLOW].kind, TARGET_POOL)
SET(target_zero, targets[T_ALLOW].zero, 1)
SET(address, targets[T_ALLOW].key, 1ULL << 48)
SET(vf_of, targets[T_VF].key, 1ULL << 48)
SET(group_of, targets[T_GROUP].key, VALUE_ABSENT)
SET(slot, targets[T_SLOT].key, 1)
SET(ids, targets[T_ID].key, 1ULL << 32)
SET(id_at, targets[T_ID].at, 1ULL << 48)
SET(at, targets[T_ALLOW].at, 1)
SET(class_plain, targets[T_CLASS].key, 0x0604)
SET(class_two, targets[T_CLASS].key, 2ULL << 16)
SET(class_long, targets[T_CLASS].key, 1ULL << 32)
SET(pool_key, targets[T_POOL].key, 1)
SET(expect, targets[T_EXPECT].expect, 1ULL << 32)
SET(expect_of_deny, targets[T_CLASS].expect, 1)
/* clang-format on */

#define ROW(name)           \
	{                   \
#name, name \
	}
static const struct {
	const char *name;
	void (*spoil)(struct image *);
} wrongs[] = { ROW(end_elsewhere), ROW(string_empty), ROW(string_control),
	ROW(string_delete), ROW(strings_fewer), ROW(strings_more),
	ROW(string_without_end), ROW(magic), ROW(errors_too), ROW(no_files),
	ROW(many_files), ROW(more_lines), ROW(most_lines), ROW(fewer_targets),
	ROW(most_targets), ROW(verb), ROW(subject), ROW(subject_of_claim),
	ROW(id_of_claim), ROW(id_of_any), ROW(id_nobody), ROW(reason),
	ROW(reason_firm), ROW(reason_of_claim), ROW(line_zero), ROW(file),
	ROW(line_0), ROW(line_twice), ROW(line_before), ROW(pool_of_deny),
	ROW(pool_of_limit), ROW(pool_of_pool), ROW(pool_is_none),
	ROW(pool_beyond), ROW(targets_none), ROW(targets_two),
	ROW(targets_of_limit), ROW(targets_most), ROW(targets_fewer),
	ROW(managed), ROW(count), ROW(siblings), ROW(reset), ROW(expect_apart),
	ROW(value_of_deny), ROW(value_of_limit), ROW(devices), ROW(requests),
	ROW(kind), ROW(kind_in_pool), ROW(kind_pool), ROW(target_zero),
	ROW(address), ROW(vf_of), ROW(group_of), ROW(slot), ROW(ids),
	ROW(id_at), ROW(at), ROW(class_plain), ROW(class_two), ROW(class_long),
	ROW(pool_key), ROW(expect), ROW(expect_of_deny) };

START_TEST(wrong)
{
	struct image m;

	image_make(&m, everything);
	wrongs[_i].spoil(&m);
	ck_assert_msg(read_copy(m.bytes, m.len) == -EBADMSG, "%s is taken",
	    wrongs[_i].name);
	free(m.bytes);
}
END_TEST

/* ---- errors --------------------------------------------------------------- */

struct told {
	char text[200];
	unsigned n;
};

static void
tell(void *arg, const char *line)
{
	struct told *told = arg;
	size_t len = strlen(told->text);

	snprintf(told->text + len, sizeof(told->text) - len, "%.50s|", line);
	told->n++;
}

static int
read_errors(const struct image *m, struct told *told)
{
	struct policy *p;
	int r;

	*told = (struct told){ .n = 0 };
	r = policy_read(&p, m->bytes, m->len, tell, told);
	ck_assert_ptr_null(p);
	return r;
}

/* What is not printable is made so by who writes. */
START_TEST(errors)
{
	static const char *const lines[] = { "a:1:1: one", "b\n:2: t\x1bwo" };
	struct image m;
	struct told told;

	image_errors(&m, lines, 2);
	ck_assert_int_eq(read_errors(&m, &told), -EINVAL);
	ck_assert_str_eq(told.text, "a:1:1: one|b?:2: t?wo|");
	m.strings[0] = '\n';
	ck_assert_int_eq(read_errors(&m, &told), -EBADMSG);
	ck_assert_uint_eq(told.n, 0);
	m.strings[0] = 'a';
	m.head->files = 1;
	ck_assert_int_eq(read_errors(&m, &told), -EBADMSG);
	free(m.bytes);
}
END_TEST

START_TEST(errors_bounded)
{
	static const char *lines[COMPILED_ERRORS_MAX + 1];
	char text[COMPILED_ERROR_MAX + 100];
	struct image m;
	struct told told;

	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	for (size_t i = 0; i < COMPILED_ERRORS_MAX + 1; i++)
		lines[i] = text;
	image_errors(&m, lines, COMPILED_ERRORS_MAX);
	ck_assert_int_eq(read_errors(&m, &told), -EINVAL);
	ck_assert_uint_eq(told.n, COMPILED_ERRORS_MAX);
	/* Two that are one are too long. */
	m.strings[COMPILED_ERROR_MAX - 1] = 'x';
	m.head->errors--;
	ck_assert_int_eq(read_errors(&m, &told), -EBADMSG);
	free(m.bytes);
	image_errors(&m, lines, COMPILED_ERRORS_MAX + 1);
	ck_assert_int_eq(read_errors(&m, &told), -EBADMSG);
	ck_assert_uint_eq(told.n, 0);
	free(m.bytes);
}
END_TEST

/* A file's name may be anything but not everything goes into a log. */
START_TEST(file_name)
{
	const struct policy_source source = { "x\ny\xc3\xa4.conf",
		"allow any use all", 17 };
	struct policy *p;
	struct policy_decision d;
	struct request r;

	ck_assert_int_eq(
	    policy_load(&p, &source, 1, &machine_resolver, NULL, NULL), 0);
	request_read(&r, "1 01:10.0");
	request_decide(p, &r, &d, NULL);
	ck_assert_str_eq(policy_rule_file(d.rule), "x?y\xc3\xa4.conf");
	policy_free(p);
}
END_TEST

START_TEST(empty)
{
	struct policy_decision d;
	struct request r;

	request_read(&r, "0 01:10.0");
	request_decide(&policy_empty, &r, &d, NULL);
	ck_assert_int_eq(d.verdict, POLICY_NO_RULE);
	use(&policy_empty);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("policy_compiled");
	TCase *tc = tcase_create("compiled");
	SRunner *sr;
	int failed;

	tcase_set_timeout(tc, 120);
	tcase_add_test(tc, as_written);
	tcase_add_test(tc, truncated);
	tcase_add_test(tc, longer);
	tcase_add_test(tc, every_byte);
	tcase_add_loop_test(tc, wrong, 0, sizeof(wrongs) / sizeof(wrongs[0]));
	tcase_add_test(tc, errors);
	tcase_add_test(tc, errors_bounded);
	tcase_add_test(tc, file_name);
	tcase_add_test(tc, empty);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed;
}
