/* SPDX-License-Identifier: ISC */
/*
 * Questions whose answer is text, and what only admins may do.  The texts stay
 * in the handle for vfiobroker_texts().
 */

#include "lib.h"

#include <errno.h>
#include <string.h>

int
vfiobroker_explain(struct vfiobroker *h, const struct vfiobroker_bdf *device,
    uint64_t memlock, bool managed, const struct vfiobroker_about *about)
{
	Vfiobroker__Request req;
	Vfiobroker__Explain op;
	Vfiobroker__Bdf bdf;

	vfiobroker__request__init(&req);
	vfiobroker__explain__init(&op);
	lib_bdf_fill(&bdf, device);
	op.device = &bdf;
	op.memlock = memlock;
	op.managed = managed;
	if (about != NULL) {
		op.has_user = true;
		op.uid = about->uid;
		op.n_gids = about->ngids;
		/* gid_t is this type; only read, when it is packed. */
		memcpy(&op.gids, &about->gids, sizeof(op.gids));
	}
	req.op_case = VFIOBROKER__REQUEST__OP_EXPLAIN;
	req.explain = &op;
	return lib_call(h, &req, -1, NULL);
}
_Static_assert(sizeof(gid_t) == sizeof(uint32_t), "gids are sent as uint32");

int
vfiobroker_show_policy(struct vfiobroker *h)
{
	Vfiobroker__Request req;
	Vfiobroker__ShowPolicy op;

	vfiobroker__request__init(&req);
	vfiobroker__show_policy__init(&op);
	req.op_case = VFIOBROKER__REQUEST__OP_SHOW_POLICY;
	req.show_policy = &op;
	return lib_call(h, &req, -1, NULL);
}

int
vfiobroker_revoke(struct vfiobroker *h, uint64_t lease, unsigned grace_ms)
{
	Vfiobroker__Request req;
	Vfiobroker__Revoke op;

	vfiobroker__request__init(&req);
	vfiobroker__revoke__init(&op);
	op.lease = lease;
	op.grace_ms = grace_ms;
	req.op_case = VFIOBROKER__REQUEST__OP_REVOKE;
	req.revoke = &op;
	return lib_call(h, &req, -1, NULL);
}

int
vfiobroker_recover(struct vfiobroker *h, const struct vfiobroker_bdf *device)
{
	Vfiobroker__Request req;
	Vfiobroker__Recover op;
	Vfiobroker__Bdf bdf;

	vfiobroker__request__init(&req);
	vfiobroker__recover__init(&op);
	lib_bdf_fill(&bdf, device);
	op.device = &bdf;
	req.op_case = VFIOBROKER__REQUEST__OP_RECOVER;
	req.recover = &op;
	return lib_call(h, &req, -1, NULL);
}
