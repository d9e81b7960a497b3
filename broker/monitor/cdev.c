/* SPDX-License-Identifier: ISC */
/*
 * What a VMM opens again while its iommufd lease goes on: a device that it had
 * unplugged, and the iommufd, which it closes with its last device.  Called from
 * the table of requests.  Neither open waits for anybody, so unlike a group's
 * (opening.c) these need no child.  Must never give a device that was not asked
 * for when the lease was made: a sibling that came along has no cdev to give.
 */

#include "cdev.h"

#include "inventory.h"
#include "lease.h"
#include "request.h"
#include "session.h"
#include "vfio.h"

#include <string.h>

static void
cdev_send(struct session *s, uint64_t lease, int fd, enum mon_fd_kind kind,
    const struct bdf *device)
{
	struct mon_grant g = { .lease = lease, .nfds = 1 };

	g.fds[0].kind = kind;
	g.fds[0].group = -1;
	if (device != NULL)
		g.fds[0].device = *device;
	session_send(s, MON_GRANT, &g, &fd, 1);
	session_end(s, STATUS_OK);
}

static void
refuse_node(struct session *s, const char *node, int r)
{
	session_refuse(s, STATUS_OS,
	    "cannot open %s: %s\n"
	    "an administrator can see what is wrong with it "
	    "(ls -lR /dev/iommu /dev/vfio; dmesg)",
	    node, strerror(-r));
}

void
cdev_open(struct session *s, const void *record)
{
	const struct mon_open_device *m = record;
	const struct lease *l = request_own_lease(s, m->lease);
	const struct device *d = inventory_find(&m->device);
	char name[BDF_STRLEN];
	int fd;

	if (l == NULL)
		return;
	if (d == NULL || d->lease != l || !d->record.cdev) {
		session_refuse(s, STATUS_DENIED,
		    "lease %llu has no cdev of %s\n"
		    "ask for the device, to be added to the lease",
		    (unsigned long long)l->id, bdf_format(&m->device, name));
		return;
	}
	fd = vfio_open_cdev(&m->device);
	if (fd < 0)
		refuse_node(s, device_name(d), fd);
	else
		cdev_send(s, l->id, fd, MON_FD_DEVICE, &m->device);
}

/* It gives access to no device, but only root's has the accounting set. */
void
cdev_open_iommufd(struct session *s, const void *record)
{
	const struct mon_open_iommufd *m = record;
	const struct lease *l = request_own_lease(s, m->lease);
	int fd;

	if (l == NULL)
		return;
	if (!l->iommufd) {
		session_refuse(s, STATUS_DENIED,
		    "lease %llu has its devices by container and groups\n"
		    "ask for a lease with iommufd",
		    (unsigned long long)l->id);
		return;
	}
	fd = vfio_open_iommufd();
	if (fd < 0)
		refuse_node(s, "/dev/iommu", fd);
	else
		cdev_send(s, l->id, fd, MON_FD_IOMMUFD, NULL);
}
