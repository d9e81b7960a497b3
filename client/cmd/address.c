/* SPDX-License-Identifier: ISC */
/*
 * From names to addresses, on the client's side: the broker takes numbers
 * only.  Reads /sys; must never ask the broker.
 */

#include "address.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ADDRESS_NAME_MAX 64

struct vfiobroker_bdf
address_from_bdf(const struct bdf *b)
{
	return (struct vfiobroker_bdf){
		.domain = b->domain, .bus = b->bus, .dev = b->dev, .fn = b->fn
	};
}

int
address_of_name(const char *text, struct vfiobroker_bdf *out)
{
	struct bdf bdf;
	int r = bdf_parse(text, &bdf);

	if (r == 0)
		*out = address_from_bdf(&bdf);
	return r;
}

int
address_of_path(const char *path, struct vfiobroker_bdf *out)
{
	char copy[PATH_MAX];
	char *slash;

	if (strlen(path) >= sizeof(copy))
		return -EINVAL;
	memcpy(copy, path, strlen(path) + 1);
	/* A virtio NIC's device is virtio0; the function is its parent. */
	while ((slash = strrchr(copy, '/')) != NULL) {
		if (address_of_name(slash + 1, out) == 0)
			return 0;
		*slash = '\0';
	}
	return -ENODEV;
}

/* nvme0n1 is a disk of the controller nvme0. */
static void
strip_namespace(char *name)
{
	char *n;

	if (strncmp(name, "nvme", 4) != 0)
		return;
	n = strchr(name + 4, 'n');
	if (n != NULL && n > name + 4)
		*n = '\0';
}

static int
lookup_class(const char *sys, const char *class, const char *name,
    struct vfiobroker_bdf *out)
{
	char path[PATH_MAX], real[PATH_MAX];

	snprintf(path, sizeof(path), "%s/class/%s/%s/device", sys, class, name);
	if (realpath(path, real) == NULL)
		return errno == ENOENT ? -ENOENT : -errno;
	return address_of_path(real, out);
}

/* What may stand in a path: no slash, and nothing that goes up. */
static bool
name_is_plain(const char *text)
{
	return text[0] != '\0' && text[0] != '.' &&
	       strlen(text) < ADDRESS_NAME_MAX && strchr(text, '/') == NULL &&
	       strchr(text, ':') == NULL;
}

int
address_parse_at(const char *sys, const char *text, struct vfiobroker_bdf *out)
{
	char name[ADDRESS_NAME_MAX];
	int r;

	if (address_of_name(text, out) == 0)
		return 0;
	if (!name_is_plain(text))
		return -EINVAL;
	r = lookup_class(sys, "net", text, out);
	if (r != -ENOENT)
		return r;
	memcpy(name, text, strlen(text) + 1);
	strip_namespace(name);
	return lookup_class(sys, "nvme", name, out);
}

int
address_parse(const char *text, struct vfiobroker_bdf *out)
{
	return address_parse_at("/sys", text, out);
}

const char *
address_error(int err, const char *text, char *buf, size_t len)
{
	switch (-err) {
	case ENOENT:
		snprintf(buf, len,
		    "no network interface or NVMe controller is called '%s'; "
		    "'vfiobroker list' shows the addresses",
		    text);
		break;
	case ENODEV:
		snprintf(buf, len, "'%s' is not a PCI device", text);
		break;
	default:
		snprintf(buf, len,
		    "'%s' is no device address; write 0000:01:10.0, 01:10.0, "
		    "or the name of a network interface",
		    text);
	}
	return buf;
}

char *
address_format(const struct vfiobroker_bdf *b, char buf[BDF_STRLEN])
{
	struct bdf bdf = {
		.domain = b->domain, .bus = b->bus, .dev = b->dev, .fn = b->fn
	};

	return bdf_format(&bdf, buf);
}

bool
address_equal(const struct vfiobroker_bdf *a, const struct vfiobroker_bdf *b)
{
	return a->domain == b->domain && a->bus == b->bus && a->dev == b->dev &&
	       a->fn == b->fn;
}
