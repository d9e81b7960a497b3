/* SPDX-License-Identifier: ISC */
/*
 * Taking, adding to and giving up leases.  Must never lose track of an fd: it
 * is in the grant, or the caller's, or closed.
 */

#include "lib.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int
take_fd(int *to, int *from)
{
	if (*to >= 0)
		return -EPROTO; /* two of a kind that there is one of */
	*to = *from;
	*from = -1;
	return 0;
}

static int
take_group(struct vfiobroker_grant *g, int group, int *fd)
{
	if (group < 0 || g->ngroups == VFIOBROKER_MAX_DEVICES)
		return -EPROTO;
	g->groups[g->ngroups].group = group;
	g->groups[g->ngroups].fd = *fd;
	g->ngroups++;
	*fd = -1;
	return 0;
}

static int
take_cdev(struct vfiobroker_grant *g, const Vfiobroker__Bdf *device, int *fd)
{
	if (device == NULL || g->ncdevs == VFIOBROKER_MAX_DEVICES ||
	    lib_bdf(&g->cdevs[g->ncdevs].device, device) != 0)
		return -EPROTO;
	g->cdevs[g->ncdevs++].fd = *fd;
	*fd = -1;
	return 0;
}

static int
grant_take(struct vfiobroker_grant *g, const Vfiobroker__Fd *what, int *fd)
{
	switch (what->kind) {
	case VFIOBROKER__FD__KIND__LEASE:
		return take_fd(&g->leasefd, fd);
	case VFIOBROKER__FD__KIND__CONTAINER:
		return take_fd(&g->containerfd, fd);
	case VFIOBROKER__FD__KIND__GROUP:
		return take_group(g, what->group, fd);
	case VFIOBROKER__FD__KIND__IOMMUFD:
		return take_fd(&g->iommufd, fd);
	case VFIOBROKER__FD__KIND__DEVICE:
		return take_cdev(g, what->device, fd);
	default:
		return -EPROTO;
	}
}

static int
add_grant(void *arg, const Vfiobroker__Reply *reply, int *fds, size_t nfds)
{
	struct vfiobroker_grant *g = arg;
	const Vfiobroker__Grant *in = reply->grant;
	int r = 0;

	if (reply->body_case != VFIOBROKER__REPLY__BODY_GRANT ||
	    in->n_fds != nfds || g->lease != 0 || in->lease == 0)
		return -EPROTO;
	g->lease = in->lease;
	g->memlock = in->memlock;
	for (size_t i = 0; i < nfds && r == 0; i++)
		r = grant_take(g, in->fds[i], &fds[i]);
	return r;
}

static struct vfiobroker_grant *
grant_new(void)
{
	struct vfiobroker_grant *g = calloc(1, sizeof(*g));

	if (g == NULL)
		return NULL;
	g->leasefd = g->containerfd = g->iommufd = -1;
	for (size_t i = 0; i < VFIOBROKER_MAX_DEVICES; i++)
		g->groups[i].fd = g->cdevs[i].fd = -1;
	return g;
}

void
vfiobroker_grant_free(struct vfiobroker_grant *g)
{
	if (g == NULL)
		return;
	/* Closing a node or a lease cannot fail in a way that matters. */
	if (g->leasefd >= 0)
		(void)close(g->leasefd);
	if (g->containerfd >= 0)
		(void)close(g->containerfd);
	if (g->iommufd >= 0)
		(void)close(g->iommufd);
	for (size_t i = 0; i < g->ngroups; i++)
		if (g->groups[i].fd >= 0)
			(void)close(g->groups[i].fd);
	for (size_t i = 0; i < g->ncdevs; i++)
		if (g->cdevs[i].fd >= 0)
			(void)close(g->cdevs[i].fd);
	free(g);
}

/* Makes room for the answer first: fds must not arrive to find none. */
static int
grant_call(struct vfiobroker *h, Vfiobroker__Request *req, int pidfd,
    struct vfiobroker_grant **out)
{
	struct vfiobroker_grant *g = grant_new();
	const struct lib_items items = { add_grant, g };
	int r;

	*out = NULL;
	if (g == NULL)
		return lib_fail(h, -ENOMEM, "out of memory");
	r = lib_call(h, req, pidfd, &items);
	if (r == 0 && g->lease == 0)
		r = lib_fail_protocol(h, "no grant");
	if (r == 0)
		*out = g;
	else
		vfiobroker_grant_free(g);
	return r;
}

static int
acquire_call(struct vfiobroker *h, const struct vfiobroker_request *want,
    Vfiobroker__Bdf *bdfs, Vfiobroker__Bdf **list,
    struct vfiobroker_grant **out)
{
	Vfiobroker__Request req;
	Vfiobroker__Acquire op;

	vfiobroker__request__init(&req);
	vfiobroker__acquire__init(&op);
	for (size_t i = 0; i < want->ndevices; i++) {
		lib_bdf_fill(&bdfs[i], &want->devices[i]);
		list[i] = &bdfs[i];
	}
	op.n_devices = want->ndevices;
	op.devices = list;
	op.memlock = want->memlock;
	op.lease = want->lease;
	/* Only read, when the request is packed. */
	if (want->label != NULL)
		memcpy(&op.label, &want->label, sizeof(op.label));
	op.no_wait = want->no_wait;
	op.unmanaged = want->unmanaged;
	op.iommufd = want->iommufd;
	op.has_pidfd = want->pidfd >= 0;
	req.op_case = VFIOBROKER__REQUEST__OP_ACQUIRE;
	req.acquire = &op;
	return grant_call(h, &req, want->pidfd, out);
}

