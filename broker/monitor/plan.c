/* SPDX-License-Identifier: ISC */
/*
 * The steps of a device's way out and home.
 *
 * Binding goes by driver_override and drivers_probe, never by new_id, which
 * is global: it would match every device with the same ids.  drivers_probe
 * says success whether or not anything was bound, so the driver link is what
 * counts.  After sriov_numvfs the host's driver may still be probing the VF
 * and win the race; the out plan then unbinds again.
 *
 * A cdev opens as often as one likes, so that nobody has it is proven by a
 * rebind: vfio-pci does not leave before the last open of it is closed, bound
 * to an iommufd or not (6.12).  Who can be seen to have it is not waited for
 * in the kernel; a descriptor that lies in a socket can not be seen, and wedges
 * the device until it is gone.
 */

#include "plan.h"

#include "broker/common/log.h"
#include "child.h"
#include "fault.h"
#include "files.h"
#include "holders.h"
#include "loop.h"
#include "sysfs.h"
#include "vfio.h"

#include <bsd/string.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define VFIO_DRIVER "vfio-pci"
#define BIND_TRIES 5

struct run {
	struct record *record;
	int group;
	int dirfd; /* the device's directory, -1 when it is gone */
	char text[PLAN_TEXT_MAX];
};

enum step_kind {
	STORES,
	STORES_UNLESS_HOME, /* see is_home() */
	UNRECORDED, /* it reads, or may be done again */
};

struct step {
	const char *name;
	int (*run)(struct run *);
	enum step_kind kind;
};

/* Loads vfio-pci where udev has not: a fresh host has it as a module. */
static int
step_module(struct run *run)
{
	int status;
	pid_t pid;

	(void)run;
	if (sysfs_driver_loaded(VFIO_DRIVER))
		return 0;
	pid = fork();
	if (pid == -1)
		return -errno;
	if (pid == 0) {
		execl("/sbin/modprobe", "modprobe", VFIO_DRIVER, (char *)NULL);
		_exit(127);
	}
	if (waitpid(pid, &status, 0) == -1)
		return -errno;
	if (!sysfs_driver_loaded(VFIO_DRIVER)) {
		strlcpy(run->text,
		    "the kernel has no vfio-pci driver; install its module "
		    "(CONFIG_VFIO_PCI)",
		    sizeof(run->text));
		return -ENODEV;
	}
	return 0;
}

/*
 * Notes what was there.  Here and not in the monitor: kernel 6.1 takes the
 * device's lock to read driver_override.
 */
static int
step_note(struct run *run)
{
	struct record *r = run->record;
	int e = sysfs_link(run->dirfd, "driver", r->driver, sizeof(r->driver));
	long vfs;

	/* Most are no PF, and have no such file. */
	if (sysfs_read_number(run->dirfd, "sriov_numvfs", &vfs) == 0)
		r->vfs = (uint32_t)vfs;
	if (e == 0)
		e = file_line(run->dirfd, "driver_override", r->override,
		    sizeof(r->override));
	/* The kernel prints "(null)" for none. */
	if (e == 0 && strcmp(r->override, "(null)") == 0)
		r->override[0] = '\0';
	r->taken = true;
	return e;
}

static int
store_override(struct run *run, const char *driver)
{
	return sysfs_store(
	    run->dirfd, "driver_override", driver[0] == '\0' ? "\n" : driver);
}

static int
step_override(struct run *run)
{
	return store_override(run, VFIO_DRIVER);
}

static int
unbind(struct run *run)
{
	char name[BDF_STRLEN];
	int e = sysfs_store(
	    run->dirfd, "driver/unbind", bdf_format(&run->record->bdf, name));

	/* ENOENT: without a driver.  ENODEV: somebody else was quicker. */
	return e == -ENOENT || e == -ENODEV ? 0 : e;
}

static int
step_unbind(struct run *run)
{
	char driver[SYSFS_NAME_MAX];
	int e = sysfs_link(run->dirfd, "driver", driver, sizeof(driver));

	return e != 0 || driver_is_vfio(driver) ? e : unbind(run);
}

