/* SPDX-License-Identifier: ISC */
/*
 * Workers that are late, killed, forgotten or too many: whatever one of them
 * does, the monitor hears of it once, and no other device waits for it.
 */

#include <sys/resource.h>

#include "tests/unit/test_mon_work.h"

#define NAME "0000:01:00.0"
#define RESET "sys/bus/pci/devices/" NAME "/reset"
#define WORKERS_MAX 32 /* as worker.c has it */

/* A device whose reset does not return before the test lets it. */
static struct device *
slow_device(unsigned n)
{
	struct device *d = work_device(n, "vfio-pci");

	work_fifo("sys/bus/pci/devices/%s/reset", device_name(d));
	return d;
}

static void
let_go(const struct device *d)
{
	char path[128];

	snprintf(
	    path, sizeof(path), "sys/bus/pci/devices/%s/reset", device_name(d));
	ck_assert_str_eq(work_take(path), "1");
}

static bool
is_late(void *arg)
{
	return told[*(unsigned *)arg].late > 0;
}

static bool
none_runs(void *arg)
{
	(void)arg;
	return worker_count() == 0;
}

static bool
all_told(void *arg)
{
	return all_done >= *(unsigned *)arg;
}

static bool
no_children(void *arg)
{
	siginfo_t info;

	(void)arg;
	return waitid(P_ALL, 0, &info, WEXITED | WNOWAIT | WNOHANG) == -1;
}

/* Once its record says that it is at a step: it is marked by then. */
static void
kill_worker(const struct device *d, const char *step)
{
	struct record r = { .lease = 0 };

	while (strcmp(r.step, step) != 0) {
		work_recorded();
		if (record_read(&d->facts.bdf, &r) != 0)
			r.step[0] = '\0'; /* another's was first */
	}
	ck_assert_int_eq(kill(rundir_worker_of(&d->facts.bdf), SIGKILL), 0);
}

/* Stuck: told at the deadline, once; done when the kernel lets go, as late.
 * Meanwhile other devices are served. */
START_TEST(late)
{
	struct device *d = slow_device(0), *other = work_device(1, "vfio-pci");
	const struct worker_result *res;
	uint64_t start = clock_us();
	unsigned zero = 0;

	config.worker_timeout = 1;
	ck_assert_int_eq(worker_start(d, PLAN_RESET), 0);
	ck_assert_int_eq(worker_start(other, PLAN_RESET), 0);
	ck_assert_int_eq(work_result(other)->error, 0);
	ck_assert_uint_eq(told[0].done + told[0].late, 0);

	loop_until("the deadline", is_late, &zero);
	ck_assert_uint_ge(clock_us() - start, 900000);
	ck_assert_int_eq(told[0].late_plan, PLAN_RESET);
	ck_assert_uint_eq(told[0].done, 0);
	ck_assert_ptr_nonnull(d->worker);
	ck_assert_uint_eq(worker_count(), 0); /* others may run */
	ck_assert_int_gt(rundir_worker_of(&d->facts.bdf), 0);

	told[1] = (struct told){ 0 };
	ck_assert_int_eq(worker_start(other, PLAN_RESET), 0);
	ck_assert_int_eq(work_result(other)->error, 0);

	let_go(d);
	res = work_result(d);
	ck_assert(res->late);
	ck_assert_int_eq(res->error, 0);
	ck_assert_uint_eq(told[0].late, 1);
	ck_assert_uint_eq(told[1].late, 0);
	ck_assert(!told[1].result.late);
	ck_assert_uint_eq(worker_count(), 0);
}
END_TEST

