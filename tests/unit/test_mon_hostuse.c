/* SPDX-License-Identifier: ISC */
/*
 * Looks by vfiobroker-guard: answers, and all that is none; how many run; and
 * as what it is executed.
 */

#include <linux/capability.h>

#include "broker/monitor/hostuse.h"
#include "tests/unit/guard_peer.h"

#define USER 1000
#define SAYS "exec /bin/cat $T/says"

static const struct bdf bdfs[] = { { .bus = 1 }, { .bus = 2 } };
static struct hostuse *look;
static unsigned calls;

static void
setup(void)
{
	work_setup();
	guard_does(SAYS);
}

static void
on_look(void *arg)
{
	ck_assert(hostuse_done(*(struct hostuse **)arg));
	calls++;
}

static void
start(uid_t uid, struct hostuse **l)
{
	*l = hostuse_look(uid, bdfs, 2, on_look, l);
	ck_assert_ptr_nonnull(*l);
	ck_assert(!hostuse_done(*l));
}

static bool
is_done(void *arg)
{
	return hostuse_done(*(struct hostuse **)arg);
}

static bool
nobody_is_left(void *arg)
{
	(void)arg;
	return waitpid(-1, NULL, WNOHANG) == -1 && errno == ECHILD;
}

static void
look_now(void)
{
	start(USER, &look);
	loop_until("an answer", is_done, &look);
	ck_assert_uint_eq(calls, 1);
}

static void
add(void *arg, enum reason reason, const char *what)
{
	sprintf((char *)arg + strlen(arg), "%s %s;", reason_name(reason), what);
}

static void
assert_found(size_t i, const char *text, int error)
{
	char found[256] = "";

	ck_assert(hostuse_knows(look, &bdfs[i]));
	ck_assert_int_eq(hostuse_each(look, &bdfs[i], add, found), error);
	ck_assert_str_eq(found, text);
}

/* Nobody can tell: of both devices. */
static void
assert_lost(int error)
{
	char found[4096] = "";

	for (size_t i = 0; i < 2; i++) {
		ck_assert(hostuse_knows(look, &bdfs[i]));
		if (error != -E2BIG)
			ck_assert_int_eq(
			    hostuse_each(look, &bdfs[i], add, found), error);
	}
	hostuse_drop(&look);
	loop_until("the guard's end", nobody_is_left, NULL);
}

START_TEST(answers)
{
	struct bdf other = { .bus = 3 };

	guard_finds("says", 0, REASON_SWAP, "vda1");
	guard_finds("says", 0, REASON_MOUNTED, "vda2 on /srv");
	guard_ends("says", 0, 0);
	guard_ends("says", 1, -EACCES);
	ck_assert(!hostuse_knows(NULL, &bdfs[0]));
	start(USER, &look);
	ck_assert(!hostuse_knows(look, &bdfs[0]));
	loop_until("an answer", is_done, &look);
	assert_found(0, "SWAP vda1;MOUNTED vda2 on /srv;", 0);
	assert_found(0, "SWAP vda1;MOUNTED vda2 on /srv;", 0);
	assert_found(1, "", -EACCES);
	ck_assert(!hostuse_knows(look, &other));
	hostuse_forget(&other);
	hostuse_forget(&bdfs[0]); /* another one comes to its address */
	ck_assert(!hostuse_knows(look, &bdfs[0]));
	ck_assert(hostuse_knows(look, &bdfs[1]));
	ck_assert_uint_eq(guard_asked(), 1);
	ck_assert_ptr_nonnull(
	    strstr(guard_wrote("asked"), " 0000:01:00.0 0000:02:00.0\n"));
	hostuse_drop(&look);
	ck_assert_ptr_null(look);
	hostuse_drop(&look);
}
END_TEST

static void
say_nothing(void)
{
	fixture_file(&tree, "", "says");
}

static void
say_half(void)
{
	guard_ends("says", 0, 0);
}

