/* SPDX-License-Identifier: ISC */
/*
 * The files that `policy check` reads, the broker's or those that are named:
 * what the broker would refuse is said, and nothing of it is taken.
 */

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "client/cmd/policyfiles.h"

#define USER 61001
#define LINE "allow uid 61001 use 0000:01:00.0\n"

static char root[32];
static char said[4096];

static const char *
path_of(const char *name)
{
	static char path[512];

	snprintf(path, sizeof(path), "%s/%s", root, name);
	return path;
}

static void
put(const char *name, const char *text)
{
	FILE *f = fopen(path_of(name), "we");

	ck_assert_ptr_nonnull(f);
	fputs(text, f);
	ck_assert_int_eq(fclose(f), 0);
}

static void
setup(void)
{
	umask(022);
	strcpy(root, "/tmp/vfiobroker-test-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(root));
	ck_assert_int_eq(chmod(root, 0755), 0);
	ck_assert_int_eq(mkdir(path_of("policy.d"), 0755), 0);
	put("policy.conf", LINE);
	put("policy.d/a.conf", LINE);
}

static void
teardown(void)
{
	char command[64];

	snprintf(command, sizeof(command), "rm -r %s", root);
	ck_assert_int_eq(system(command), 0);
}

/* The status; what was said is in said. */
static int
hear(int (*run)(struct policyfiles *, const char *), struct policyfiles *p,
    const char *path)
{
	int fd = memfd_create("stderr", MFD_CLOEXEC), old = dup(2), status;
	ssize_t n;

	dup2(fd, 2);
	status = run(p, path);
	dup2(old, 2);
	n = pread(fd, said, sizeof(said) - 1, 0);
	ck_assert_int_ge(n, 0);
	said[n] = '\0';
	close(fd);
	close(old);
	return status;
}

static int
check(size_t files)
{
	struct policyfiles p = { 0 };
	int status = hear(policyfiles_read_all, &p, root);

	ck_assert_uint_eq(p.n, files);
	policyfiles_free(&p);
	return status;
}

static void
assert_refused(const char *name, const char *why)
{
	ck_assert_int_eq(check(1), EX_CONFIG);
	ck_assert_msg(
	    strstr(said, path_of(name)) != NULL && strstr(said, why) != NULL,
	    "%s, not: %s: %s", said, name, why);
}

START_TEST(good)
{
	put("policy.d/README", "nonsense");
	ck_assert_int_eq(check(2), EX_OK);
	ck_assert_str_eq(said, "");
}
END_TEST

START_TEST(symbolic_link)
{
	ck_assert_int_eq(unlink(path_of("policy.d/a.conf")), 0);
	ck_assert_int_eq(
	    symlink("../policy.conf", path_of("policy.d/a.conf")), 0);
	assert_refused("policy.d/a.conf", "symbolic links");
}
END_TEST

START_TEST(fifo)
{
	ck_assert_int_eq(unlink(path_of("policy.d/a.conf")), 0);
	ck_assert_int_eq(mkfifo(path_of("policy.d/a.conf"), 0644), 0);
	assert_refused("policy.d/a.conf", "is of the wrong type");
}
END_TEST

START_TEST(writable_directory)
{
	ck_assert_int_eq(chmod(path_of("policy.d"), 0775), 0);
	assert_refused("policy.d", "chmod go-w it");
	ck_assert_int_eq(chmod(path_of("policy.d"), 0755), 0);
	ck_assert_int_eq(check(2), EX_OK);
}
END_TEST

START_TEST(directory_of_another)
{
	ck_assert_int_eq(chown(path_of("policy.d"), USER, 0), 0);
	assert_refused("policy.d", "does not belong to root");
}
END_TEST

START_TEST(writable_file)
{
	ck_assert_int_eq(chmod(path_of("policy.conf"), 0664), 0);
	assert_refused("policy.conf", "chmod go-w it");
}
END_TEST

START_TEST(too_big)
{
	ck_assert_int_eq(
	    truncate(path_of("policy.d/a.conf"), POLICY_FILE_BYTES), 0);
	assert_refused("policy.d/a.conf", "File too large");
	ck_assert_int_eq(
	    truncate(path_of("policy.d/a.conf"), POLICY_FILE_BYTES - 1), 0);
	ck_assert_int_eq(check(2), EX_OK);
}
END_TEST

START_TEST(too_many)
{
	char name[32];

	/* There are two. */
	for (int i = 2; i <= POLICY_FILES_MAX; i++) {
		snprintf(name, sizeof(name), "policy.d/b%03d.conf", i);
		put(name, "");
	}
	ck_assert_int_eq(check(POLICY_FILES_MAX), EX_CONFIG);
	ck_assert_ptr_nonnull(strstr(said, "b256.conf: the broker refuses it: "
					   "one file too many"));
	ck_assert_int_eq(unlink(path_of(name)), 0);
	ck_assert_int_eq(check(POLICY_FILES_MAX), EX_OK);
}
END_TEST

/* What only root may read, the broker may. */
START_TEST(unreadable)
{
	ck_assert_int_eq(chmod(path_of("policy.conf"), 0600), 0);
	ck_assert_int_eq(seteuid(USER), 0);
	ck_assert_int_eq(check(1), EX_NOINPUT);
	ck_assert_int_eq(seteuid(0), 0);
	ck_assert_ptr_nonnull(strstr(said, "policy.conf: Permission denied"));
	ck_assert_ptr_null(strstr(said, "refuses"));
	ck_assert_int_eq(chmod(path_of("policy.conf"), 0644), 0);
	ck_assert_int_eq(seteuid(USER), 0);
	ck_assert_int_eq(check(2), EX_OK);
	ck_assert_int_eq(seteuid(0), 0);
}
END_TEST

/* Nor is a directory empty that one may not look into. */
START_TEST(unreadable_directory)
{
	const char *dir = _i == 0 ? path_of("policy.d") : root;

	ck_assert_int_eq(chmod(dir, 0700), 0);
	ck_assert_int_eq(seteuid(USER), 0);
	ck_assert_int_eq(check(_i == 0 ? 1 : 0), EX_NOINPUT);
	ck_assert_int_eq(seteuid(0), 0);
	ck_assert_ptr_nonnull(strstr(said, ": Permission denied"));
	ck_assert_ptr_null(strstr(said, "refuses"));
}
END_TEST

START_TEST(none)
{
	ck_assert_int_eq(unlink(path_of("policy.conf")), 0);
	ck_assert_int_eq(check(1), EX_OK);
	ck_assert_str_eq(said, "");
	ck_assert_int_eq(unlink(path_of("policy.d/a.conf")), 0);
	ck_assert_int_eq(check(0), EX_OK);
	ck_assert_ptr_nonnull(strstr(said, "nobody gets a device"));
}
END_TEST

/* ---- named files ------------------------------------------------------ */

/* Reads one more file; what was said is in said. */
static int
named(struct policyfiles *p, const char *name)
{
	return hear(policyfiles_read, p, path_of(name));
}

/* Anybody's, and a link: only the broker's own files must be root's. */
START_TEST(named_anywhere)
{
	struct policyfiles p = { 0 };

	ck_assert_int_eq(chmod(path_of("policy.conf"), 0666), 0);
	ck_assert_int_eq(symlink("policy.conf", path_of("link")), 0);
	ck_assert_int_eq(named(&p, "link"), EX_OK);
	ck_assert_str_eq(said, "");
	ck_assert_int_eq(named(&p, "policy.d"), EX_NOINPUT);
	ck_assert_ptr_nonnull(strstr(said, "cannot read"));
	ck_assert_int_eq(named(&p, "nothing"), EX_NOINPUT);
	ck_assert_uint_eq(p.n, 1);
	ck_assert_str_eq(p.v[0].name, path_of("link"));
	ck_assert_uint_eq(p.v[0].len, strlen(LINE));
	policyfiles_free(&p);
}
END_TEST

START_TEST(named_too_big)
{
	struct policyfiles p = { 0 };

	ck_assert_int_eq(
	    truncate(path_of("policy.conf"), POLICY_FILE_BYTES), 0);
	ck_assert_int_eq(named(&p, "policy.conf"), EX_CONFIG);
	ck_assert_ptr_nonnull(
	    strstr(said, "policy.conf: the broker refuses it: File too large"));
	ck_assert_int_eq(
	    truncate(path_of("policy.conf"), POLICY_FILE_BYTES - 1), 0);
	for (int i = 0; i < 4; i++)
		ck_assert_int_eq(named(&p, "policy.conf"), EX_OK);
	ck_assert_int_eq(truncate(path_of("policy.conf"), 5), 0);
	ck_assert_int_eq(named(&p, "policy.conf"), EX_CONFIG);
	ck_assert_ptr_nonnull(strstr(said, "all files are more than 4 MiB"));
	ck_assert_int_eq(truncate(path_of("policy.conf"), 4), 0);
	ck_assert_int_eq(named(&p, "policy.conf"), EX_OK);
	policyfiles_free(&p);
}
END_TEST

START_TEST(named_too_many)
{
	struct policyfiles p = { 0 };

	for (int i = 0; i < POLICY_FILES_MAX; i++)
		ck_assert_int_eq(named(&p, "policy.conf"), EX_OK);
	ck_assert_int_eq(named(&p, "policy.conf"), EX_CONFIG);
	ck_assert_ptr_nonnull(strstr(
	    said, "policy.conf: the broker refuses it: one file too many"));
	ck_assert_uint_eq(p.n, POLICY_FILES_MAX);
	policyfiles_free(&p);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("cmd_policyfiles");
	TCase *tc = tcase_create("files");
	SRunner *sr;
	int failed;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, good);
	tcase_add_test(tc, symbolic_link);
	tcase_add_test(tc, fifo);
	tcase_add_test(tc, writable_directory);
	tcase_add_test(tc, directory_of_another);
	tcase_add_test(tc, writable_file);
	tcase_add_test(tc, too_big);
	tcase_add_test(tc, too_many);
	tcase_add_test(tc, unreadable);
	tcase_add_loop_test(tc, unreadable_directory, 0, 2);
	tcase_add_test(tc, none);
	tcase_add_test(tc, named_anywhere);
	tcase_add_test(tc, named_too_big);
	tcase_add_test(tc, named_too_many);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed;
}
