/* SPDX-License-Identifier: ISC */
/*
 * The machine as `policy check` sees it, from a small tree in place of /sys,
 * and the names in pci.ids.
 */

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "client/cmd/machine.h"
#include "client/cmd/pciids.h"

#define USER 61001

static char said[1024];
static char root[] = "/tmp/vfiobroker-test-XXXXXX";

static const char *
path_of(const char *name)
{
	static char path[512];

	snprintf(path, sizeof(path), "%s/%s", root, name);
	return path;
}

static void
make_dirs(const char *name)
{
	char path[512], *slash;

	snprintf(path, sizeof(path), "%s/%s/", root, name);
	for (slash = path + sizeof(root); (slash = strchr(slash, '/')) != NULL;
	     slash++) {
		*slash = '\0';
		mkdir(path, 0755);
		*slash = '/';
	}
}

static void
make_file(const char *name, const char *text)
{
	FILE *f = fopen(path_of(name), "we");

	ck_assert_ptr_nonnull(f);
	fputs(text, f);
	ck_assert_int_eq(fclose(f), 0);
}

static void
make_link(const char *name, const char *to)
{
	ck_assert_int_eq(symlink(to, path_of(name)), 0);
}

#define DEVICES "sys/bus/pci/devices/"

static void
set_up(void)
{
	ck_assert_ptr_nonnull(mkdtemp(root));
	make_dirs("proc/net");
	make_dirs(DEVICES "0000:01:10.0");
	make_file(DEVICES "0000:01:10.0/vendor", "0x8086\n");
	make_file(DEVICES "0000:01:10.0/device", "0x10ca\n");
	make_file(DEVICES "0000:01:10.0/class", "0x020000\n");
	make_link(DEVICES "0000:01:10.0/physfn", "../0000:01:00.0");
	make_link(DEVICES "0000:01:10.0/iommu_group",
	    "../../../../kernel/iommu_groups/12");
	make_link(
	    DEVICES "0000:01:10.0/driver", "../../../../bus/pci/drivers/igbvf");
	make_dirs(DEVICES "0000:00:01.0");
	make_file(DEVICES "0000:00:01.0/class", "0x060400\n");
	make_dirs(DEVICES "0000:01:00.0");
	make_file(DEVICES "0000:01:00.0/vendor", "0x8086\n");
	make_dirs(DEVICES "not-an-address");
	make_file("pci.ids", "# a comment\n"
			     "1234  Other Corp\n\t10ca  Not this\n"
			     "8086  Intel Corporation\n"
			     "\t10c9  82576 Gigabit\n"
			     "\t\t8086 10ca  a subsystem\n"
			     "\t10ca  82576 Virt\xc3\xbc"
			     "al Function\n"
			     "8087  Next\n\t10cb  Too far\n"
			     "C 02  Network controller\n");
}

static void
tear_down(void)
{
	char command[sizeof(root) + 16];

	snprintf(command, sizeof(command), "rm -rf %s", root);
	ck_assert_int_eq(system(command), 0);
}

START_TEST(reads_devices)
{
	struct machine m;
	const struct policy_device *d;
	char bdf[BDF_STRLEN];

	ck_assert_int_eq(machine_read(root, &m), 0);
	ck_assert_uint_eq(m.n, 3);
	ck_assert_str_eq(bdf_format(&m.devices[0].bdf, bdf), "0000:00:01.0");
	ck_assert(device_is_bridge(&m.devices[0]));
	ck_assert_int_eq(m.devices[0].group, -1);
	ck_assert(!m.devices[1].is_vf);
	d = &m.devices[2];
	ck_assert_str_eq(bdf_format(&d->bdf, bdf), "0000:01:10.0");
	ck_assert_uint_eq(d->vendor, 0x8086);
	ck_assert_uint_eq(d->device, 0x10ca);
	ck_assert_uint_eq(d->class, 0x020000);
	ck_assert_int_eq(d->group, 12);
	ck_assert(d->is_vf);
	ck_assert_str_eq(bdf_format(&d->pf, bdf), "0000:01:00.0");
	machine_free(&m);
}
END_TEST