static void
say_too_much(void)
{
	guard_ends("says", 0, 0);
	guard_ends("says", 1, 0);
	guard_finds("says", 1, REASON_SWAP, "vda1");
}

static void
say_twice(void)
{
	guard_ends("says", 0, 0);
	guard_ends("says", 0, 0);
}

static void
say_backwards(void)
{
	guard_ends("says", 1, 0);
	guard_ends("says", 0, 0);
}

static void
say_unknown(void)
{
	guard_finds("says", 0, REASON_COUNT + 1, "");
	guard_ends("says", 0, 0);
	guard_ends("says", 1, 0);
}

static void
say_escape(void)
{
	guard_finds("says", 0, REASON_SWAP, "\033[2J");
	guard_ends("says", 0, 0);
	guard_ends("says", 1, 0);
}

static void
say_cut(void)
{
	guard_ends("says", 0, 0);
	guard_ends("says", 1, 0);
	guard_writes("says", "x", 1);
}

static void
say_text(void)
{
	fixture_file(&tree, "nothing speaks against it\n", "says");
}

static void (*const nonsense[])(void) = { say_nothing, say_half, say_too_much,
	say_twice, say_backwards, say_unknown, say_escape, say_cut, say_text };

START_TEST(not_canonical)
{
	nonsense[_i]();
	look_now();
	assert_lost(-EBADMSG);
}
END_TEST

START_TEST(no_program)
{
	fixture_remove(&tree, "guard");
	look_now();
	assert_lost(-EBADMSG);
	ck_assert_uint_eq(log_count(logfd, "cannot execute"), 1);
}
END_TEST

/* After all but the last record. */
START_TEST(dies)
{
	guard_ends("says", 0, 0);
	guard_does("/bin/cat $T/says; kill -KILL $$");
	look_now();
	assert_lost(-EBADMSG);
}
END_TEST

/* With its answer complete, but not ended. */
START_TEST(late)
{
	guard_ends("says", 0, 0);
	guard_ends("says", 1, 0);
	guard_does("/bin/cat $T/says; exec /bin/sleep 1000");
	config.worker_timeout = 1;
	look_now();
	assert_lost(-ETIMEDOUT);
}
END_TEST

START_TEST(endless)
{
	guard_finds("says", 0, REASON_SWAP, "vda1");
	guard_does("while :; do /bin/cat $T/says $T/says $T/says; done");
	look_now();
	assert_lost(-E2BIG);
}
END_TEST

/* Who asked is gone, and nobody is told. */
START_TEST(dropped)
{
	guard_does("exec /bin/sleep 1000");
	start(USER, &look);
	hostuse_drop(&look);
	loop_until("the guard's end", nobody_is_left, NULL);
	ck_assert_uint_eq(calls, 0);
}
END_TEST

/* What a script does is no event. */
static void
tick(void *arg)
{
	loop_timer(*(struct event **)arg, 10);
}

static bool
so_many_asked(void *arg)
{
	return guard_asked() == *(unsigned *)arg;
}

/* Two of one user, the rest has to wait; but not another's. */
START_TEST(in_turn)
{
	struct hostuse *l[4], *other;
	struct event *ticks;
	unsigned asked = 3;

	ck_assert_int_eq(loop_event(&ticks, -1, 0, tick, &ticks), 0);
	loop_timer(ticks, 10);

	guard_ends("says", 0, 0);
	guard_ends("says", 1, 0);
	work_fifo("gate");
	ck_assert_int_eq(fchmodat(tree.rootfd, "gate", 0644, 0), 0);
	guard_does("read x <$T/gate; exec /bin/cat $T/says");
	for (size_t i = 0; i < 4; i++)
		start(USER, &l[i]);
	start(USER + 1, &other);
	loop_until("three of them", so_many_asked, &asked);
	hostuse_drop(&l[0]); /* makes room when it is reaped */
	asked++;
	loop_until("the next", so_many_asked, &asked);
	hostuse_drop(&l[3]); /* never had its turn */
	guard_writes("gate", "\n\n\n", 3);
	loop_until("another's", is_done, &other);
	loop_until("the second", is_done, &l[1]);
	loop_until("the third", is_done, &l[2]);
	ck_assert_uint_eq(calls, 3);
	ck_assert_uint_eq(guard_asked(), 4);
}
END_TEST

