/* SPDX-License-Identifier: ISC */
/*
 * From "I want these devices" to the fds in one message.
 *
 * A request is checked anew each time it is looked at, as policy, group and
 * host may have changed while it waited.  Nothing is opened before all of its
 * devices are ready, and nothing stays open here after they were sent.
 */

#include "acquire.h"

#include "broker/common/log.h"
#include "check.h"
#include "config.h"
#include "fault.h"
#include "handover.h"
#include "inventory.h"
#include "lease.h"
#include "life.h"
#include "loop.h"
#include "memlock.h"
#include "quota.h"
#include "request.h"
#include "session.h"
#include "vfio.h"
#include "watch.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* How long a request may wait for a device on its way, beside the time that
 * its own workers may take. */
#define WAIT_SECONDS 20

struct acquisition {
	TAILQ_ENTRY(acquisition) entry;
	struct session *session;
	struct mon_acquire req;
	struct event *timeout;
	struct hostuse *look; /* under way, or done and not yet used */
	bool impatient; /* no more waiting */
	enum status failure; /* with why, when a claim failed */
	char failed[WHY_MAX + 64];
};

static TAILQ_HEAD(, acquisition) waiting = TAILQ_HEAD_INITIALIZER(waiting);
static struct event *poke_event;

/* ---- ending ----------------------------------------------------------- */

/* Only what it wanted settles: others are no business of its end. */
static void
unwant(const struct acquisition *a)
{
	struct device *d, *next;

	TAILQ_FOREACH_SAFE(d, &inventory, entry, next) {
		if (d->wanted == a)
			life_unwanted(d);
	}
	acquisition_poke();
}

void
acquisition_drop(struct acquisition *a)
{
	TAILQ_REMOVE(&waiting, a, entry);
	a->session->acquisition = NULL;
	unwant(a);
	loop_free(&a->timeout);
	hostuse_drop(&a->look);
	free(a);
}

static void
acquisition_end(struct acquisition *a, enum status status)
{
	struct session *s = a->session;
	char unsaid[LOG_UNSAID_MAX];

	if (status != STATUS_OK &&
	    log_limit(quota_log(s->account), clock_us(), unsaid))
		log_info("%s: acquire refused: %s%s", session_who(s),
		    status_name(status), unsaid);
	acquisition_drop(a);
	session_end(s, status);
}

void
acquisition_failed(struct acquisition *a, const struct device *d,
    const char *why, enum status status)
{
	a->failure = status;
	snprintf(a->failed, sizeof(a->failed),
	    "%s could not be moved to vfio-pci: %s", device_name(d), why);
}

/* ---- granting --------------------------------------------------------- */

/* All of them, or none. */
static int
lend_members(struct lease *l, const struct check *c)
{
	char why[80];
	size_t i;
	int r = 0;

	snprintf(why, sizeof(why), "lease %llu of uid %u, pid %d (%s)",
	    (unsigned long long)l->id, l->uid, l->pid, l->comm);
	for (i = 0; r == 0 && i < c->nmembers; i++) {
		struct device *d = c->members[i].device;

		d->record.reset_none = c->members[i].terms.reset_none;
		d->record.cdev = l->iommufd && c->members[i].asked;
		d->record.rebind = l->iommufd || vfio_has_iommufd();
		r = life_lend(d, l, why);
	}
	for (; r != 0 && i > 0; i--) {
		struct device *d = c->members[i - 1].device;

		if (d->lease == l)
			life_take_back(d);
	}
	return r;
}

static int
raise_memlock(struct acquisition *a, struct handover *h)
{
	if (a->req.memlock == 0)
		return 0;
	return memlock_raise(request_target(a->session),
	    a->session->peer.who.uid, a->req.memlock, &h->grant.memlock);
}

/* An existing lease's holder has its fd already: only new ones get one. */
static int
make_lease(struct acquisition *a, struct check *c, struct handover *h)
{
	struct lease *l = c->lease;
	int fd = -1, r = 0;

	if (l == NULL)
		r = lease_create(&a->session->peer, &a->req, &l, &fd);
	else
		lease_raise(l, a->req.memlock);
	if (r == 0 && fd != -1)
		r = handover_add(h, fd, MON_FD_LEASE);
	if (r == 0)
		r = lend_members(l, c);
	if (r != 0 && l != c->lease)
		lease_end(l, "nothing could be lent");
	if (r != 0)
		return r;
	h->grant.lease = l->id;
	watch_lease(l, c->lease == NULL ? "granted" : "extended");
	return 0;
}

/* Its file, or a device's record, without which nobody would know of it. */
static enum status
refuse_lease(struct acquisition *a, int r)
{
	bool full = r == -ENOSPC || r == -EDQUOT;

	session_say(a->session, MON_TEXT_WHY,
	    full ? "cannot write down the lease in %s: %s\n"
		   "an administrator can make room there (see: df %s; df -i %s)"
		 : "cannot write down the lease in %s: %s\n"
		   "an administrator can see what is wrong there (ls -lR %s; "
		   "df %s)",
	    config.rundir, strerror(-r), config.rundir, config.rundir);
	return STATUS_OS;
}

/* All that is to be sent, or said why not. */
static enum status
acquisition_lend(struct acquisition *a, struct check *c, struct handover *h)
{
	int r = handover_open(h, c, a->req.flags & MON_ACQUIRE_IOMMUFD);

	if (r != 0)
		return handover_refuse(h, a->session, r);
	r = raise_memlock(a, h);
	if (r != 0)
		return request_say_memlock(a->session, r);
	r = make_lease(a, c, h);
	return r != 0 ? refuse_lease(a, r) : STATUS_OK;
}

