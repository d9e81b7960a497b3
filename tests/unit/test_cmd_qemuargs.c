/* SPDX-License-Identifier: ISC */
/*
 * What is read from QEMU command lines, as a table.  A line is split at
 * blanks; '~' stands for a blank inside of an argument.
 */

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/cmd/address.h"
#include "client/cmd/qemuargs.h"

#define M(n) ((uint64_t)(n) << 20)
#define G(n) ((uint64_t)(n) << 30)

/* devices NULL: refused, and `why` is part of the message. */
static const struct {
	const char *line;
	const char *devices;
	uint64_t ram;
	const char *why;
} cases[] = {
	/* memory */
	{ "qemu", "", M(128), NULL },
	{ "qemu -m 2048", "", G(2), NULL },
	{ "qemu -m 2G", "", G(2), NULL },
	{ "qemu -m 2g", "", G(2), NULL },
	{ "qemu -m 1.5G", "", M(1536), NULL },
	{ "qemu -m 512M", "", M(512), NULL },
	{ "qemu -m 2097152k", "", G(2), NULL },
	{ "qemu -m 1073741824b", "", G(1), NULL },
	{ "qemu -m 0x200", "", M(512), NULL },
	{ "qemu -m 1T", "", G(1024), NULL },
	{ "qemu -m size=2G", "", G(2), NULL },
	{ "qemu -m size=2048", "", G(2), NULL },
	{ "qemu -m size=2G,slots=2,maxmem=8G", "", G(8), NULL },
	{ "qemu -m 2G,slots=2,maxmem=8G", "", G(8), NULL },
	{ "qemu -m 2G,maxmem=8589934592", "", G(8), NULL },
	{ "qemu -m maxmem=8G,size=1G,slots=1", "", G(8), NULL },
	{ "qemu -m 8G,maxmem=4G", "", G(8), NULL },
	{ "qemu -m slots=4", "", M(128), NULL },
	{ "qemu -m 1G -m 3G", "", G(3), NULL },
	{ "qemu -m=3G", "", G(3), NULL },
	{ "qemu --m 3G", "", G(3), NULL },
	{ "qemu -m", "", M(128), NULL },
	{ "qemu -m 0", "", M(128), NULL },
	{ "qemu -mem-path /x -m 1G", "", G(1), NULL },
	{ "qemu -m 1G -object memory-backend-memfd,id=m,size=4G,share=on", "",
	    G(4), NULL },
	{ "qemu -object memory-backend-ram,id=a,size=2G "
	  "-object memory-backend-ram,id=b,size=2G",
	    "", G(4), NULL },
	{ "qemu -object "
	  "{\"qom-type\":\"memory-backend-ram\",\"id\":\"a\",\"size\":"
	  "2147483648}",
	    "", G(2), NULL },
	{ "qemu -object rng-random,id=r,filename=/dev/urandom", "", M(128),
	    NULL },
	{ "qemu -m 2X", NULL, 0, "-m 2X" },
	{ "qemu -m G", NULL, 0, "memory size" },
	{ "qemu -m -1", NULL, 0, "memory size" },
	{ "qemu -m 1.5", NULL, 0, "memory size" },
	{ "qemu -m 2G,maxmem=lots", NULL, 0, "memory size" },
	{ "qemu -m 99999999999E", NULL, 0, "memory size" },
	{ "qemu -m 0x", NULL, 0, "memory size" },
	/* plain devices */
	{ "qemu -device vfio-pci,host=01:10.0", "0000:01:10.0", M(128), NULL },
	{ "qemu -m 1G -device vfio-pci,host=0000:01:10.0,id=net0",
	    "0000:01:10.0", G(1), NULL },
	{ "qemu -device vfio-pci,host=1:0.0", "0000:01:00.0", M(128), NULL },
	{ "qemu -device vfio-pci,host=10000:e1:00.0", "10000:e1:00.0", M(128),
	    NULL },
	{ "qemu -device vfio-pci,id=n,bus=pcie.0,addr=5,host=01:10.2",
	    "0000:01:10.2", M(128), NULL },
	{ "qemu -device driver=vfio-pci,host=01:10.2", "0000:01:10.2", M(128),
	    NULL },
	{ "qemu -device host=01:10.2,driver=vfio-pci", "0000:01:10.2", M(128),
	    NULL },
	{ "qemu -device vfio-pci-nohotplug,host=01:10.2", "0000:01:10.2",
	    M(128), NULL },
	{ "qemu --device vfio-pci,host=01:10.0", "0000:01:10.0", M(128), NULL },
	{ "qemu -device=vfio-pci,host=01:10.0", "0000:01:10.0", M(128), NULL },
	{ "qemu --device=vfio-pci,host=01:10.0", "0000:01:10.0", M(128), NULL },
	{ "qemu -device vfio-pci,host=01:10.0 -device vfio-pci,host=01:10.2",
	    "0000:01:10.0 0000:01:10.2", M(128), NULL },
	{ "qemu -device vfio-pci,host=01:10.0 -device vfio-pci,host=0:1:10.0",
	    "0000:01:10.0", M(128), NULL },
	{ "qemu -device vfio-pci,host=01:10.0,host=01:10.4", "0000:01:10.4",
	    M(128), NULL },
	{ "qemu -device vfio-pci,sysfsdev=/sys/bus/pci/devices/0000:01:10.0",
	    "0000:01:10.0", M(128), NULL },
	{ "qemu -device vfio-pci,sysfsdev=/sys/bus/pci/devices/0000:01:10.0/",
	    "0000:01:10.0", M(128), NULL },
	{ "qemu -device vfio-pci,host=9:9.9,sysfsdev=/sys/devices/pci0000:00/"
	  "0000:00:04.0/0000:01:10.6",
	    "0000:01:10.6", M(128), NULL },
	{ "qemu -device vfio-pci,host=01:10.0,romfile=a,,device,,b.rom",
	    "0000:01:10.0", M(128), NULL },
	{ "qemu -device vfio-pci,romfile=x,,host=02:00.0,host=01:10.0",
	    "0000:01:10.0", M(128), NULL },
	{ "qemu -device e1000,netdev=n0 -device vfio-pci,host=01:10.0",
	    "0000:01:10.0", M(128), NULL },
	{ "qemu -device vfio-pci,host=01:10.0,multifunction", "0000:01:10.0",
	    M(128), NULL },
	{ "qemu -device vfio-pci,fd=7,iommufd=i0,id=x", "", M(128), NULL },
	{ "qemu -device vfio-ccw,sysfsdev=/sys/x", "", M(128), NULL },
	{ "qemu -device", "", M(128), NULL },
	{ "qemu disk.img -device vfio-pci,host=01:10.0", "0000:01:10.0", M(128),
	    NULL },
	{ "qemu -S -device vfio-pci,host=01:10.0", "0000:01:10.0", M(128),
	    NULL },
	/* JSON devices */
	{ "qemu -device {\"driver\":\"vfio-pci\",\"host\":\"0000:01:10.0\"}",
	    "0000:01:10.0", M(128), NULL },
	{ "qemu -device "
	  "{\"driver\":~\"vfio-pci\",~\"host\":~\"01:10.0\",~\"id\":~\"a,b\","
	  "~\"bootindex\":~1}",
	    "0000:01:10.0", M(128), NULL },
	{ "qemu -device {\"driver\":\"vfio-pci\",\"sysfsdev\":\"/sys/bus/pci/"
	  "devices/0000:01:10.0\"}",
	    "0000:01:10.0", M(128), NULL },
	{ "qemu -device {\"driver\":\"vfio-pci\",\"fd\":\"5\",\"iommufd\":"
	  "\"i\"}",
	    "", M(128), NULL },
	{ "qemu -device {\"driver\":\"virtio-net-pci\",\"host\":\"x\"}", "",
	    M(128), NULL },
	{ "qemu -device {\"host\":\"01:10.0\"}", "", M(128), NULL },
	{ "qemu -device {\"driver\":\"vfio-pci\",\"host\":\"01:10.0\"", NULL, 0,
	    "not readable" },
	{ "qemu -device {\"driver\":\"vfio-pci\"}", NULL, 0, "address" },
	{ "qemu -device {\"driver\":\"vfio-pci\",\"host\":7}", NULL, 0,
	    "host=7" },
	/* text that only looks like an option */
	{ "qemu -append -device vfio-pci,host=01:10.0", "", M(128), NULL },
	{ "qemu -name -m 7X", "", M(128), NULL },
	{ "qemu -append -m -device vfio-pci,host=01:10.0", "0000:01:10.0",
	    M(128), NULL },
	/* refused */
	{ "qemu -device vfio-pci", NULL, 0, "host=" },
	{ "qemu -device vfio-pci,id=x", NULL, 0, "address" },
	{ "qemu -device vfio-pci,host=", NULL, 0, "address" },
	{ "qemu -device vfio-pci,host=eth0", NULL, 0, "host=eth0" },
	{ "qemu -device vfio-pci,host=01:10", NULL, 0, "address" },
	{ "qemu -device vfio-pci,host=01:20.0", NULL, 0, "address" },
	{ "qemu -device vfio-pci,host=01:10.8", NULL, 0, "address" },
	{ "qemu -device vfio-pci,host=100:10.0", NULL, 0, "address" },
	{ "qemu -device vfio-pci,host=01:10.0x", NULL, 0, "address" },
	{ "qemu -device vfio-pci,host=-1:10.0", NULL, 0, "address" },
	{ "qemu -device vfio-pci,host=100000000:01:10.0", NULL, 0, "address" },
	{ "qemu -device vfio-pci,sysfsdev=/sys/bus/mdev/devices/83b8f4f2-509f",
	    NULL, 0, "mediated" },
	{ "qemu -device vfio-pci,sysfsdev=", NULL, 0, "address" },
	{ "qemu -device vfio-pci,host=01:10.0,iommufd=i0 "
	  "-device vfio-pci,host=01:10.2",
	    NULL, 0, "write it for all of them or for none" },
	{ "qemu -device vfio-pci,host=01:10.2 "
	  "-device vfio-pci,host=01:10.0,iommufd=i0",
	    NULL, 0, "write it for all of them or for none" },
	{ "qemu -device pci-assign,host=01:10.0", NULL, 0, "vfio-pci" },
	{ "qemu -device kvm-pci-assign,host=01:10.0", NULL, 0, "4.12" },
};

