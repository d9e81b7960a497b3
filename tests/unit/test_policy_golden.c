/* SPDX-License-Identifier: ISC */
/*
 * Golden files: every tests/golden/policy/NAME.in is either printed as NAME.ok
 * or its first error is NAME.err.  The examples of policy/examples must load.
 * VFIOBROKER_SRCDIR is the top of the tree.
 */

#include <check.h>
#include <dirent.h>

#include "test_policy.h"

static char directory[4000];
static char examples[4000];
static char docs[4000];
static char corpus[4000];
static struct dirent **inputs;
static struct dirent **confs;

static char *
file_read(const char *dir, const char *name, const char *suffix, size_t *len)
{
	char path[8000];
	FILE *f;
	char *buf;

	snprintf(path, sizeof(path), "%s/%.*s%s", dir,
	    (int)(strrchr(name, '.') - name), name, suffix);
	f = fopen(path, "r");
	if (f == NULL)
		return NULL;
	buf = calloc(1, 1 << 20);
	*len = fread(buf, 1, (1 << 20) - 1, f);
	fclose(f);
	return buf;
}

static char *
policy_text(const struct policy *p, bool with_origin)
{
	char *buf = NULL;
	size_t len;
	FILE *f = open_memstream(&buf, &len);

	policy_print(p, f, with_origin);
	fclose(f);
	return buf;
}

static void
check_ok(const struct policy *p, const char *name, const char *expect)
{
	char *once = policy_text(p, false), *twice, *origin;
	struct policy *again = load_text(once, NULL);

	ck_assert_msg(strcmp(once, expect) == 0,
	    "%s: printed:\n%s\nexpected:\n%s", name, once, expect);
	ck_assert_msg(again != NULL, "%s: does not parse again", name);
	twice = policy_text(again, false);
	ck_assert_str_eq(once, twice);
	policy_free(again);

	/* Origins are comments. */
	origin = policy_text(p, true);
	again = load_text(origin, NULL);
	ck_assert_msg(again != NULL, "%s: origins do not parse", name);
	free(twice);
	twice = policy_text(again, false);
	ck_assert_str_eq(once, twice);
	policy_free(again);
	free(origin);
	free(once);
	free(twice);
}

START_TEST(golden)
{
	const char *name = inputs[_i]->d_name;
	struct errors errors = { 0 };
	struct policy_source source = { .name = name };
	size_t len = 0, elen = 0;
	char *in = file_read(directory, name, ".in", &len);
	char *ok = file_read(directory, name, ".ok", &elen);
	char *err = file_read(directory, name, ".err", &elen);
	char got[400];
	struct policy *p;
	int r;

	ck_assert_ptr_nonnull(in);
	ck_assert_msg((ok == NULL) != (err == NULL), "%s: .ok or .err", name);
	source.text = in;
	source.len = len;
	r = policy_load(&p, &source, 1, &machine_resolver, errors_add, &errors);
	snprintf(got, sizeof(got), "%s:%u:%u: %s\n", errors.first.file,
	    errors.first.line, errors.first.column, errors.first.text);
	if (ok != NULL) {
		ck_assert_msg(r == 0, "%s", got);
		ck_assert_uint_eq(errors.count, 0);
		check_ok(p, name, ok);
	} else {
		ck_assert_msg(r == -EINVAL, "%s loads", name);
		ck_assert_ptr_null(p);
		ck_assert_msg(strcmp(got, err) == 0,
		    "%s:\ngot:      %sexpected: %s", name, got, err);
	}
	policy_free(p);
	free(in);
	free(ok);
	free(err);
}
END_TEST

static int
any_user(void *arg, const char *name, uid_t *out)
{
	(void)arg;
	*out = 1000 + (uid_t)strlen(name);
	return 0;
}

static void
check_loads(const char *name, const char *text, size_t len)
{
	const struct policy_resolver any = { any_user, any_user, NULL };
	const struct policy_source source = { name, text, len };
	struct errors errors = { 0 };
	struct policy *p;
	int r;

	r = policy_load(&p, &source, 1, &any, errors_add, &errors);
	ck_assert_msg(r == 0, "%s:%u:%u: %s", name, errors.first.line,
	    errors.first.column, errors.first.text);
	policy_free(p);
}

/* The fuzzer's corpus would find nothing if the form had changed. */
static void
check_corpus(const char *name)
{
	struct policy *p = NULL;
	size_t len = 0;
	char *bytes = file_read(corpus, name, "", &len);

	ck_assert_ptr_nonnull(bytes);
	ck_assert_msg(policy_read(&p, bytes, len, NULL, NULL) == 0,
	    "%s/%s is of another form", corpus, name);
	policy_free(p);
	free(bytes);
}

START_TEST(example)
{
	const char *name = confs[_i]->d_name;
	size_t len = 0;
	char *text = file_read(examples, name, ".conf", &len);

	ck_assert_ptr_nonnull(text);
	check_loads(name, text, len);
	check_corpus(name);
	free(text);
}
END_TEST

/* The manual's displays are policies. */
START_TEST(manual)
{
	size_t len = 0, n = 0;
	char *text = file_read(docs, "vfiobroker-policy.5", ".5", &len);
	char *at = text, *end;

	ck_assert_ptr_nonnull(text);
	while ((at = strstr(at, ".Bd -literal")) != NULL) {
		at = strchr(at, '\n') + 1;
		end = strstr(at, ".Ed\n");
		ck_assert_ptr_nonnull(end);
		check_loads("vfiobroker-policy.5", at, (size_t)(end - at));
		n++;
	}
	ck_assert_uint_eq(n, 3);
	free(text);
}
END_TEST

static int
is_input(const struct dirent *d)
{
	const char *dot = strrchr(d->d_name, '.');

	return dot != NULL && strcmp(dot, ".in") == 0;
}

static int
is_conf(const struct dirent *d)
{
	const char *dot = strrchr(d->d_name, '.');

	return dot != NULL && strcmp(dot, ".conf") == 0;
}

static void
entries_free(struct dirent **entries, int n)
{
	while (n > 0)
		free(entries[--n]);
	free(entries);
}

int
main(void)
{
	const char *top = getenv("VFIOBROKER_SRCDIR");
	Suite *s = suite_create("policy_golden");
	TCase *tc = tcase_create("files");
	int ninputs, nconfs, failed;
	SRunner *sr;

	if (top == NULL)
		top = ".";
	snprintf(directory, sizeof(directory), "%s/tests/golden/policy", top);
	snprintf(docs, sizeof(docs), "%s/docs", top);
	snprintf(corpus, sizeof(corpus), "%s/tests/fuzz/corpus/compiled", top);
	snprintf(examples, sizeof(examples), "%s/policy/examples", top);
	ninputs = scandir(directory, &inputs, is_input, alphasort);
	nconfs = scandir(examples, &confs, is_conf, alphasort);
	if (ninputs <= 0 || nconfs <= 0) {
		fprintf(stderr, "nothing in %s or %s\n", directory, examples);
		return 1;
	}
	tcase_add_loop_test(tc, golden, 0, ninputs);
	tcase_add_loop_test(tc, example, 0, nconfs);
	tcase_add_test(tc, manual);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	entries_free(inputs, ninputs);
	entries_free(confs, nconfs);
	return failed;
}