START_TEST(advises_the_policy)
{
	struct policy_machine p;
	struct machine m;
	const char *label;

	ck_assert_int_eq(machine_read(root, &m), 0);
	p = machine_for_policy(&m);
	ck_assert_uint_eq(p.ndevices, 3);
	ck_assert(!p.needs(p.arg, 2, REASON_ROOT_FS));
	label = p.label(p.arg, 2);
	/* pci.ids is not on every machine. */
	ck_assert(strcmp(label, "ethernet, igbvf") == 0 ||
		  strstr(label, "82576") != NULL);
	machine_free(&m);
}
END_TEST

/* Asks about each reason of a device as USER; what was said is in said. */
static void
ask(size_t i)
{
	int fd = memfd_create("stderr", MFD_CLOEXEC), old = dup(2);
	struct policy_machine p;
	struct machine m;
	ssize_t n;

	ck_assert_int_eq(machine_read(root, &m), 0);
	p = machine_for_policy(&m);
	ck_assert_int_eq(seteuid(USER), 0);
	dup2(fd, 2);
	for (enum reason r = 0; r < REASON_COUNT; r++)
		p.needs(p.arg, i, r);
	dup2(old, 2);
	ck_assert_int_eq(seteuid(0), 0);
	machine_free(&m);
	n = pread(fd, said, sizeof(said) - 1, 0);
	ck_assert_int_ge(n, 0);
	said[n] = '\0';
	close(fd);
	close(old);
}

/* Of a card with a DRM node only root sees who has it open. */
START_TEST(says_what_it_cannot_see)
{
	ck_assert_int_eq(chmod(root, 0755), 0);
	make_dirs("sys/class/drm");
	make_dirs("proc/4711/fd");
	ck_assert_int_eq(chmod(path_of("proc/4711/fd"), 0), 0);
	ask(2);
	ck_assert_str_eq(said, "");
	make_link("sys/class/drm/card0",
	    "../../devices/pci0000:00/0000:01:10.0/drm/card0");
	ask(2);
	ck_assert_str_eq(said, "vfiobroker: cannot tell whether the host needs "
			       "0000:01:10.0: Permission denied\n");
}
END_TEST

START_TEST(no_pci_is_an_error)
{
	struct machine m;

	ck_assert_int_lt(machine_read(path_of("proc"), &m), 0);
	machine_free(&m);
}
END_TEST

START_TEST(names)
{
	char file[512], buf[64], little[12];

	snprintf(file, sizeof(file), "%s", path_of("pci.ids"));
	ck_assert(pciids_name_in(file, 0x8086, 0x10c9, buf, sizeof(buf)));
	ck_assert_str_eq(buf, "Intel Corporation 82576 Gigabit");
	/* What a terminal might not show is not shown. */
	ck_assert(pciids_name_in(file, 0x8086, 0x10ca, buf, sizeof(buf)));
	ck_assert_str_eq(buf, "Intel Corporation 82576 Virt??al Function");
	ck_assert(pciids_name_in(file, 0x8086, 0x10c9, little, sizeof(little)));
	ck_assert_str_eq(little, "Intel Corpo");
	ck_assert(!pciids_name_in(file, 0x8086, 0x10cb, buf, sizeof(buf)));
	ck_assert(!pciids_name_in(file, 0x9999, 0x10c9, buf, sizeof(buf)));
	ck_assert(!pciids_name_in("/nonexistent", 1, 2, buf, sizeof(buf)));
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("cmd_machine");
	TCase *t = tcase_create("machine");
	SRunner *r = srunner_create(s);
	int failed;

	tcase_add_checked_fixture(t, set_up, tear_down);
	tcase_add_test(t, reads_devices);
	tcase_add_test(t, advises_the_policy);
	tcase_add_test(t, says_what_it_cannot_see);
	tcase_add_test(t, no_pci_is_an_error);
	tcase_add_test(t, names);
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_ENV);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
