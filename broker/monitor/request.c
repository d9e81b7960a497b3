/* SPDX-License-Identifier: ISC */
/*
 * The requests of sessions: a table of type and handler, and the handlers
 * that are short.  A record has passed monmsg_check_request() before it comes
 * here; that its sender may ask what it asks is for the handler to see to.
 */

#include "request.h"

#include "acquire.h"
#include "cdev.h"
#include "check.h"
#include "config.h"
#include "explain.h"
#include "inventory.h"
#include "lease.h"
#include "life.h"
#include "memlock.h"
#include "opening.h"
#include "policyload.h"
#include "revoke.h"
#include "usage.h"
#include "vfio.h"

#include <bsd/string.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NOBODY UINT32_MAX

bool
request_admin(const struct session *s)
{
	return !s->peer.foreign &&
	       (s->peer.who.uid == 0 ||
		   policy_is_admin(policy_current(), &s->peer.who));
}

uint32_t
request_features(void)
{
	return MON_FEATURE_GROUP | (vfio_available() ? MON_FEATURE_VFIO : 0) |
	       (vfio_has_iommufd() ? MON_FEATURE_IOMMUFD : 0);
}

/* ---- devices ---------------------------------------------------------- */

static uint32_t
device_flags(const struct session *s, const struct device *d)
{
	return (d->facts.is_vf ? MON_DEVICE_VF : 0) |
	       (d->is_pf ? MON_DEVICE_PF : 0) |
	       (d->is_bridge ? MON_DEVICE_BRIDGE : 0) |
	       (d->claimed ? MON_DEVICE_CLAIMED : 0) |
	       (d->lease != NULL && d->lease->uid == s->peer.who.uid
		       ? MON_DEVICE_MINE
		       : 0) |
	       (!s->peer.foreign && check_allows(&s->peer.who, d)
		       ? MON_DEVICE_ALLOWED
		       : 0);
}

static void
device_send(struct session *s, const struct device *d, bool admin)
{
	const struct lease *l = d->lease;
	struct mon_device m = { .bdf = d->facts.bdf,
		.vendor = d->facts.vendor,
		.device = d->facts.device,
		.class = d->facts.class,
		.group = d->facts.group,
		.numa = d->numa,
		.state = d->state,
		.flags = device_flags(s, d),
		.owner = NOBODY };

	if (d->facts.is_vf)
		m.pf = d->facts.pf;
	if (l != NULL && (admin || l->uid == s->peer.who.uid)) {
		m.lease = l->id;
		m.owner = l->uid;
	}
	strlcpy(m.driver, d->driver, sizeof(m.driver));
	/* It can name a user and a process: for those it concerns. */
	if (admin || m.flags & (MON_DEVICE_MINE | MON_DEVICE_ALLOWED))
		strlcpy(m.why, d->why, sizeof(m.why));
	session_send(s, MON_DEVICE, &m, NULL, 0);
}

static void
request_list_devices(struct session *s, const void *record)
{
	bool admin = request_admin(s);
	const struct device *d;

	(void)record;
	TAILQ_FOREACH(d, &inventory, entry)
		device_send(s, d, admin);
	session_end(s, STATUS_OK);
}

/* ---- leases ----------------------------------------------------------- */

static void
lease_send(struct session *s, const struct lease *l)
{
	struct mon_lease m = { .id = l->id,
		.since = l->since,
		.memlock = l->memlock,
		.uid = l->uid,
		.pid = (uint32_t)l->pid,
		.flags = (l->revoking ? MON_LEASE_REVOKING : 0) |
			 (l->iommufd ? MON_LEASE_IOMMUFD : 0) };
	const struct device *d;

	TAILQ_FOREACH(d, &l->devices, of_lease) {
		if (m.ndevices < MON_MAX_DEVICES)
			m.devices[m.ndevices++] = d->facts.bdf;
	}
	strlcpy(m.comm, lease_command(l), sizeof(m.comm));
	strlcpy(m.label, l->label, sizeof(m.label));
	session_send(s, MON_LEASE, &m, NULL, 0);
}

static void
request_list_leases(struct session *s, const void *record)
{
	bool admin = request_admin(s);
	const struct lease *l;

	(void)record;
	TAILQ_FOREACH(l, &leases, entry) {
		if (admin || l->uid == s->peer.who.uid)
			lease_send(s, l);
	}
	session_end(s, STATUS_OK);
}

struct lease *
request_own_lease(struct session *s, uint64_t id)
{
	struct lease *l = lease_find(id);

	if (l != NULL && l->uid == s->peer.who.uid)
		return l;
	/* Another's is not told from none. */
	session_refuse(s, STATUS_NOT_FOUND,
	    "you have no lease %llu (see: vfiobroker status)",
	    (unsigned long long)id);
	return NULL;
}

static void
request_release(struct session *s, const void *record)
{
	const struct mon_release *m = record;
	struct lease *l = request_own_lease(s, m->lease);

	if (l == NULL)
		return;
	lease_end(l, "released by its owner");
	session_end(s, STATUS_OK);
}

/* 0 where no line is about it: a sibling that came along. */
static enum status
memlock_verdict(struct session *s, const struct device *d,
    const struct policy_usage *usage, uint64_t memlock,
    struct policy_decision *dec)
{
	check_decide_one(&s->peer.who, d, false, usage, memlock, dec);
	if (dec->verdict == POLICY_ALLOW || dec->verdict == POLICY_NO_RULE)
		return STATUS_OK;
	return dec->verdict == POLICY_LIMIT ? STATUS_LIMIT : STATUS_DENIED;
}

