/* SPDX-License-Identifier: ISC */
/*
 * Lists of devices and leases.  Must never hand out part of a list: an array
 * is the caller's when the whole answer has come, and freed otherwise.
 */

#include "lib.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct list {
	char *items;
	size_t size; /* of one */
	size_t n;
	size_t room;
	int (*read)(void *to, const Vfiobroker__Reply *);
};

static int
read_device(void *to, const Vfiobroker__Reply *reply)
{
	struct vfiobroker_device *d = to;
	const Vfiobroker__Device *in = reply->device;

	if (reply->body_case != VFIOBROKER__REPLY__BODY_DEVICE ||
	    in->bdf == NULL || in->vendor > 0xffff || in->device > 0xffff ||
	    in->class_ > 0xffffff || in->group < -1 || in->numa < -1)
		return -EPROTO;
	d->is_vf = in->pf != NULL;
	d->is_pf = in->is_pf;
	d->is_bridge = in->is_bridge;
	d->claimed = in->claimed;
	d->mine = in->mine;
	d->allowed = in->allowed;
	d->vendor = (uint16_t)in->vendor;
	d->device = (uint16_t)in->device;
	d->class_code = in->class_;
	d->group = in->group;
	d->numa = in->numa;
	d->lease = in->lease;
	d->has_owner = in->has_owner;
	d->owner = in->owner;
	if (lib_bdf(&d->bdf, in->bdf) != 0 || lib_bdf(&d->pf, in->pf) != 0 ||
	    lib_string(d->state, sizeof(d->state), in->state) != 0 ||
	    lib_string(d->driver, sizeof(d->driver), in->driver) != 0 ||
	    lib_string(d->why, sizeof(d->why), in->why) != 0)
		return -EPROTO;
	return 0;
}

static int
read_lease(void *to, const Vfiobroker__Reply *reply)
{
	struct vfiobroker_lease *l = to;
	const Vfiobroker__Lease *in = reply->lease;

	if (reply->body_case != VFIOBROKER__REPLY__BODY_LEASE ||
	    in->n_devices > VFIOBROKER_MAX_DEVICES || in->since > INT64_MAX)
		return -EPROTO;
	l->id = in->id;
	l->uid = in->uid;
	l->pid = (pid_t)in->pid;
	l->since = (int64_t)in->since;
	l->memlock = in->memlock;
	l->revoking = in->revoking;
	l->iommufd = in->iommufd;
	l->ndevices = in->n_devices;
	for (size_t i = 0; i < in->n_devices; i++)
		if (lib_bdf(&l->devices[i], in->devices[i]) != 0)
			return -EPROTO;
	if (lib_string(l->comm, sizeof(l->comm), in->comm) != 0 ||
	    lib_string(l->label, sizeof(l->label), in->label) != 0)
		return -EPROTO;
	return 0;
}

static int
list_add(void *arg, const Vfiobroker__Reply *reply, int *fds, size_t nfds)
{
	struct list *list = arg;
	void *to;

	(void)fds; /* none */
	if (nfds != 0)
		return -EPROTO;
	if (list->n == list->room) {
		size_t room = list->room == 0 ? 32 : 2 * list->room;
		char *more = reallocarray(list->items, room, list->size);

		if (more == NULL)
			return -ENOMEM;
		list->items = more;
		list->room = room;
	}
	to = list->items + list->n * list->size;
	memset(to, 0, list->size);
	list->n++;
	return list->read(to, reply);
}

/* Asks, and returns the array or NULL. */
static int
list_call(struct vfiobroker *h, Vfiobroker__Request *req, struct list *list)
{
	const struct lib_items items = { list_add, list };
	int r = lib_call(h, req, -1, &items);

	if (r == 0)
		return 0;
	free(list->items);
	list->items = NULL;
	list->n = 0;
	return r;
}

int
vfiobroker_list_devices(
    struct vfiobroker *h, struct vfiobroker_device **out, size_t *n)
{
	struct list list = { .size = sizeof(**out), .read = read_device };
	Vfiobroker__Request req;
	Vfiobroker__ListDevices op;
	int r;

	vfiobroker__request__init(&req);
	vfiobroker__list_devices__init(&op);
	req.op_case = VFIOBROKER__REQUEST__OP_LIST_DEVICES;
	req.list_devices = &op;
	r = list_call(h, &req, &list);
	*out = (void *)list.items;
	*n = list.n;
	return r;
}

int
vfiobroker_list_leases(
    struct vfiobroker *h, struct vfiobroker_lease **out, size_t *n)
{
	struct list list = { .size = sizeof(**out), .read = read_lease };
	Vfiobroker__Request req;
	Vfiobroker__ListLeases op;
	int r;

	vfiobroker__request__init(&req);
	vfiobroker__list_leases__init(&op);
	req.op_case = VFIOBROKER__REQUEST__OP_LIST_LEASES;
	req.list_leases = &op;
	r = list_call(h, &req, &list);
	*out = (void *)list.items;
	*n = list.n;
	return r;
}