/* A user's that never gets its turn is late too; a claim line's has time. */
START_TEST(never_in_turn)
{
	struct hostuse *l[3], *claims[3];

	config.worker_timeout = 1;
	guard_does("exec /bin/sleep 1000");
	nobody_reaps = true;
	for (size_t i = 0; i < 3; i++) {
		start(USER, &l[i]);
		start(HOSTUSE_POLICY, &claims[i]);
	}
	for (size_t i = 0; i < 3; i++)
		loop_until("a user's end", is_done, &l[i]);
	for (size_t i = 0; i < 2; i++)
		loop_until("a claim's end", is_done, &claims[i]);
	ck_assert(!hostuse_done(claims[2]));
	ck_assert_uint_eq(guard_asked(), 4);
	for (size_t i = 0; i < 3; i++) {
		hostuse_drop(&l[i]);
		hostuse_drop(&claims[i]);
	}
}
END_TEST

/* A line "CapPrm:\t..." of what it was executed with. */
static uint64_t
caps(const char *status, const char *name)
{
	const char *line = strstr(status, name);

	ck_assert_ptr_nonnull(line);
	return strtoull(line + strlen(name), NULL, 16);
}

START_TEST(not_root)
{
	const uint64_t two =
	    1ULL << CAP_SYS_PTRACE | 1ULL << CAP_DAC_READ_SEARCH;
	const char *is;

	fixture_file(&tree, "", "is");
	ck_assert_int_eq(fchmodat(tree.rootfd, "is", 0666, 0), 0);
	guard_does("/bin/grep -E '^(Uid|Gid|Groups|Cap|NoNew)' "
		   "/proc/self/status >$T/is; ls /proc/self/fd >>$T/is");
	look_now();
	is = guard_wrote("is");
	ck_assert_ptr_nonnull(strstr(is, "Uid:\t65534\t65534\t65534\t65534\n"));
	ck_assert_ptr_nonnull(strstr(is, "Gid:\t65534\t65534\t65534\t65534\n"));
	ck_assert_ptr_nonnull(strstr(is, "Groups:\t \n"));
	ck_assert_ptr_nonnull(strstr(is, "NoNewPrivs:\t1\n"));
	ck_assert_uint_eq(caps(is, "CapPrm:\t") & ~two, 0);
	ck_assert_uint_eq(caps(is, "CapPrm:\t"), caps(is, "CapEff:\t"));
}
END_TEST

/* The real one, about what the fixture has. */
START_TEST(real_one)
{
	static char path[128];

	program_copy(&tree, "vfiobroker-guard", path, sizeof(path));
	config.guard_program = path;
	fixture_pci(&tree, &(struct fixture_pci){ .bdf = "0000:01:00.0" });
	look_now();
	assert_found(0, "NO_IOMMU_GROUP 0000:01:00.0;", 0);
	assert_found(1, "", -ENOENT);
}
END_TEST

int
main(void)
{
	TCase *tc = tcase_create("looks");
	Suite *s = suite_create("hostuse");

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, setup, work_teardown);
	tcase_add_test(tc, answers);
	tcase_add_loop_test(
	    tc, not_canonical, 0, sizeof(nonsense) / sizeof(nonsense[0]));
	tcase_add_test(tc, no_program);
	tcase_add_test(tc, dies);
	tcase_add_test(tc, late);
	tcase_add_test(tc, endless);
	tcase_add_test(tc, dropped);
	tcase_add_test(tc, in_turn);
	tcase_add_test(tc, never_in_turn);
	tcase_add_test(tc, not_root);
	tcase_add_test(tc, real_one);
	suite_add_tcase(s, tc);
	return run_suite(s);
}