/* As many as may run are stuck: the next one runs all the same. */
START_TEST(all_late)
{
	struct device *d[WORKERS_MAX + 1];
	unsigned last = WORKERS_MAX, want = WORKERS_MAX + 1;

	config.worker_timeout = 1;
	for (unsigned i = 0; i < WORKERS_MAX; i++) {
		d[i] = slow_device(i);
		ck_assert_int_eq(worker_start(d[i], PLAN_RESET), 0);
	}
	d[last] = work_device(last, "vfio-pci");
	ck_assert_int_eq(worker_start(d[last], PLAN_RESET), 0);
	ck_assert_int_eq(work_result(d[last])->error, 0);
	ck_assert(!told[last].result.late);
	for (unsigned i = 0; i < WORKERS_MAX; i++) {
		loop_until("a deadline", is_late, &i);
		let_go(d[i]);
	}
	loop_until("the workers", all_told, &want);
	ck_assert_uint_eq(worker_count(), 0);
}
END_TEST

START_TEST(killed)
{
	struct device *d = slow_device(0);
	const struct worker_result *res;

	ck_assert_int_eq(worker_start(d, PLAN_RESET), 0);
	kill_worker(d, "reset");
	res = work_result(d);
	ck_assert_int_eq(res->error, -EIO);
	ck_assert_int_eq(res->plan, PLAN_RESET);
	ck_assert_str_eq(res->step, ""); /* none was finished */
	ck_assert_uint_eq(worker_count(), 0);
}
END_TEST

/* It has said its last word, but it can still write: its record is its own
 * until it is gone for good. */
START_TEST(not_reaped)
{
	struct device *d = work_device(0, "vfio-pci");
	siginfo_t info;

	nobody_reaps = true;
	ck_assert_int_eq(worker_start(d, PLAN_RESET), 0);
	ck_assert_int_eq(waitid(P_ALL, 0, &info, WEXITED | WNOWAIT), 0);
	ck_assert_int_ge(event_base_loop(loop_base, EVLOOP_NONBLOCK), 0);
	ck_assert_int_ge(event_base_loop(loop_base, EVLOOP_NONBLOCK), 0);
	ck_assert_uint_eq(told[0].done, 0);
	ck_assert_uint_eq(worker_count(), 1);
	ck_assert_int_eq(child_end(info.si_pid), 0);
	ck_assert(worker_reaped(info.si_pid));
	ck_assert_uint_eq(told[0].done, 1);
	ck_assert_int_eq(told[0].result.error, 0);
	ck_assert(!worker_reaped(info.si_pid));
}
END_TEST

/* Killed between two steps: what it told is known, but it is no success. */
START_TEST(killed_halfway)
{
	struct device *d = work_device(0, "igbvf");
	const struct worker_result *res;

	work_fifo("sys/bus/pci/drivers/igbvf/unbind");
	ck_assert_int_eq(worker_start(d, PLAN_CLAIM), 0);
	kill_worker(d, "unbind");
	res = work_result(d);
	ck_assert_int_eq(res->error, -EIO);
	ck_assert_str_eq(res->step, "override");
}
END_TEST

/* The worker of the broker before is still there: ours touches nothing. */
START_TEST(another_has_it)
{
	struct device *d = work_device(0, "vfio-pci");
	int fds[2], r;
	pid_t old;

	ck_assert_int_eq(pipe2(fds, O_CLOEXEC), 0);
	old = fork();
	ck_assert_int_ge(old, 0);
	if (old == 0) {
		r = rundir_mark_worker(&d->facts.bdf);
		if (write(fds[1], &r, sizeof(r)) != sizeof(r))
			_exit(1);
		for (;;)
			pause();
	}
	read_exactly(fds[0], &r, sizeof(r));
	ck_assert_int_eq(r, 0);
	ck_assert_int_eq(worker_start(d, PLAN_RESET), 0);
	loop_until("the worker", none_runs, NULL);
	ck_assert_uint_eq(told[0].done, 1);
	ck_assert_int_eq(told[0].result.error, -EIO);
	ck_assert_str_eq(work_content(RESET), "");
	ck_assert_int_eq(rundir_worker_of(&d->facts.bdf), old);
	ck_assert_int_eq(kill(old, SIGKILL), 0);
}
END_TEST