static int
probe(struct run *run)
{
	char name[BDF_STRLEN];

	return sysfs_store_bus(
	    "drivers_probe", bdf_format(&run->record->bdf, name));
}

static int
expect_driver(struct run *run, const char *want)
{
	char driver[SYSFS_NAME_MAX];
	int e = sysfs_link(run->dirfd, "driver", driver, sizeof(driver));

	if (e != 0 || strcmp(driver, want) == 0)
		return e;
	snprintf(run->text, sizeof(run->text), "%s instead of %s has it",
	    driver[0] == '\0' ? "no driver" : driver,
	    want[0] == '\0' ? "none" : want);
	return -EBUSY;
}

/* Unbinding in between is only for the race told of at the head. */
static int
bind_to(struct run *run, const char *driver)
{
	int e = -EBUSY;

	for (int i = 0; i < BIND_TRIES && e == -EBUSY; i++) {
		if (i > 0)
			e = unbind(run);
		if (i == 0 || e == 0)
			e = probe(run);
		if (e == 0)
			e = expect_driver(run, driver);
	}
	return e;
}

static int
step_bind(struct run *run)
{
	return bind_to(run, VFIO_DRIVER);
}

/*
 * The sysfs file resets whether or not somebody uses the device, and under a
 * host driver it can hang for ever (igbvf with its interface never up, 6.12):
 * so look once more, right before.
 */
static int
step_reset(struct run *run)
{
	char driver[SYSFS_NAME_MAX], methods[128];
	int e = sysfs_link(run->dirfd, "driver", driver, sizeof(driver));

	if (e != 0)
		return e;
	if (driver[0] != '\0' && !driver_is_vfio(driver)) {
		snprintf(run->text, sizeof(run->text), "not reset: %s has it",
		    driver);
		return -EBUSY;
	}
	e = file_line(run->dirfd, "reset_method", methods, sizeof(methods));
	if (e == -ENOENT || (e == 0 && methods[0] == '\0')) {
		strlcpy(
		    run->text, "it has no reset of its own", sizeof(run->text));
		e = -EOPNOTSUPP;
	}
	if (e == 0)
		e = sysfs_store(run->dirfd, "reset", "1");
	/* `reset none' lifts the consequence, not the reset. */
	if (run->record->reset_none) {
		run->text[0] = '\0';
		e = 0;
	}
	return e;
}

/*
 * The host's driver by name, also where drivers_autoprobe is off: an override
 * binds a VF even then (pci_device_can_probe).
 */
static int
step_home_override(struct run *run)
{
	return store_override(run, run->record->driver);
}

/* A host driver that has it already, by whatever hand, is not driven out.  1: so
 * it is; 0, or -errno. */
static int
is_home(struct run *run)
{
	char driver[SYSFS_NAME_MAX];
	int e = sysfs_link(run->dirfd, "driver", driver, sizeof(driver));

	return e != 0 ? e : driver[0] != '\0' && !driver_is_vfio(driver);
}

static int
step_home_bind(struct run *run)
{
	const char *driver = run->record->driver;

	return driver[0] == '\0' ? expect_driver(run, driver)
				 : bind_to(run, driver);
}

static int
step_home_clear(struct run *run)
{
	return store_override(run, run->record->override);
}

static int
make_vfs(struct run *run)
{
	char number[16];
	long now;
	int e = expect_driver(run, run->record->driver);

	snprintf(number, sizeof(number), "%u", run->record->vfs);
	if (e == 0)
		e = sysfs_read_number(run->dirfd, "sriov_numvfs", &now);
	if (e == 0 && now == 0)
		e = sysfs_store(run->dirfd, "sriov_numvfs", number);
	return e;
}

/*
 * VFs go with the driver of their PF.  It is at home without them, too, and to
 * make them takes as long as the drivers of all of them do: a process of its own
 * does that, which nobody waits for.  Where it can not, it says so.
 */