#define MAX_ARGS 40

/* Cuts line into argv. */
static void
split(char *line, char **argv)
{
	size_t n = 0;

	for (char *w = strtok(line, " "); w != NULL; w = strtok(NULL, " ")) {
		for (char *p = w; *p != '\0'; p++)
			if (*p == '~')
				*p = ' ';
		ck_assert_uint_lt(n + 1, MAX_ARGS);
		argv[n++] = w;
	}
	argv[n] = NULL;
}

static void
list_text(const struct device_list *list, char *buf, size_t size)
{
	char bdf[BDF_STRLEN];

	buf[0] = '\0';
	for (size_t i = 0; i < list->n; i++) {
		size_t len = strlen(buf);

		snprintf(buf + len, size - len, "%s%s", i > 0 ? " " : "",
		    address_format(&list->v[i], bdf));
	}
}

/* Reads a line as above; returns what qemu_args_read() does. */
static int
read_line(const char *text, struct qemu_args *q)
{
	char *line = strdup(text), *argv[MAX_ARGS];
	int r;

	split(line, argv);
	r = qemu_args_read(argv, q);
	free(line);
	return r;
}

START_TEST(reads)
{
	char devices[256];
	struct qemu_args q;
	int r = read_line(cases[_i].line, &q);

	if (cases[_i].devices == NULL) {
		ck_assert_int_lt(r, 0);
		ck_assert_msg(strstr(q.error, cases[_i].why) != NULL,
		    "%s: '%s' lacks '%s'", cases[_i].line, q.error,
		    cases[_i].why);
		/* What, and how to mend it. */
		ck_assert_ptr_nonnull(strchr(q.error, '\n'));
	} else {
		ck_assert_msg(r == 0, "%s: %s", cases[_i].line, q.error);
		list_text(&q.devices, devices, sizeof(devices));
		ck_assert_str_eq(devices, cases[_i].devices);
		ck_assert_msg(q.ram == cases[_i].ram, "%s: ram %llu",
		    cases[_i].line, (unsigned long long)q.ram);
	}
}
END_TEST

