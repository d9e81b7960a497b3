/* SPDX-License-Identifier: ISC */
/*
 * The nodes of a grant: which of them, in which order, and what is said when
 * one does not open.  Called by acquire.c once all devices are ready.  Must
 * never leave a copy open behind it: a dup of a group pins the group, and one
 * of a cdev keeps its driver.
 */

#include "handover.h"

#include "check.h"
#include "lease.h"
#include "session.h"
#include "vfio.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

void
handover_close(struct handover *h)
{
	while (h->n > 0)
		close(h->fds[--h->n]);
}

int
handover_add(struct handover *h, int fd, enum mon_fd_kind kind)
{
	if (fd < 0)
		return fd;
	if (h->n == MON_MAX_FDS) {
		close(fd);
		return -E2BIG;
	}
	h->grant.fds[h->n].kind = kind;
	h->grant.fds[h->n].group = -1;
	h->fds[h->n++] = fd;
	h->grant.nfds = (uint32_t)h->n;
	return 0;
}

/* ---- opening ---------------------------------------------------------- */

static bool
has_group(const struct handover *h, int group)
{
	for (size_t i = 0; i < h->n; i++) {
		if (h->grant.fds[i].kind == MON_FD_GROUP &&
		    h->grant.fds[i].group == group)
			return true;
	}
	return false;
}

static int
add_group(struct handover *h, const struct device *d)
{
	int r = handover_add(h, vfio_open_group(d->facts.group), MON_FD_GROUP);

	if (r == 0)
		h->grant.fds[h->n - 1].group = d->facts.group;
	return r;
}

/*
 * The group is tried first: nobody else has it, nor a cdev of it in use, and the
 * kernel calls it viable, which it would not tell before the holder binds the
 * cdev.
 */
static int
add_cdev(struct handover *h, const struct lease *l, const struct device *d)
{
	int r = lease_has_group(l, d->facts.group)
		    ? 0
		    : vfio_try_group(d->facts.group);

	if (r == 0)
		r = handover_add(
		    h, vfio_open_cdev(&d->facts.bdf), MON_FD_DEVICE);
	if (r == 0)
		h->grant.fds[h->n - 1].device = d->facts.bdf;
	return r;
}

/* A sibling that comes along is in the lease, and with a group in the group. */
int
handover_open(struct handover *h, const struct check *c, bool iommufd)
{
	int r;

	h->iommufd = iommufd;
	r = iommufd ? handover_add(h, vfio_open_iommufd(), MON_FD_IOMMUFD)
		    : handover_add(h, vfio_open_container(), MON_FD_CONTAINER);
	for (size_t i = 0; r == 0 && i < c->nmembers; i++) {
		const struct check_member *m = &c->members[i];
		int group = m->device->facts.group;

		h->device = m->device;
		if (iommufd && m->asked)
			r = add_cdev(h, c->lease, m->device);
		else if (!iommufd && !has_group(h, group) &&
			 !lease_has_group(c->lease, group))
			r = add_group(h, m->device);
	}
	return r;
}

/* ---- refusing --------------------------------------------------------- */

static const char *
host_fix(bool iommufd, int r)
{
	if (r != -ENODEV && r != -ENOENT)
		return "an administrator can see what is wrong with it (the "
		       "unit's DeviceAllow=; ls -lR /dev/vfio /dev/iommu)";
	if (iommufd)
		return "ask without iommufd, or have a kernel with "
		       "CONFIG_IOMMUFD (Linux 6.2; Debian's have not)";
	if (vfio_has_iommufd())
		return "ask with iommufd: this kernel may have no containers";
	return "load the vfio module, and have an IOMMU on (intel_iommu=on, "
	       "or AMD-Vi in the firmware)";
}

static enum status
refuse_host(const struct handover *h, struct session *s, int r)
{
	session_say(s, MON_TEXT_WHY, "cannot open %s: %s\n%s",
	    h->iommufd ? "/dev/iommu" : "/dev/vfio/vfio", strerror(-r),
	    host_fix(h->iommufd, r));
	return STATUS_UNAVAILABLE;
}

static enum status
refuse_busy(const struct handover *h, struct session *s)
{
	int group = h->device->facts.group;

	session_say(s, MON_TEXT_WHY,
	    "group %d is open in a process that has no lease\n"
	    "end it (see: fuser -v /dev/vfio/%d%s)",
	    group, group, vfio_has_iommufd() ? " /dev/vfio/devices/*" : "");
	return STATUS_BUSY;
}

static enum status
refuse_group(const struct handover *h, struct session *s)
{
	session_say(s, MON_TEXT_WHY,
	    "the kernel says that group %d is not viable: a member is bound "
	    "to a host driver\n"
	    "unbind that member (see: vfiobroker groups), or ask for it too",
	    h->device->facts.group);
	return STATUS_GROUP;
}

static enum status
refuse_cdev(const struct handover *h, struct session *s)
{
	session_say(s, MON_TEXT_WHY,
	    "the kernel has made no cdev for %s\n"
	    "ask without iommufd, or have a kernel with "
	    "CONFIG_VFIO_DEVICE_CDEV (Linux 6.6)",
	    device_name(h->device));
	return STATUS_UNAVAILABLE;
}

enum status
handover_refuse(const struct handover *h, struct session *s, int r)
{
	if (h->device == NULL)
		return refuse_host(h, s, r);
	if (r == -EBUSY)
		return refuse_busy(h, s);
	if (r == -EADDRINUSE)
		return refuse_group(h, s);
	if (r == -ENODEV && h->iommufd)
		return refuse_cdev(h, s);
	if (h->iommufd)
		session_say(s, MON_TEXT_WHY, "cannot open the cdev of %s: %s",
		    device_name(h->device), strerror(-r));
	else
		session_say(s, MON_TEXT_WHY, "cannot open /dev/vfio/%d: %s",
		    h->device->facts.group, strerror(-r));
	session_say(s, MON_TEXT_FIX,
	    "an administrator can see what is wrong with it "
	    "(ls -lR /dev/vfio; dmesg)");
	return STATUS_OS;
}