static int
step_home_vfs(struct run *run)
{
	const struct bdf *bdf = &run->record->bdf;
	char name[BDF_STRLEN];
	pid_t pid;
	int e;

	if (run->record->vfs == 0)
		return 0;
	pid = fork();
	if (pid > 0)
		return 0;
	if (pid == 0) {
		child_prepare(NULL, 0);
		run->dirfd = sysfs_open(bdf);
	}
	e = pid == 0 ? make_vfs(run) : -errno;
	if (e != 0)
		log_warn("%s: its %u VFs are not made again: %s",
		    bdf_format(bdf, name), run->record->vfs, strerror(-e));
	if (pid == 0)
		_exit(0);
	return 0;
}

/* One that was on vfio-pci without us shall be so again. */
static int
step_note_native(struct run *run)
{
	return run->record->taken ? 0 : step_note(run);
}

/* The kernel can only ask who has it in use; of a cdev that is merely open the
 * looks that follow name the holder, and nothing has to wait for him. */
static int
step_ask(struct run *run)
{
	if (run->record->cdev && vfio_group_unheld(run->group) == 0)
		return 0;
	return unbind(run);
}

/*
 * A group opens once, so a fresh open proves that nobody has it.  Not in the
 * monitor: the open waits for the group's lock, which the last close of a
 * device holds while the kernel resets it (6.12).  A device opened through a group that was put on an iommufd outlives the group's
 * fd, but makes the group not viable: it is owned by a user (6.12).
 */
static int
group_unheld(const struct run *run)
{
	int e;

	if (!run->record->rebind || run->group < 0)
		return vfio_group_unheld(run->group);
	e = vfio_try_group(run->group);
	return e == -EADDRINUSE ? -EBUSY : e;
}

static int
prove(struct run *run, char *who, size_t len)
{
	int e = group_unheld(run);

	if (e == 0 && run->record->cdev)
		holders_of_cdev(&run->record->bdf, who, len);
	return who[0] != '\0' ? -EBUSY : e;
}

static int
step_prove(struct run *run)
{
	char who[PLAN_TEXT_MAX] = "";

	return prove(run, who, sizeof(who));
}

/*
 * Once more, of what rests: it was free when it came, but root's programs open
 * nodes without asking.  That it can not be tried is no reason to keep it.
 */
static int
step_prove_again(struct run *run)
{
	int e = vfio_group_unheld(run->group);

	return e == -EBUSY ? e : 0;
}

static int
step_name(struct run *run)
{
	int e = prove(run, run->text, sizeof(run->text));

	if (e != -EBUSY || run->text[0] != '\0')
		return e;
	/* In use: the cdev of one that is bound is in the holder's hands. */
	if (run->record->cdev)
		holders_of_cdev(
		    &run->record->bdf, run->text, sizeof(run->text));
	else
		holders_of_group(run->group, run->text, sizeof(run->text));
	return e;
}

/* One that was on a variant of vfio-pci without us comes back to that. */
static const char *
vfio_driver(const struct record *r)
{
	return driver_is_vfio(r->driver) ? r->driver : VFIO_DRIVER;
}

static int
step_rebind_override(struct run *run)
{
	return store_override(run, vfio_driver(run->record));
}

static int
step_rebind_bind(struct run *run)
{
	return bind_to(run, vfio_driver(run->record));
}

