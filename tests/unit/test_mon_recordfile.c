/* SPDX-License-Identifier: ISC */
/*
 * Device records as files: they are there whole or not at all, whatever goes
 * wrong, and what is no record is never taken for one.
 */

#include <sys/resource.h>
#include <sys/stat.h>

#include <stdio.h>

#include "broker/monitor/record.h"
#include "broker/monitor/rundir.h"
#include "tests/unit/fixture.h"
#include "tests/unit/test_mon.h"

#define NAME "0000:01:10.0"
#define FILE_OF(name) "run/devices/" name

static struct fixture tree;
static const struct bdf device = { .bus = 1, .dev = 0x10 };
static const struct bdf other = { .bus = 1, .dev = 0x10, .fn = 2 };

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

static struct record
some_record(const struct bdf *bdf, const char *driver)
{
	struct record r = { .bdf = *bdf, .lease = 42, .taken = true };

	strcpy(r.step, "bind");
	strcpy(r.driver, driver);
	return r;
}

static bool
exists(const char *path)
{
	return faccessat(tree.rootfd, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

START_TEST(write_read_remove)
{
	struct record r = some_record(&device, "igbvf"), back;
	struct stat st;

	ck_assert_int_eq(record_read(&device, &back), -ENOENT);
	ck_assert_int_eq(record_remove(&device), 0);
	ck_assert_int_eq(record_write(&r), 0);
	ck_assert_int_eq(fstatat(tree.rootfd, FILE_OF(NAME), &st, 0), 0);
	ck_assert_uint_eq(st.st_mode, S_IFREG | 0600);
	ck_assert_int_eq(record_read(&device, &back), 0);
	ck_assert_str_eq(back.driver, "igbvf");

	strcpy(r.driver, "e1000e");
	ck_assert_int_eq(record_write(&r), 0);
	ck_assert_int_eq(record_read(&device, &back), 0);
	ck_assert_str_eq(back.driver, "e1000e");

	ck_assert_int_eq(record_read(&other, &back), -ENOENT);
	ck_assert_int_eq(record_remove(&other), 0);
	ck_assert_int_eq(record_remove(&device), 0);
	ck_assert_int_eq(record_read(&device, &back), -ENOENT);
}
END_TEST

START_TEST(another_device_in_it)
{
	struct record r = some_record(&other, "igbvf"), back;

	ck_assert_int_eq(record_write(&r), 0);
	ck_assert_int_eq(renameat(tree.rootfd, FILE_OF("0000:01:10.2"),
			     tree.rootfd, FILE_OF(NAME)),
	    0);
	ck_assert_int_eq(record_read(&device, &back), -EBADMSG);
}
END_TEST

START_TEST(no_file_of_ours)
{
	char text[2 * RECORD_MAX];
	struct record back;

	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	fixture_file(&tree, text, FILE_OF(NAME));
	ck_assert_int_eq(record_read(&device, &back), -EBADMSG);
	fixture_file(&tree, "", FILE_OF(NAME));
	ck_assert_int_eq(record_read(&device, &back), -EBADMSG);

	/* A link is not followed, not even to a good record. */
	fixture_file(&tree, "", "elsewhere");
	fixture_link(&tree, "../../elsewhere", FILE_OF(NAME));
	ck_assert_int_eq(record_read(&device, &back), -ELOOP);
	fixture_remove(&tree, FILE_OF(NAME));
	fixture_dir(&tree, FILE_OF(NAME));
	ck_assert_int_eq(record_read(&device, &back), -EISDIR);
	ck_assert_int_ne(record_remove(&device), 0);
}
END_TEST

/* A fifo must not stop the broker at its start. */
START_TEST(fifo)
{
	struct record back;

	ck_assert_int_eq(mkfifoat(tree.rootfd, FILE_OF(NAME), 0600), 0);
	ck_assert_int_eq(record_read(&device, &back), -EBADMSG);
	ck_assert_int_eq(record_remove(&device), 0);
}
END_TEST

/* The name is taken by something that a rename can not replace. */
START_TEST(rename_fails)
{
	struct record r = some_record(&device, "igbvf");

	fixture_dir(&tree, FILE_OF(NAME));
	ck_assert_int_eq(record_write(&r), -EISDIR);
	ck_assert(!exists(FILE_OF(".new-" NAME)));
	fixture_remove(&tree, FILE_OF(NAME));
	fixture_dir(&tree, FILE_OF(".new-" NAME));
	ck_assert_int_eq(record_write(&r), -EISDIR);
	ck_assert(!exists(FILE_OF(NAME)));
}
END_TEST

/* A full disk: the old record stays, and nothing half written. */
START_TEST(no_space)
{
	struct record r = some_record(&device, "igbvf"), back;
	struct rlimit lim = { .rlim_cur = 40, .rlim_max = RLIM_INFINITY };

	ck_assert_int_eq(record_write(&r), 0);
	signal(SIGXFSZ, SIG_IGN);
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &lim), 0);
	strcpy(r.driver, "lost");
	ck_assert_int_eq(record_write(&r), -ENOSPC);
	lim.rlim_cur = 0;
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &lim), 0);
	ck_assert_int_eq(record_write(&r), -EFBIG);
	lim.rlim_cur = RLIM_INFINITY; /* Check has to write its results */
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &lim), 0);

	ck_assert(!exists(FILE_OF(".new-" NAME)));
	ck_assert_int_eq(record_read(&device, &back), 0);
	ck_assert_str_eq(back.driver, "igbvf");
}
END_TEST