/* It would write the record together with the first: our own fault, fatal. */
START_TEST(second_on_one_device)
{
	struct device *d = slow_device(0);
	pid_t monitor;

	ck_assert_int_eq(worker_start(d, PLAN_RESET), 0);
	monitor = fork();
	ck_assert_int_ge(monitor, 0);
	if (monitor == 0) {
		worker_start(d, PLAN_RESET);
		_exit(0);
	}
	ck_assert_int_eq(child_end(monitor), -SIGABRT);
	let_go(d);
	ck_assert_int_eq(work_result(d)->error, 0);
}
END_TEST

/* No more than so many at a time; the others get their turn, in order. */
START_TEST(bounded)
{
	struct device *d[WORKERS_MAX + 8];
	unsigned n = sizeof(d) / sizeof(d[0]), want;

	for (unsigned i = 0; i < n; i++) {
		d[i] = slow_device(i);
		ck_assert_int_eq(worker_start(d[i], PLAN_RESET), 0);
		ck_assert_ptr_nonnull(d[i]->worker);
		ck_assert_uint_eq(
		    worker_count(), i < WORKERS_MAX ? i + 1 : WORKERS_MAX);
		ck_assert_str_eq(d[i]->why,
		    i < WORKERS_MAX ? "" : "waits for one of 32 workers; ");
	}
	for (unsigned i = 0; i < n; i++) {
		/* The first one that waits runs as soon as one is done. */
		let_go(d[i]);
		want = i + 1;
		loop_until("a worker", all_told, &want);
		ck_assert_uint_eq(told[i].done, 1);
		ck_assert_int_eq(told[i].result.error, 0);
		ck_assert_uint_eq(worker_count(),
		    n - want < WORKERS_MAX ? n - want : WORKERS_MAX);
	}
}
END_TEST

static void
make_vf(struct device *d, const struct device *pf)
{
	d->facts.is_vf = true;
	d->facts.pf = pf->facts.bdf;
}

/* The PF waits for its VF, whose neighbour and a stranger do not wait. */
START_TEST(pf_after_vf)
{
	struct device *pf = work_device(0, "vfio-pci"), *vf = slow_device(1),
		      *neighbour = work_device(2, "vfio-pci"),
		      *stranger = work_device(3, "vfio-pci");

	make_vf(vf, pf);
	make_vf(neighbour, pf);
	ck_assert_int_eq(worker_start(vf, PLAN_RESET), 0);
	strcpy(pf->why, "uid 1000");
	ck_assert_int_eq(worker_start(pf, PLAN_RESET), 0);
	ck_assert_str_eq(
	    pf->why, "waits until 0000:01:00.1 is done (reset); uid 1000");
	ck_assert_int_eq(worker_start(neighbour, PLAN_RESET), 0);
	ck_assert_int_eq(worker_start(stranger, PLAN_RESET), 0);
	ck_assert_int_eq(work_result(neighbour)->error, 0);
	ck_assert_int_eq(work_result(stranger)->error, 0);
	ck_assert_uint_eq(told[0].done, 0);
	ck_assert_str_eq(work_content(RESET), "");
	let_go(vf);
	ck_assert_int_eq(work_result(pf)->error, 0);
	ck_assert_str_eq(pf->why, "uid 1000");
	ck_assert_str_eq(work_content(RESET), "1");
	ck_assert_uint_eq(told[1].done, 1);
}
END_TEST

/* And its VFs for the PF: each one, and they are forgotten when they go. */
START_TEST(vfs_after_pf)
{
	struct device *pf = slow_device(0), *vf = work_device(1, "vfio-pci"),
		      *gone = work_device(2, "vfio-pci");
	unsigned one = 1;

	make_vf(vf, pf);
	make_vf(gone, pf);
	ck_assert_int_eq(worker_start(pf, PLAN_RESET), 0);
	ck_assert_int_eq(worker_start(gone, PLAN_RESET), 0);
	ck_assert_int_eq(worker_start(vf, PLAN_RESET), 0);
	ck_assert_uint_eq(worker_count(), 1);
	worker_abandon(gone);
	let_go(pf);
	loop_until("the VF's turn", is_told, &one);
	ck_assert_uint_eq(told[0].done, 1);
	ck_assert_int_eq(told[1].result.error, 0);
	ck_assert_uint_eq(told[2].done, 0);
}
END_TEST