/* To a rebind, a host driver that has come meanwhile is proof as well. */
static const struct {
	const char *name;
	bool opens_group;
	bool names;
	struct step steps[7];
} plans[PLAN_COUNT] = {
	[PLAN_CLAIM] = { "claim", false, false,
	    { { "module", step_module, UNRECORDED },
		{ "note", step_note, UNRECORDED },
		{ "override", step_override, STORES },
		{ "unbind", step_unbind, STORES },
		{ "bind", step_bind, STORES } } },
	[PLAN_RESET] = { "reset", false, false,
	    { { "reset", step_reset, STORES } } },
	[PLAN_RESTORE] = { "restore", true, false,
	    { { "prove", step_prove_again, UNRECORDED },
		{ "home-override", step_home_override, STORES },
		{ "home-unbind", unbind, STORES_UNLESS_HOME },
		{ "home-bind", step_home_bind, STORES_UNLESS_HOME },
		{ "home-clear", step_home_clear, STORES },
		{ "home-vfs", step_home_vfs, UNRECORDED } } },
	[PLAN_UNBIND] = { "unbind", false, false,
	    { { "note", step_note_native, UNRECORDED },
		{ "ask", step_ask, STORES } } },
	[PLAN_PROVE] = { "prove", true, false,
	    { { "prove", step_prove, UNRECORDED } } },
	[PLAN_NAME] = { "name", true, true,
	    { { "name", step_name, UNRECORDED } } },
	[PLAN_REBIND] = { "rebind", true, false,
	    { { "prove", step_prove, UNRECORDED },
		{ "note", step_note_native, UNRECORDED },
		{ "rebind-override", step_rebind_override, STORES_UNLESS_HOME },
		{ "rebind-unbind", unbind, STORES_UNLESS_HOME },
		{ "rebind-bind", step_rebind_bind, STORES_UNLESS_HOME } } },
	[PLAN_REBIND_NAME] = { "rebind", true, true,
	    { { "name", step_name, UNRECORDED },
		{ "note", step_note_native, UNRECORDED },
		{ "rebind-override", step_rebind_override, STORES_UNLESS_HOME },
		{ "rebind-unbind", unbind, STORES_UNLESS_HOME },
		{ "rebind-bind", step_rebind_bind, STORES_UNLESS_HOME } } },
};

const char *
plan_name(enum plan p)
{
	return plans[p].name;
}

bool
plan_opens_group(enum plan p)
{
	return plans[p].opens_group;
}

bool
plan_names(enum plan p)
{
	return plans[p].names;
}

static int
step_run(struct run *run, const struct step *s)
{
	int e = 0;

	if (s->kind != UNRECORDED) {
		strlcpy(run->record->step, s->name, sizeof(run->record->step));
		e = record_write(run->record);
	}
	if (e != 0) {
		strlcpy(
		    run->text, "cannot write its record", sizeof(run->text));
		return e;
	}
	FAULT_STEP(s->name, "before");
	e = s->kind == STORES_UNLESS_HOME ? is_home(run) : 0;
	if (e == 0)
		e = s->run(run);
	FAULT_STEP(s->name, "after");
	return e > 0 ? 0 : e;
}

void
plan_run(enum plan p, struct record *record, int group,
    void (*report)(void *, const struct plan_report *), void *arg)
{
	struct run run = { .record = record,
		.group = group,
		.dirfd = sysfs_open(&record->bdf) };

	for (const struct step *s = plans[p].steps; s->name != NULL; s++) {
		struct plan_report rep = { .error = 0 };
		uint64_t start = clock_us();

		run.text[0] = '\0';
		rep.error = run.dirfd < 0 ? -ENODEV : step_run(&run, s);
		rep.us = clock_us() - start;
		rep.last = rep.error == 0 && s[1].name == NULL;
		strlcpy(rep.step, s->name, sizeof(rep.step));
		strlcpy(rep.text, run.text, sizeof(rep.text));
		report(arg, &rep);
		if (rep.error != 0)
			break;
	}
	if (run.dirfd >= 0)
		close(run.dirfd);
}

#ifdef VFIOBROKER_FAULTS
void
plan_fault_list(void)
{
	for (enum plan p = 0; p < PLAN_COUNT; p++) {
		for (const struct step *s = plans[p].steps; s->name != NULL;
		     s++) {
			printf("step:%s:before\nstep:%s:after\n", s->name,
			    s->name);
			if (s->kind != UNRECORDED)
				printf("record:%s:before\n"
				       "record:%s:written\n"
				       "record:%s:after\n",
				    s->name, s->name, s->name);
		}
	}
}
#endif