int
vfiobroker_acquire(struct vfiobroker *h, const struct vfiobroker_request *want,
    struct vfiobroker_grant **out)
{
	Vfiobroker__Bdf bdfs[VFIOBROKER_MAX_DEVICES];
	Vfiobroker__Bdf *list[VFIOBROKER_MAX_DEVICES];

	*out = NULL;
	if (want->ndevices > VFIOBROKER_MAX_DEVICES)
		return lib_fail(h, -EINVAL,
		    "a lease has room for %u devices, not for %zu",
		    VFIOBROKER_MAX_DEVICES, want->ndevices);
	/* A broker that does not know of it hangs up without a word. */
	if (want->iommufd && !h->welcome.backend_iommufd)
		return lib_fail(h, VFIOBROKER_UNAVAILABLE,
		    "the host's kernel has no iommufd, or its broker does not "
		    "know of it\n"
		    "  ask without iommufd; or have a kernel with "
		    "CONFIG_IOMMUFD and CONFIG_VFIO_DEVICE_CDEV (Linux 6.6)");
	return acquire_call(h, want, bdfs, list, out);
}

int
vfiobroker_open_group(
    struct vfiobroker *h, uint64_t lease, int group, int *fd, int *containerfd)
{
	struct vfiobroker_grant *g = NULL;
	Vfiobroker__Request req;
	Vfiobroker__OpenGroup op;
	int r;

	*fd = *containerfd = -1;
	if (group < 0)
		return lib_fail(h, -EINVAL, "there is no group %d", group);
	vfiobroker__request__init(&req);
	vfiobroker__open_group__init(&op);
	op.lease = lease;
	op.group = (uint32_t)group;
	req.op_case = VFIOBROKER__REQUEST__OP_OPEN_GROUP;
	req.open_group = &op;
	r = grant_call(h, &req, -1, &g);
	if (r != 0 || g == NULL)
		return r;
	if (g->ngroups == 1 && g->groups[0].group == group) {
		*fd = g->groups[0].fd;
		*containerfd = g->containerfd;
		g->groups[0].fd = g->containerfd = -1;
	} else
		r = lib_fail_protocol(
		    h, "another group than the one asked for");
	vfiobroker_grant_free(g);
	return r;
}

/* Takes the one cdev out of a grant of nothing else. */
static int
take_out_cdev(struct vfiobroker *h, struct vfiobroker_grant *g,
    const struct vfiobroker_bdf *device, int *fd)
{
	if (g->ncdevs != 1 ||
	    memcmp(&g->cdevs[0].device, device, sizeof(*device)) != 0)
		return lib_fail_protocol(
		    h, "another device than the one asked for");
	*fd = g->cdevs[0].fd;
	g->cdevs[0].fd = -1;
	return 0;
}

int
vfiobroker_open_device(struct vfiobroker *h, uint64_t lease,
    const struct vfiobroker_bdf *device, int *fd)
{
	struct vfiobroker_grant *g = NULL;
	Vfiobroker__Request req;
	Vfiobroker__OpenDevice op;
	Vfiobroker__Bdf bdf;
	int r;

	*fd = -1;
	vfiobroker__request__init(&req);
	vfiobroker__open_device__init(&op);
	lib_bdf_fill(&bdf, device);
	op.lease = lease;
	op.device = &bdf;
	req.op_case = VFIOBROKER__REQUEST__OP_OPEN_DEVICE;
	req.open_device = &op;
	r = grant_call(h, &req, -1, &g);
	if (r == 0 && g != NULL)
		r = take_out_cdev(h, g, device, fd);
	vfiobroker_grant_free(g);
	return r;
}

int
vfiobroker_open_iommufd(struct vfiobroker *h, uint64_t lease, int *fd)
{
	struct vfiobroker_grant *g = NULL;
	Vfiobroker__Request req;
	Vfiobroker__OpenIommufd op;
	int r;

	vfiobroker__request__init(&req);
	vfiobroker__open_iommufd__init(&op);
	op.lease = lease;
	req.op_case = VFIOBROKER__REQUEST__OP_OPEN_IOMMUFD;
	req.open_iommufd = &op;
	*fd = -1;
	r = grant_call(h, &req, -1, &g);
	if (r != 0 || g == NULL)
		return r;
	*fd = g->iommufd;
	g->iommufd = -1;
	vfiobroker_grant_free(g);
	return *fd >= 0 ? 0 : lib_fail_protocol(h, "no iommufd");
}

int
vfiobroker_release(struct vfiobroker *h, uint64_t lease)
{
	Vfiobroker__Request req;
	Vfiobroker__Release op;

	vfiobroker__request__init(&req);
	vfiobroker__release__init(&op);
	op.lease = lease;
	req.op_case = VFIOBROKER__REQUEST__OP_RELEASE;
	req.release = &op;
	return lib_call(h, &req, -1, NULL);
}

int
vfiobroker_set_memlock(
    struct vfiobroker *h, uint64_t lease, uint64_t memlock, int pidfd)
{
	Vfiobroker__Request req;
	Vfiobroker__SetMemlock op;

	vfiobroker__request__init(&req);
	vfiobroker__set_memlock__init(&op);
	op.lease = lease;
	op.memlock = memlock;
	op.has_pidfd = pidfd >= 0;
	req.op_case = VFIOBROKER__REQUEST__OP_SET_MEMLOCK;
	req.set_memlock = &op;
	return lib_call(h, &req, pidfd, NULL);
}
