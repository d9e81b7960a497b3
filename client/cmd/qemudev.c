/* SPDX-License-Identifier: ISC */
/*
 * One -device or -object argument of QEMU, as plain "driver,key=value" text or
 * as JSON.  Called by qemuargs.c.  Must never touch a device that is not a
 * VFIO one: all others are QEMU's business.
 */

#include "qemudev.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "address.h"
#include "qemuopt.h"

/*
 * Keeps a property if it matters.  The last of a repeated key counts, as in
 * QEMU.
 */
static int
keep_property(struct qemu_dev *d, const char *key, const char *value)
{
	const struct {
		const char *key;
		char *to;
		size_t size;
	} properties[] = {
		{ "driver", d->driver, sizeof(d->driver) },
		{ "qom-type", d->driver, sizeof(d->driver) },
		{ "host", d->host, sizeof(d->host) },
		{ "sysfsdev", d->sysfsdev, sizeof(d->sysfsdev) },
		{ "fd", d->fd, sizeof(d->fd) },
		{ "iommufd", d->iommufd, sizeof(d->iommufd) },
		{ "size", d->size, sizeof(d->size) },
	};
	size_t len = strlen(value);

	for (size_t i = 0; i < sizeof(properties) / sizeof(properties[0]);
	     i++) {
		if (strcmp(properties[i].key, key) != 0)
			continue;
		if (len >= properties[i].size)
			return -ENAMETOOLONG;
		memcpy(properties[i].to, value, len + 1);
	}
	return 0;
}

static int
read_plain(struct qemu_dev *d, const char *text)
{
	char *copy = strdup(text), *cursor = copy, *key, *value;
	bool first = true;
	int r = copy == NULL ? -ENOMEM : 0;

	while (r == 0 && (key = qemuopt_next(&cursor, &value)) != NULL) {
		if (first && value == NULL)
			r = keep_property(d, "driver", key);
		else
			r = keep_property(d, key, value != NULL ? value : "on");
		first = false;
	}
	free(copy);
	return r;
}

static int
keep_json(struct qemu_dev *d, const char *key, const json_t *value)
{
	char number[32];

	if (json_is_string(value))
		return keep_property(d, key, json_string_value(value));
	if (!json_is_integer(value))
		return 0;
	snprintf(number, sizeof(number), "%" JSON_INTEGER_FORMAT,
	    json_integer_value(value));
	return keep_property(d, key, number);
}

static int
read_json(struct qemu_dev *d, const char *text)
{
	json_t *j = json_loads(text, 0, NULL);
	const char *key;
	json_t *value;
	int r = json_is_object(j) ? 0 : -EINVAL;

	json_object_foreach(j, key, value) if (r == 0) r =
	    keep_json(d, key, value);
	json_decref(j);
	return r;
}

int
qemu_dev_read(struct qemu_dev *d, const char *text)
{
	memset(d, 0, sizeof(*d));
	return text[0] == '{' ? read_json(d, text) : read_plain(d, text);
}

/* One hexadecimal number up to max, as QEMU's strtoul takes it. */
static int
host_number(const char **s, unsigned long max, char until, uint32_t *out)
{
	unsigned long n;
	char *end;

	if (strspn(*s, "0123456789abcdefABCDEF") == 0)
		return -EINVAL;
	errno = 0;
	n = strtoul(*s, &end, 16);
	if (errno != 0 || n > max || *end != until)
		return -EINVAL;
	*s = end + (until != '\0');
	*out = (uint32_t)n;
	return 0;
}

