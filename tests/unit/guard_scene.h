/* SPDX-License-Identifier: ISC */
#ifndef VFIOBROKER_TESTS_GUARD_SCENE_H
#define VFIOBROKER_TESTS_GUARD_SCENE_H

/* A made-up host, a question to the guard, and what it must find: for test_guard*.c. */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <check.h>

#include "broker/guard/guard.h"
#include "tests/unit/fixture.h"
#include "tests/unit/test_mon.h"

#define DEV "pci0000:00/0000:00:02.0"
#define VBLK DEV "/virtio1/block/"
#define UP 0x1003U
#define DOWN 0x1002U

struct scene {
	const char *name;
	void (*build)(struct fixture *);
	const char *expect[12]; /* each line once, in any order */
	const char *bdf; /* NULL: 0000:00:02.0 */
	int error;
};

/* The function that most scenes ask about: alone in a group of its own. */
static inline void
device(struct fixture *f)
{
	fixture_pci(
	    f, &(struct fixture_pci){
		   .bdf = "0000:00:02.0", .driver = "some", .group = 7 });
}

static inline void
mountinfo(struct fixture *f, const char *line)
{
	fixture_append(f, line, "proc/1/mountinfo");
}

static inline void
disk(struct fixture *f)
{
	device(f);
	fixture_block(f, VBLK "vda", "254:0");
	fixture_block(f, VBLK "vda/vda1", "254:1");
	fixture_block(f, "virtual/block/loop0", "7:0");
	fixture_file(f, "Filename\tType\tSize\tUsed\tPriority\n", "proc/swaps");
	mountinfo(f, "40 27 7:0 / /loop rw - ext4 /dev/loop0 rw\n");
	mountinfo(f, "41 27 254:16 / /b rw - ext4 /dev/vdb rw\n");
}

static inline void
disk_root(struct fixture *f)
{
	disk(f);
	mountinfo(f, "27 1 254:1 / / rw - ext4 /dev/root rw\n");
}

static inline void
net(struct fixture *f, unsigned int flags)
{
	device(f);
	fixture_net(f, DEV "/virtio2/net/eth0", 2, flags);
	fixture_net(f, "virtual/net/lo", 1, 0x9);
	fixture_file(f, "", "sys/class/net/bonding_masters");
	fixture_file(
	    f, "1 127.0.0.1\n3 198.51.100.1\n", "proc/net/ipv4_addresses");
	fixture_file(f,
	    "00000000000000000000000000000001 01 80 10 80 lo\n"
	    "fe80000000000000505400fffe123456 02 40 20 80 eth0\n",
	    "proc/net/if_inet6");
	fixture_file(f,
	    "00000000000000000000000000000000 00 "
	    "00000000000000000000000000000000 00 "
	    "00000000000000000000000000000000 ffffffff 00000001 00000000 "
	    "00200200       lo\n",
	    "proc/net/ipv6_route");
}

static inline void
addresses(struct fixture *f)
{
	fixture_append(
	    f, "2 192.0.2.1\n2 192.0.2.2\n", "proc/net/ipv4_addresses");
	fixture_append(f, "20010db8000000000000000000000005 02 40 00 80 eth0\n",
	    "proc/net/if_inet6");
}

static inline void
net_address(struct fixture *f)
{
	net(f, UP);
	addresses(f);
}

static inline void
append_line(void *arg, enum reason reason, const char *what)
{
	FILE *out = arg;

	fprintf(out, "\n%s %s\n", reason_name(reason), what);
}

/* All that was found, each as "\nline\n". */
static inline int
collect(const char *root, const char *text, char **found)
{
	struct bdf bdf;
	size_t size;
	FILE *out = open_memstream(found, &size);
	int error;

	ck_assert_ptr_nonnull(out);
	ck_assert_int_eq(bdf_parse(text, &bdf), 0);
	error = guard_collect(root, &bdf, append_line, out);
	ck_assert_int_eq(fclose(out), 0);
	return error;
}

static inline void
scene_check(const struct scene *s)
{
	struct fixture f;
	char *found, *at, line[256];
	int error;

	fixture_init(&f);
	s->build(&f);
	error =
	    collect(f.root, s->bdf != NULL ? s->bdf : "0000:00:02.0", &found);
	fixture_fini(&f);

	ck_assert_msg(
	    error == s->error, "%s: error %d%s", s->name, error, found);
	for (size_t i = 0; i < 12 && s->expect[i] != NULL; i++) {
		snprintf(line, sizeof(line), "\n%s\n", s->expect[i]);
		at = strstr(found, line);
		ck_assert_msg(
		    at != NULL, "%s: no %sin:%s", s->name, line + 1, found);
		memmove(at, at + strlen(line), strlen(at + strlen(line)) + 1);
	}
	ck_assert_msg(*found == '\0', "%s: too much:%s", s->name, found);
	free(found);
}

#endif
