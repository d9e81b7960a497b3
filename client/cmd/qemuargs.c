/* SPDX-License-Identifier: ISC */
/*
 * Reading QEMU's command line, so that nobody has to write the devices and
 * the memory twice.  Called by `run`.  QEMU itself reads the same arguments
 * afterwards and complains of those that are wrong; here only what keeps a
 * VFIO device from being served is an error.
 */

#include "qemuargs.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "qemudev.h"
#include "qemuopt.h"

#define MIB (1ULL << 20)
#define GIB (1ULL << 30)
#define DEFAULT_RAM (128 * MIB) /* QEMU's own, for most machines */

/* What is collected on the way through the arguments. */
struct reading {
	struct qemu_args *args;
	uint64_t size; /* of -m; 0: not given */
	uint64_t maxmem;
	uint64_t backends; /* sum over the memory backends */
};

static int
read_device(struct reading *r, const char *value)
{
	struct qemu_dev d;
	int e = qemu_dev_read(&d, value);

	if (e == 0)
		e = qemu_dev_apply(&d, r->args);
	else
		snprintf(r->args->error, sizeof(r->args->error),
		    "-device %.200s: this is not readable\n"
		    "  write -device vfio-pci,host=0000:01:10.0",
		    value);
	return e;
}

/* Guest memory by another name: memory-backend-ram, -file, -memfd, ... */
static int
read_object(struct reading *r, const char *value)
{
	struct qemu_dev d;
	uint64_t size;

	if (qemu_dev_read(&d, value) == 0 &&
	    strncmp(d.driver, "memory-backend-", 15) == 0 &&
	    qemuopt_size(d.size, 1, &size) == 0)
		r->backends += size;
	return 0;
}

static int
read_memory(struct reading *r, const char *value)
{
	char *copy = strdup(value), *cursor = copy, *key, *v;
	bool first = true;
	int e = copy == NULL ? -ENOMEM : 0;

	while (e == 0 && (key = qemuopt_next(&cursor, &v)) != NULL) {
		if (first && v == NULL)
			e = qemuopt_size(key, MIB, &r->size);
		else if (v != NULL && strcmp(key, "size") == 0)
			e = qemuopt_size(v, MIB, &r->size);
		else if (v != NULL && strcmp(key, "maxmem") == 0)
			e = qemuopt_size(v, 1, &r->maxmem);
		first = false;
	}
	free(copy);
	if (e != 0)
		snprintf(r->args->error, sizeof(r->args->error),
		    "-m %.200s: this is no memory size\n"
		    "  write -m 2G, or say --memlock SIZE before the --",
		    value);
	return e;
}

/* -machine virt,iommu=smmuv3 */
static int
read_machine(struct reading *r, const char *value)
{
	char *copy = strdup(value), *cursor = copy, *key, *v;

	if (copy == NULL)
		return -ENOMEM;
	while ((key = qemuopt_next(&cursor, &v)) != NULL)
		if (v != NULL && strcmp(key, "iommu") == 0 &&
		    strcmp(v, "none") != 0 && strcmp(v, "off") != 0)
			r->args->viommu = true;
	free(copy);
	return 0;
}

/* Its value is free text, and may look like an option. */
static int
read_nothing(struct reading *r, const char *value)
{
	(void)r;
	(void)value;
	return 0;
}

static const struct {
	const char *name;
	int (*read)(struct reading *, const char *value);
} options[] = {
	{ "device", read_device },
	{ "m", read_memory },
	{ "object", read_object },
	{ "machine", read_machine },
	{ "M", read_machine },
	{ "append", read_nothing },
	{ "name", read_nothing },
	{ "kernel", read_nothing },
	{ "initrd", read_nothing },
	{ "bios", read_nothing },
	{ "fw_cfg", read_nothing },
	{ "smbios", read_nothing },
	{ "prom-env", read_nothing },
};

/* One argument; returns how many were used, or -errno. */
static int
read_argument(struct reading *r, char *const *argv)
{
	const char *name = argv[0], *equals;
	size_t n;
	int e;

	if (name[0] != '-')
		return 1;
	name += name[1] == '-' ? 2 : 1;
	equals = strchr(name, '=');
	n = equals != NULL ? (size_t)(equals - name) : strlen(name);
	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
		if (strlen(options[i].name) != n ||
		    strncmp(options[i].name, name, n) != 0)
			continue;
		if (equals == NULL && argv[1] == NULL)
			return 1; /* QEMU will say what is missing */
		e = options[i].read(r, equals != NULL ? equals + 1 : argv[1]);
		return e != 0 ? e : equals != NULL ? 1 : 2;
	}
	return 1;
}

static uint64_t
most(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

int
qemu_args_read(char *const argv[], struct qemu_args *args)
{
	struct reading r = { .args = args };
	int n = 1;

	memset(args, 0, sizeof(*args));
	if (argv[0] == NULL)
		return 0;
	for (char *const *v = argv + 1; *v != NULL; v += n) {
		n = read_argument(&r, v);
		if (n < 0)
			return -EINVAL;
	}
	if (r.size == 0 && r.backends == 0)
		r.size = DEFAULT_RAM;
	args->ram = most(most(r.size, r.maxmem), r.backends);
	return 0;
}

uint64_t
qemu_args_memlock(const struct qemu_args *args)
{
	uint64_t spaces = 1;

	/* Behind a vIOMMU each device maps all of RAM for itself. */
	if (args->viommu && args->devices.n > 0)
		spaces = args->devices.n;
	if (args->ram > (UINT64_MAX - GIB) / spaces)
		return UINT64_MAX;
	return args->ram * spaces + GIB;
}

bool
qemu_args_is_qemu(const char *program)
{
	const char *slash = strrchr(program, '/');
	const char *name = slash != NULL ? slash + 1 : program;

	return strncmp(name, "qemu", 4) == 0 || strcmp(name, "kvm") == 0;
}