/* Whoever reads at any time reads one of the two. */
START_TEST(whole_at_any_time)
{
	struct record one = some_record(&device, "a"), back;
	struct record two = some_record(&device, "bbbbbbbbbbbbbbbbbbbbbbbbb");
	pid_t writer;

	ck_assert_int_eq(record_write(&one), 0);
	writer = fork();
	ck_assert_int_ge(writer, 0);
	if (writer == 0) {
		for (int i = 0; i < 2000; i++) {
			if (record_write(i % 2 == 0 ? &two : &one) != 0)
				_exit(1);
		}
		_exit(0);
	}
	while (waitpid(writer, NULL, WNOHANG | WNOWAIT) == 0) {
		ck_assert_int_eq(record_read(&device, &back), 0);
		ck_assert_str_eq(back.driver,
		    back.driver[0] == 'a' ? one.driver : two.driver);
	}
	ck_assert_int_eq(child_end(writer), 0);
}
END_TEST

static char seen[1024];
static unsigned calls;

static void
on_name(void *arg, const char *name)
{
	struct bdf bdf;
	char canonical[BDF_STRLEN];

	ck_assert_ptr_eq(arg, seen);
	calls++;
	if (record_named(name, &bdf))
		ck_assert_str_eq(bdf_format(&bdf, canonical), name);
	else
		strcat(seen, "junk:");
	strcat(strcat(seen, name), " ");
}

static int
each_record(void (*each)(void *arg, const char *name), void *arg)
{
	return rundir_each(RUNDIR_DEVICES, each, arg);
}

START_TEST(each)
{
	static const char *const junk[] = { "01:10.0", "0000:01:1F.0", "x",
		"0000:01:10.0.bak", "0000:01:10.8", "00000:01:10.0", "-" };
	char word[64];

	fixture_file(&tree, "", FILE_OF("10000:e1:00.0"));
	fixture_file(&tree, "", FILE_OF(NAME));
	fixture_file(&tree, "half", FILE_OF(".new-0000:01:10.4"));
	fixture_file(&tree, "", FILE_OF(".hidden"));
	for (size_t i = 0; i < sizeof(junk) / sizeof(junk[0]); i++)
		fixture_file(&tree, "", "run/devices/%s", junk[i]);

	ck_assert_int_eq(each_record(on_name, seen), 0);
	ck_assert_uint_eq(calls, 9);
	ck_assert_ptr_nonnull(strstr(seen, "10000:e1:00.0 "));
	ck_assert_ptr_nonnull(strstr(seen, NAME " "));
	for (size_t i = 0; i < sizeof(junk) / sizeof(junk[0]); i++) {
		snprintf(word, sizeof(word), "junk:%s ", junk[i]);
		ck_assert_msg(strstr(seen, word) != NULL, "%s", junk[i]);
	}
	/* What a dead broker left half written goes; the rest stays. */
	ck_assert(!exists(FILE_OF(".new-0000:01:10.4")));
	ck_assert(exists(FILE_OF("0000:01:10.0.bak")));
	ck_assert(exists(FILE_OF(".hidden")));
}
END_TEST

START_TEST(each_of_none)
{
	ck_assert_int_eq(each_record(on_name, seen), 0);
	ck_assert_str_eq(seen, "");
}
END_TEST

/* Removing the one that is looked at is what the start does. */
static void
on_name_remove(void *arg, const char *name)
{
	struct bdf bdf;

	(*(unsigned *)arg)++;
	ck_assert(record_named(name, &bdf));
	ck_assert_int_eq(record_remove(&bdf), 0);
}

START_TEST(each_removes)
{
	struct bdf bdf = { .domain = 1 };
	unsigned n = 0;

	for (int i = 0; i < 200; i++) {
		struct record r;

		bdf.bus = (uint8_t)i;
		r = some_record(&bdf, "igbvf");
		ck_assert_int_eq(record_write(&r), 0);
	}
	ck_assert_int_eq(each_record(on_name_remove, &n), 0);
	ck_assert_uint_eq(n, 200);
	ck_assert_int_eq(each_record(on_name_remove, &n), 0);
	ck_assert_uint_eq(n, 200);
}
END_TEST

int
main(void)
{
	TCase *tc = tcase_create("recordfile");
	Suite *s = suite_create("recordfile");

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, write_read_remove);
	tcase_add_test(tc, another_device_in_it);
	tcase_add_test(tc, no_file_of_ours);
	tcase_add_test(tc, fifo);
	tcase_add_test(tc, rename_fails);
	tcase_add_test(tc, no_space);
	tcase_add_test(tc, whole_at_any_time);
	tcase_add_test(tc, each);
	tcase_add_test(tc, each_of_none);
	tcase_add_test(tc, each_removes);
	suite_add_tcase(s, tc);
	return run_suite(s);
}