static const struct {
	const char *line;
	uint64_t memlock;
} memlocks[] = {
	{ "qemu -m 2G -device vfio-pci,host=01:10.0", G(3) },
	{ "qemu -m 2G -device vfio-pci,host=01:10.0 "
	  "-device vfio-pci,host=01:10.2",
	    G(3) },
	{ "qemu -m 2G -device intel-iommu,intremap=on "
	  "-device vfio-pci,host=01:10.0 -device vfio-pci,host=01:10.2",
	    G(5) },
	{ "qemu -m 2G -device amd-iommu -device vfio-pci,host=01:10.0 "
	  "-device vfio-pci,host=01:10.2",
	    G(5) },
	{ "qemu -m 2G -device vfio-pci,host=01:10.0 -device virtio-iommu-pci",
	    G(3) },
	{ "qemu -m 2G -device virtio-iommu", G(3) },
	{ "qemu -m 1G -M virt,iommu=smmuv3 -device vfio-pci,host=01:10.0 "
	  "-device vfio-pci,host=01:10.2",
	    G(3) },
	{ "qemu -m 1G -machine virt,iommu=none -device vfio-pci,host=01:10.0 "
	  "-device vfio-pci,host=01:10.2",
	    G(2) },
	{ "qemu -m 7E -device intel-iommu -device vfio-pci,host=01:10.0 "
	  "-device vfio-pci,host=01:10.2 -device vfio-pci,host=01:10.4",
	    UINT64_MAX },
};