static void
say_no_line(struct texts *texts, const struct lease *l)
{
	texts_add(texts, MON_TEXT_WHY,
	    "no line of the policy is about a device of lease %llu, so none "
	    "says how much memory it may lock\n"
	    "an administrator can add one (see: vfiobroker explain)",
	    (unsigned long long)l->id);
}

/* The ceiling is the policy's, for the devices that the lease has now. */
static bool
memlock_allowed(struct session *s, const struct lease *l, uint64_t memlock)
{
	struct texts texts = STAILQ_HEAD_INITIALIZER(texts);
	enum status status = STATUS_DENIED; /* when no line is about it */
	struct policy_usage usage;
	const struct device *d;

	if (usage_of(l->uid, l, true, &usage) != 0) {
		session_end(s, STATUS_INTERNAL);
		return false;
	}
	TAILQ_FOREACH(d, &l->devices, of_lease) {
		struct policy_decision dec;
		enum status one = memlock_verdict(s, d, &usage, memlock, &dec);

		if (one != STATUS_OK)
			check_say_decision(&texts, l->uid, d, &dec);
		if (one != STATUS_OK || dec.verdict == POLICY_ALLOW)
			status = one;
		if (one != STATUS_OK)
			break;
	}
	usage_clear(&usage);
	if (status != STATUS_OK) {
		if (STAILQ_EMPTY(&texts))
			say_no_line(&texts, l);
		texts_send(&texts, s);
		session_end(s, status);
	}
	texts_clear(&texts);
	return status == STATUS_OK;
}

int
request_target(const struct session *s)
{
	return s->pidfd != -1 ? s->pidfd : s->peer.pidfd;
}

enum status
request_say_memlock(struct session *s, int error)
{
	session_say(s, MON_TEXT_WHY,
	    "cannot raise the limit of locked memory: %s\n%s",
	    memlock_why(error), memlock_fix(error));
	return error == -EACCES ? STATUS_DENIED : STATUS_OS;
}

static void
request_set_memlock(struct session *s, const void *record)
{
	const struct mon_set_memlock *m = record;
	struct lease *l = request_own_lease(s, m->lease);
	uint64_t now;
	int r;

	if (l == NULL || !memlock_allowed(s, l, m->memlock))
		return;
	r = memlock_raise(request_target(s), s->peer.who.uid, m->memlock, &now);
	if (r != 0) {
		session_end(s, request_say_memlock(s, r));
		return;
	}
	lease_raise(l, m->memlock);
	session_end(s, STATUS_OK);
}

/* ---- for administrators and watchers ----------------------------------- */

static bool
admin_only(struct session *s, const char *what)
{
	if (request_admin(s))
		return true;
	session_refuse(s, STATUS_DENIED,
	    "only administrators may %s: the policy has no `admin' line for "
	    "uid %u\n"
	    "have one do it, or add to %s: admin uid %u",
	    what, s->peer.who.uid, config.policy, s->peer.who.uid);
	return false;
}

static void
request_show_policy(struct session *s, const void *record)
{
	char *text = NULL;
	size_t len;
	FILE *out;

	(void)record;
	out = open_memstream(&text, &len);
	if (out == NULL) {
		session_end(s, STATUS_INTERNAL);
		return;
	}
	policy_print(policy_current(), out, true);
	if (fclose(out) == 0) {
		session_lines(s, text);
	} else {
		free(text);
		session_end(s, STATUS_INTERNAL);
	}
}

static void
request_watch(struct session *s, const void *record)
{
	(void)record;
	s->watching = true;
	session_end(s, STATUS_OK);
}

/*
 * An administrator answers for the device: what could not be reset is taken
 * as reset, but that nobody holds it is proven all the same.
 */
static void
request_recover(struct session *s, const void *record)
{
	const struct mon_recover *m = record;
	struct device *d = inventory_find(&m->device);
	char name[BDF_STRLEN];

	if (d == NULL || d->state != STATE_QUARANTINED) {
		bdf_format(&m->device, name);
		session_refuse(s, STATUS_NOT_FOUND,
		    "%s is not in quarantine (see: vfiobroker show %s)", name,
		    name);
		return;
	}
	d->record.reset_none = true;
	d->unreadable = false; /* the administrator has had a look */
	(void)life_keep_record(d); /* workers go on from it; told there */
	life_event(d, LIFE_RECOVER, session_who(s));
	session_end(s, STATUS_OK);
}

/* ---- the table -------------------------------------------------------- */

static const struct {
	void (*run)(struct session *, const void *record);
	const char *admins; /* may do that, and nobody else; NULL: all may */
} handlers[MON_WELCOME] = {
	[MON_LIST_DEVICES] = { request_list_devices, NULL },
	[MON_LIST_LEASES] = { request_list_leases, NULL },
	[MON_ACQUIRE] = { acquisition_start, NULL },
	[MON_OPEN_GROUP] = { opening_start, NULL },
	[MON_RELEASE] = { request_release, NULL },
	[MON_SET_MEMLOCK] = { request_set_memlock, NULL },
	[MON_EXPLAIN] = { explain_request, NULL },
	[MON_SHOW_POLICY] = { request_show_policy, "see the whole policy" },
	[MON_REVOKE] = { revoke_start, "revoke leases" },
	[MON_WATCH] = { request_watch, NULL },
	[MON_RECOVER] = { request_recover, "clear a quarantine" },
	[MON_OPEN_DEVICE] = { cdev_open, NULL },
	[MON_OPEN_IOMMUFD] = { cdev_open_iommufd, NULL },
};

void
request_dispatch(struct session *s, const void *record, int fd)
{
	const struct mon_header *h = record;

	s->pidfd = fd;
	if (handlers[h->type].admins == NULL ||
	    admin_only(s, handlers[h->type].admins))
		handlers[h->type].run(s, record);
}