/* A VF is stuck: who wants the PF hears of it, what brings it home waits. */
START_TEST(pf_behind_stuck_vf)
{
	struct device *pf = work_device(0, "igb"), *vf = slow_device(1);
	unsigned one = 1;

	config.worker_timeout = 1;
	make_vf(vf, pf);
	pf->wanted = (struct acquisition *)pf; /* somebody waits */
	ck_assert_int_eq(worker_start(vf, PLAN_RESET), 0);
	ck_assert_int_eq(worker_start(pf, PLAN_CLAIM), 0);
	ck_assert_int_eq(work_result(pf)->error, -EBUSY);
	ck_assert_str_eq(told[0].result.step, WORKER_QUEUED);
	ck_assert_ptr_nonnull(strstr(told[0].result.text, "0000:01:00.1"));
	loop_until("the VF's deadline", is_late, &one);

	told[0] = (struct told){ 0 };
	ck_assert_int_eq(worker_start(pf, PLAN_PROVE), 0);
	ck_assert_uint_eq(worker_count(), 0);
	ck_assert_ptr_nonnull(pf->worker); /* though there is room */
	let_go(vf);
	(void)work_result(pf);
	ck_assert(told[1].result.late);
	ck_assert(!told[0].result.late);
}
END_TEST

/* A group opens once, so its members do not prove it at the same time. */
START_TEST(one_per_group)
{
	struct device *a = work_device(0, "vfio-pci"),
		      *b = work_device(1, "vfio-pci"),
		      *other = work_device(2, "vfio-pci");

	a->facts.group = b->facts.group = 987654; /* that no machine has */
	other->facts.group = 987655;
	work_fifo("sys/bus/pci/devices/" NAME "/driver_override");
	strcpy(a->record.driver, "igbvf");
	ck_assert_int_eq(worker_start(a, PLAN_RESTORE), 0);
	ck_assert_int_eq(worker_start(b, PLAN_PROVE), 0);
	ck_assert_int_eq(worker_start(other, PLAN_PROVE), 0);
	ck_assert_str_eq(
	    b->why, "waits until 0000:01:00.0 is done (restore); ");
	ck_assert_int_eq(work_result(other)->error, 0);
	ck_assert_uint_eq(told[1].done, 0);
	kill_worker(a, "home-override");
	ck_assert_int_eq(work_result(b)->error, 0);
	ck_assert_uint_eq(told[0].done, 1);
}
END_TEST

/* The device is gone while its worker runs: nobody is told, but it counts
 * until it ends. */
START_TEST(abandoned)
{
	struct device *d = slow_device(0);

	ck_assert_int_eq(worker_start(d, PLAN_RESET), 0);
	worker_abandon(d);
	ck_assert_ptr_null(d->worker);
	ck_assert_uint_eq(worker_count(), 1);
	worker_abandon(d); /* has none any more */
	inventory_forget(d);
	ck_assert_str_eq(work_take(RESET), "1");
	loop_until("the worker's end", none_runs, NULL);
	ck_assert_uint_eq(told[0].done + told[0].late, 0);
}
END_TEST

START_TEST(abandoned_and_late)
{
	struct device *d = slow_device(0), *other = slow_device(1);
	unsigned one = 1;

	config.worker_timeout = 1;
	ck_assert_int_eq(worker_start(d, PLAN_RESET), 0);
	ck_assert_int_eq(worker_start(other, PLAN_RESET), 0);
	worker_abandon(d);
	inventory_forget(d);
	loop_until("the other one's deadline", is_late, &one);
	ck_assert_uint_eq(worker_count(), 0);
	let_go(other);
	ck_assert_str_eq(work_take(RESET), "1");
	loop_until("the other one's end", is_told, &one);
	loop_until("the forgotten one's end", no_children, NULL);
	ck_assert_uint_eq(worker_count(), 0);
	ck_assert_uint_eq(told[0].done + told[0].late, 0);
	ck_assert(told[1].result.late);
}
END_TEST