/* QEMU takes 1:0.0 too, which no other program writes. */
static int
parse_host(const char *s, struct vfiobroker_bdf *out)
{
	const char *colon = strchr(s, ':');
	uint32_t domain = 0, bus, dev, fn;

	if (colon != NULL && strchr(colon + 1, ':') != NULL &&
	    host_number(&s, UINT32_MAX, ':', &domain) != 0)
		return -EINVAL;
	if (host_number(&s, 0xff, ':', &bus) != 0 ||
	    host_number(&s, 0x1f, '.', &dev) != 0 ||
	    host_number(&s, 7, '\0', &fn) != 0)
		return -EINVAL;
	*out = (struct vfiobroker_bdf){ .domain = domain,
		.bus = (uint8_t)bus,
		.dev = (uint8_t)dev,
		.fn = (uint8_t)fn };
	return 0;
}

static int
fail(struct qemu_args *args, const char *what, const char *why, const char *fix)
{
	snprintf(
	    args->error, sizeof(args->error), "%s: %s\n  %s", what, why, fix);
	return -EINVAL;
}

static int
parse_sysfsdev(const char *path, struct vfiobroker_bdf *out)
{
	char copy[sizeof(((struct qemu_dev *)NULL)->sysfsdev)];
	size_t len = strlen(path);

	while (len > 0 && path[len - 1] == '/')
		len--;
	memcpy(copy, path, len);
	copy[len] = '\0';
	path = strrchr(copy, '/');
	return path == NULL ? -EINVAL : address_of_name(path + 1, out);
}

static int
apply_vfio(const struct qemu_dev *d, struct qemu_args *args)
{
	struct vfiobroker_bdf bdf = { 0 };
	char what[160];
	bool by_path;

	if (d->fd[0] != '\0')
		return 0; /* somebody has opened it already */
	by_path = d->sysfsdev[0] != '\0';
	snprintf(what, sizeof(what), "-device %s,%s=%.60s", d->driver,
	    by_path ? "sysfsdev" : "host", by_path ? d->sysfsdev : d->host);
	if (args->devices.n == 0)
		args->iommufd = d->iommufd[0] != '\0';
	else if (args->iommufd != (d->iommufd[0] != '\0'))
		return fail(args, what,
		    "some devices have iommufd= and others have not",
		    "write it for all of them or for none: they share a lease");
	if (by_path) {
		if (parse_sysfsdev(d->sysfsdev, &bdf) != 0)
			return fail(args, what, "this is no PCI device",
			    "name one as /sys/bus/pci/devices/0000:01:10.0; "
			    "mediated devices are not served");
	} else if (parse_host(d->host, &bdf) != 0) {
		return fail(args, what, "the device's address is not readable",
		    "write host=0000:01:10.0 or host=01:10.0");
	}
	if (device_list_add(&args->devices, &bdf) != 0)
		return fail(args, what, "this is one device too many",
		    "a lease has room for 16 devices");
	return 0;
}

static int
apply_legacy(const struct qemu_dev *d, struct qemu_args *args)
{
	return fail(args, d->driver,
	    "KVM's own device assignment is gone from Linux (4.12) and QEMU",
	    "write -device vfio-pci,host=...");
}

static int
apply_viommu(const struct qemu_dev *d, struct qemu_args *args)
{
	(void)d;
	args->viommu = true;
	return 0;
}

int
qemu_dev_apply(const struct qemu_dev *d, struct qemu_args *args)
{
	static const struct {
		const char *driver;
		int (*apply)(const struct qemu_dev *, struct qemu_args *);
	} drivers[] = {
		{ "vfio-pci", apply_vfio },
		{ "vfio-pci-nohotplug", apply_vfio },
		{ "pci-assign", apply_legacy },
		{ "kvm-pci-assign", apply_legacy },
		{ "intel-iommu", apply_viommu },
		{ "amd-iommu", apply_viommu },
		{ "arm-smmuv3", apply_viommu },
		{ "virtio-iommu", apply_viommu },
		{ "virtio-iommu-pci", apply_viommu },
	};

	for (size_t i = 0; i < sizeof(drivers) / sizeof(drivers[0]); i++)
		if (strcmp(drivers[i].driver, d->driver) == 0)
			return drivers[i].apply(d, args);
	return 0;
}