static void
acquisition_grant(struct acquisition *a, struct check *c)
{
	struct handover h = { .n = 0 };
	enum status status = acquisition_lend(a, c, &h);

	if (status != STATUS_OK) {
		handover_close(&h);
		acquisition_end(a, status);
		return;
	}
	FAULT("grant:before");
	session_send(a->session, MON_GRANT, &h.grant, h.fds, h.n);
	FAULT("grant:sent");
	acquisition_end(a, STATUS_OK);
	FAULT("grant:ended");
}

/* ---- trying ----------------------------------------------------------- */

/* True when all are ready; otherwise their claims are under way. */
static bool
claim_members(struct acquisition *a, struct check *c)
{
	bool ready = true;

	for (size_t i = 0; i < c->nmembers; i++) {
		struct device *d = c->members[i].device;

		life_settle(d); /* it may be on vfio-pci without us */
		d->wanted = a;
		if (d->state == STATE_HOST)
			life_event(d, LIFE_CLAIM, session_who(a->session));
		ready = ready && d->state == STATE_READY;
	}
	return ready;
}

static struct check
acquisition_check(struct acquisition *a)
{
	struct check c = { .who = a->session->peer.who,
		.foreign = a->session->peer.foreign,
		.lease = a->req.lease == 0 ? NULL : lease_find(a->req.lease),
		.asker = a,
		.look = a->look,
		.bdfs = a->req.devices,
		.nbdfs = a->req.ndevices,
		.memlock = a->req.memlock,
		.unmanaged = a->req.flags & MON_ACQUIRE_UNMANAGED };

	check_run(&c);
	return c;
}

static void
acquisition_seen(void *arg)
{
	(void)arg;
	acquisition_poke();
}

/* One at a time; the next one if others are wanted by then. */
static void
acquisition_look(struct acquisition *a, const struct check *c)
{
	if (a->look != NULL && !hostuse_done(a->look))
		return;
	hostuse_drop(&a->look);
	a->look = hostuse_look(a->session->peer.who.uid, c->to_see, c->nto_see,
	    acquisition_seen, a);
	if (a->look == NULL)
		acquisition_end(a, STATUS_INTERNAL);
}

static void
acquisition_try(struct acquisition *a)
{
	struct check c;

	if (a->failed[0] != '\0') {
		session_say(a->session, MON_TEXT_WHY, "%s\n%s", a->failed,
		    a->failure == STATUS_BUSY
			? "try again in a moment"
			: "an administrator can see more in the logs "
			  "(journalctl -u vfiobrokerd; dmesg)");
		acquisition_end(a, a->failure);
		return;
	}
	if (a->req.lease != 0 && lease_find(a->req.lease) == NULL) {
		session_say(a->session, MON_TEXT_WHY,
		    "lease %llu is over\nask for a lease of their own",
		    (unsigned long long)a->req.lease);
		acquisition_end(a, STATUS_NOT_FOUND);
		return;
	}
	c = acquisition_check(a);
	if (!c.unseen) /* a later answer shall not rest on it */
		hostuse_drop(&a->look);
	if (c.unseen) {
		acquisition_look(a, &c);
	} else if (c.pending && c.status == STATUS_OK) {
		/* Its workers report, or are called late: no need to wait
		 * for anything else. */
	} else if (c.status == STATUS_OK) {
		if (claim_members(a, &c))
			acquisition_grant(a, &c);
	} else if (!c.wait || a->impatient) {
		texts_send(&c.texts, a->session);
		acquisition_end(a, c.status);
	}
	texts_clear(&c.texts);
}

static void
poke(void *arg)
{
	struct acquisition *a, *next;

	(void)arg;
	TAILQ_FOREACH_SAFE(a, &waiting, entry, next)
		acquisition_try(a);
}

/* Later in the same turn of the loop: devices change in the middle of other
 * work, and an answer may end a session. */
void
acquisition_poke(void)
{
	if (!TAILQ_EMPTY(&waiting))
		event_active(poke_event, EV_TIMEOUT, 0);
}

int
acquisition_init(void)
{
	return loop_event(&poke_event, -1, 0, poke, NULL);
}

static void
acquisition_timeout(void *arg)
{
	struct acquisition *a = arg;

	a->impatient = true;
	acquisition_try(a);
}

/* The devices of a group must all be in one container, or in one iommufd. */
static bool
may_extend(struct session *s, const struct mon_acquire *req)
{
	const struct lease *l = request_own_lease(s, req->lease);

	if (l == NULL)
		return false;
	if (l->iommufd == !!(req->flags & MON_ACQUIRE_IOMMUFD))
		return true;
	session_refuse(s, STATUS_INVALID,
	    "lease %llu has its devices by %s\n"
	    "ask for more of them %s iommufd, too",
	    (unsigned long long)l->id,
	    l->iommufd ? "iommufd" : "container and groups",
	    l->iommufd ? "with" : "without");
	return false;
}

void
acquisition_start(struct session *s, const void *record)
{
	const struct mon_acquire *req = record;
	struct acquisition *a;

	if (req->lease != 0 && !may_extend(s, req))
		return;
	a = calloc(1, sizeof(*a));
	if (a == NULL ||
	    loop_event(&a->timeout, -1, 0, acquisition_timeout, a) != 0) {
		free(a);
		session_end(s, STATUS_INTERNAL);
		return;
	}
	a->session = s;
	a->req = *req;
	a->impatient = req->flags & MON_ACQUIRE_NO_WAIT;
	s->acquisition = a;
	TAILQ_INSERT_TAIL(&waiting, a, entry);
	loop_timer(a->timeout, (WAIT_SECONDS + config.worker_timeout) * 1000);
	acquisition_try(a);
}
