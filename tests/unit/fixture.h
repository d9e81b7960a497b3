/* SPDX-License-Identifier: ISC */
#ifndef VFIOBROKER_TESTS_FIXTURE_H
#define VFIOBROKER_TESTS_FIXTURE_H

/*
 * A fake host for tests: sys/ and proc/ with links as the kernel makes them,
 * in a temporary directory.  Everything aborts on failure, and all paths are
 * relative to the tree's root.
 */

struct fixture {
	char root[64]; /* to be passed as sysroot */
	int rootfd;
};

/*
 * One PCI function.  Its directory is sys/devices/<parent>/<bdf>; parent is
 * "pci0000:00", or a bridge's path as "pci0000:00/0000:00:01.0".
 */
struct fixture_pci {
	const char *parent; /* NULL: pci<domain>:00 */
	const char *bdf;
	const char *class; /* "0x020000"; NULL: a network card */
	const char *vendor; /* "0x8086"; NULL: that */
	const char *device; /* "0x10ca"; NULL: that */
	const char *driver; /* NULL: none */
	int group; /* 0: none */
};

void fixture_init(struct fixture *);
void fixture_init_in(struct fixture *, const char *dir); /* not in /tmp */
void fixture_fini(struct fixture *);

/* Each makes the directories above it, and replaces what was there. */
void fixture_dir(struct fixture *, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
void fixture_file(struct fixture *, const char *content, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
void fixture_append(struct fixture *, const char *content, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
void fixture_link(struct fixture *, const char *target, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
void fixture_remove(struct fixture *, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* The function with its attributes and links both ways. */
void fixture_pci(struct fixture *, const struct fixture_pci *);

/* A VF of a PF: virtfn<n> and physfn.  Both functions are there already. */
void fixture_vf(struct fixture *, const char *pf, const char *vf, int n);

/*
 * sys/devices/<devpath> and the link to it from sys/class/<class>: devpath is
 * "pci0000:00/0000:00:02.0/virtio1/block/vda".
 */
void fixture_class(struct fixture *, const char *class, const char *devpath);

/* A block device with its number, "254:0". */
void fixture_block(struct fixture *, const char *devpath, const char *dev);

/* /sys/class/block/<disk>/holders/<holder>.  Both are there already. */
void fixture_holder(struct fixture *, const char *disk, const char *holder);

/* An interface with its index and flags (0x1003 is up, 0x1002 down). */
void fixture_net(
    struct fixture *, const char *devpath, int index, unsigned int flags);

/* upper is stacked on lower; a bond or bridge is its master as well. */
void fixture_upper(
    struct fixture *, const char *lower, const char *upper, int is_master);

#endif