START_TEST(abandoned_in_the_queue)
{
	struct device *d[WORKERS_MAX + 2];
	unsigned n = sizeof(d) / sizeof(d[0]), want = n - 1;

	for (unsigned i = 0; i < n; i++) {
		d[i] = slow_device(i);
		ck_assert_int_eq(worker_start(d[i], PLAN_RESET), 0);
	}
	worker_abandon(d[WORKERS_MAX]);
	ck_assert_ptr_null(d[WORKERS_MAX]->worker);
	for (unsigned i = 0; i < n; i++) {
		if (i != WORKERS_MAX)
			let_go(d[i]);
		if (i == 0)
			loop_until("a worker", is_told, &i);
	}
	loop_until("the workers", all_told, &want);
	ck_assert_uint_eq(told[WORKERS_MAX].done, 0);
	ck_assert_uint_eq(told[n - 1].done, 1);
	ck_assert_uint_eq(worker_count(), 0);
}
END_TEST

static void
limit_files(rlim_t n)
{
	struct rlimit lim;

	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &lim), 0);
	lim.rlim_cur = n;
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &lim), 0);
}

START_TEST(not_started)
{
	struct device *d = slow_device(0);

	limit_files(3);
	ck_assert_int_eq(worker_start(d, PLAN_RESET), -EMFILE);
	limit_files(256);
	ck_assert_ptr_null(d->worker);
	ck_assert_uint_eq(worker_count(), 0);
}
END_TEST

/* Its turn came and it could not be started: told like any other failure. */
START_TEST(not_started_from_the_queue)
{
	struct device *d[WORKERS_MAX + 1];
	unsigned last = WORKERS_MAX;

	for (unsigned i = 0; i <= last; i++) {
		d[i] = slow_device(i);
		ck_assert_int_eq(worker_start(d[i], PLAN_RESET), 0);
	}
	kill_worker(d[0], "reset");
	limit_files(3);
	loop_until("the failure", is_told, &last);
	limit_files(256);
	ck_assert_int_eq(told[last].result.error, -EMFILE);
	ck_assert_int_eq(told[last].result.plan, PLAN_RESET);
	ck_assert_uint_eq(told[0].done, 1);
	ck_assert_uint_eq(worker_count(), WORKERS_MAX - 1);
	for (unsigned i = 1; i < last; i++)
		let_go(d[i]);
	loop_until("the workers' end", none_runs, NULL);
}
END_TEST

START_TEST(nobodys_child)
{
	ck_assert(!worker_reaped(getpid()));
	ck_assert(!worker_reaped(1));
}
END_TEST

int
main(void)
{
	TCase *tc = tcase_create("worker");
	Suite *s = suite_create("worker");

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, work_setup, work_teardown);
	tcase_add_test(tc, late);
	tcase_add_test(tc, all_late);
	tcase_add_test(tc, killed);
	tcase_add_test(tc, not_reaped);
	tcase_add_test(tc, killed_halfway);
	tcase_add_test(tc, another_has_it);
	tcase_add_test(tc, second_on_one_device);
	tcase_add_test(tc, bounded);
	tcase_add_test(tc, pf_after_vf);
	tcase_add_test(tc, vfs_after_pf);
	tcase_add_test(tc, pf_behind_stuck_vf);
	tcase_add_test(tc, one_per_group);
	tcase_add_test(tc, abandoned);
	tcase_add_test(tc, abandoned_and_late);
	tcase_add_test(tc, abandoned_in_the_queue);
	tcase_add_test(tc, not_started);
	tcase_add_test(tc, not_started_from_the_queue);
	tcase_add_test(tc, nobodys_child);
	suite_add_tcase(s, tc);
	return run_suite(s);
}