START_TEST(memlock)
{
	struct qemu_args q;

	ck_assert_int_eq(read_line(memlocks[_i].line, &q), 0);
	ck_assert_uint_eq(qemu_args_memlock(&q), memlocks[_i].memlock);
}
END_TEST

/* 16 fit, the 17th is refused; the same again is no other device. */
START_TEST(too_many)
{
	char line[2000] = "qemu";
	struct qemu_args q;
	size_t len;

	for (unsigned i = 0; i < 16; i++) {
		len = strlen(line);
		snprintf(line + len, sizeof(line) - len,
		    " -device vfio-pci,host=01:%02x.0", i);
	}
	len = strlen(line);
	strcpy(line + len, " -device vfio-pci,host=01:00.0");
	ck_assert_int_eq(read_line(line, &q), 0);
	ck_assert_uint_eq(q.devices.n, 16);
	strcpy(line + len, " -device vfio-pci,host=01:00.1");
	ck_assert_int_lt(read_line(line, &q), 0);
	ck_assert_ptr_nonnull(strstr(q.error, "16 devices"));
}
END_TEST

START_TEST(knows_qemu)
{
	ck_assert(qemu_args_is_qemu("/usr/bin/qemu-system-x86_64"));
	ck_assert(qemu_args_is_qemu("qemu-kvm"));
	ck_assert(qemu_args_is_qemu("kvm"));
	ck_assert(!qemu_args_is_qemu("/opt/qemu/dpdk-testpmd"));
}
END_TEST

/* The arguments are the program's: reading must not change them. */
START_TEST(leaves_arguments_alone)
{
	char name[] = "qemu", dash_m[] = "-m", m[] = "2G,slots=2,maxmem=8G";
	char dash_d[] = "-device", d[] = "vfio-pci,host=01:10.0,romfile=a,,b";
	char *argv[] = { name, dash_m, m, dash_d, d, NULL };
	struct qemu_args q;

	ck_assert_int_eq(qemu_args_read(argv, &q), 0);
	ck_assert_str_eq(m, "2G,slots=2,maxmem=8G");
	ck_assert_str_eq(d, "vfio-pci,host=01:10.0,romfile=a,,b");
}
END_TEST

#define COUNT(a) ((int)(sizeof(a) / sizeof((a)[0])))

int
main(void)
{
	Suite *s = suite_create("cmd_qemuargs");
	TCase *t = tcase_create("qemuargs");
	SRunner *r = srunner_create(s);
	int failed;

	tcase_add_loop_test(t, reads, 0, COUNT(cases));
	tcase_add_loop_test(t, memlock, 0, COUNT(memlocks));
	tcase_add_test(t, too_many);
	tcase_add_test(t, knows_qemu);
	tcase_add_test(t, leaves_arguments_alone);
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_ENV);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
