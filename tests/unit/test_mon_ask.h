/* SPDX-License-Identifier: ISC */
#ifndef VFIOBROKER_TESTS_TEST_MON_ASK_H
#define VFIOBROKER_TESTS_TEST_MON_ASK_H

/*
 * For tests of what the monitor answers: sessions whose process is the test,
 * a policy that the real loader has read, and VFIO's nodes as the test wants
 * them.  Nothing here is the monitor's but what it is linked with: vfio.c is
 * not, as all of its functions are here.
 */

#include <sys/socket.h>
#include <sys/syscall.h>

#include "broker/common/fdpass.h"
#include "broker/monitor/acquire.h"
#include "broker/monitor/lease.h"
#include "broker/monitor/life.h"
#include "broker/monitor/policyload.h"
#include "broker/monitor/quota.h"
#include "broker/monitor/request.h"
#include "broker/monitor/session.h"
#include "broker/monitor/vfio.h"
#include "tests/unit/loader_peer.h"
#include "tests/unit/test_mon_look.h"
#include "tests/unit/test_mon_work.h"

#define USER 1000U
#define OTHER 1001U

/* ---- VFIO ------------------------------------------------------------- */

static struct {
	int container, group; /* an error of their open, or 0 */
	int iommufd, cdev;
	bool has_iommufd;
	int unheld; /* what a proof finds */
	char hangs[128]; /* a fifo: the group opens when that does; or "" */
} vfio;

bool
vfio_available(void)
{
	return true;
}

int
vfio_open_container(void)
{
	return vfio.container != 0 ? vfio.container
				   : open("/dev/null", O_RDWR | O_CLOEXEC);
}

int
vfio_open_group(int group)
{
	(void)group;
	if (vfio.hangs[0] != '\0')
		(void)open(vfio.hangs, O_RDONLY | O_CLOEXEC);
	return vfio.group != 0 ? vfio.group
			       : open("/dev/null", O_RDWR | O_CLOEXEC);
}

int
vfio_try_group(int group)
{
	int fd = vfio_open_group(group);

	if (fd >= 0)
		close(fd);
	return fd < 0 && fd != -ENODEV ? fd : 0;
}

int
vfio_open_iommufd(void)
{
	return vfio.iommufd != 0 ? vfio.iommufd
				 : open("/dev/null", O_RDWR | O_CLOEXEC);
}

int
vfio_open_cdev(const struct bdf *bdf)
{
	(void)bdf;
	return vfio.cdev != 0 ? vfio.cdev
			      : open("/dev/null", O_RDWR | O_CLOEXEC);
}

bool
vfio_has_iommufd(void)
{
	return vfio.has_iommufd;
}

dev_t
vfio_group_number(int group)
{
	(void)group;
	return 0;
}

int
vfio_group_unheld(int group)
{
	(void)group;
	return vfio.unheld;
}

/* ---- the host, which needs nothing if not told otherwise --------------- */

static struct {
	int error; /* of the look */
	const char *what; /* it needs, for this reason; or NULL */
	enum reason reason;
} host;

static int
look_finds(const struct bdf *bdf,
    void (*found)(void *, enum reason, const char *), void *arg)
{
	(void)bdf;
	if (host.what != NULL)
		found(arg, host.reason, host.what);
	return host.error;
}

/* ---- the monitor ------------------------------------------------------ */

/* Loads it, and again whenever it is another. */
static inline void
ask_policy(const char *text)
{
	static char path[128];

	fixture_file(&tree, text, "etc/policy.conf");
	snprintf(path, sizeof(path), "%s/etc/policy.conf", tree.root);
	config.policy = path;
	config.policy_dir = "/nonexistent";
	ck_assert_int_eq(policyload_init(), 0);
}

static inline void
ask_setup(const char *policy)
{
	static char path[128];

	work_setup();
	snprintf(path, sizeof(path), "%s/run", tree.root);
	config.rundir = path;
	life_init();
	ck_assert_int_eq(acquisition_init(), 0);
	loader_use(&tree);
	ask_policy(policy);
	ck_assert_int_eq(lease_init(), 0);
}

/* ---- a session -------------------------------------------------------- */

/* What one request was answered, texts with a newline each. */
struct answer {
	int fd; /* its session's other end */
	bool ended;
	enum status status;
	char why[2048], fix[2048];
	struct mon_grant grant;
	struct mon_lease lease; /* the last of them */
	unsigned nleases;
	struct mon_device device; /* so is this */
	unsigned ndevices, nevents;
	int fds[MON_MAX_FDS];
	size_t nfds;
};

static inline void
ask_nothing(void *arg)
{
	(void)arg;
}

/* A session of a user's, and where its answers come out. */
static inline struct session *
ask_session(uid_t uid, struct answer *a)
{
	struct session *s = calloc(1, sizeof(*s));
	int pair[2];

	ck_assert_ptr_nonnull(s);
	ck_assert_int_eq(
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
	s->peer =
	    (struct peer){ .who.uid = uid, .pid = getpid(), .comm = "test" };
	s->peer.pidfd = (int)syscall(SYS_pidfd_open, getpid(), 0);
	s->pid = s->clientfd = s->pidfd = -1;
	s->fd = pair[0];
	STAILQ_INIT(&s->queue);
	ck_assert_int_eq(quota_connect(&s->account, uid, 64, clock_us()), 0);
	ck_assert_int_eq(loop_event(&s->later, -1, 0, ask_nothing, s), 0);
	ck_assert_int_eq(loop_event(&s->readable, -1, 0, ask_nothing, s), 0);
	TAILQ_INSERT_TAIL(&sessions, s, entry);
	*a = (struct answer){ .fd = pair[1] };
	return s;
}

static inline void
answer_text(struct answer *a, const struct mon_text *t)
{
	char *to = t->kind == MON_TEXT_FIX ? a->fix : a->why;

	ck_assert(t->kind == MON_TEXT_FIX || t->kind == MON_TEXT_WHY);
	ck_assert_uint_lt(strlen(to) + strlen(t->text) + 1, sizeof(a->why));
	strcat(to, t->text);
	if (!t->more)
		strcat(to, "\n");
}

static inline void
answer_record(struct answer *a, const void *record, size_t len)
{
	const struct mon_header *h = record;

	ck_assert(monmsg_check_answer(record, len));
	switch (h->type) {
	case MON_TEXT:
		answer_text(a, record);
		break;
	case MON_GRANT:
		memcpy(&a->grant, record, sizeof(a->grant));
		break;
	case MON_LEASE:
		memcpy(&a->lease, record, sizeof(a->lease));
		a->nleases++;
		break;
	case MON_DEVICE:
		memcpy(&a->device, record, sizeof(a->device));
		a->ndevices++;
		break;
	case MON_EVENT:
		a->nevents++;
		break;
	case MON_END:
		a->status = ((const struct mon_end *)record)->status;
		a->ended = true;
		break;
	default:
		ck_abort_msg("a record of type %u", h->type);
	}
}

/* Takes what there is of it by now; true when that is all. */
static inline bool
is_answered(void *arg)
{
	uint64_t record[MON_MAX_SIZE / sizeof(uint64_t)];
	struct answer *a = arg;
	int fds[MON_MAX_FDS];
	size_t nfds;
	ssize_t n;

	while (!a->ended) {
		nfds = MON_MAX_FDS;
		n = fdpass_recv(
		    a->fd, record, sizeof(record), fds, &nfds, MSG_DONTWAIT);
		if (n == -EAGAIN)
			break;
		ck_assert_int_gt(n, 0);
		for (size_t i = 0; i < nfds; i++)
			a->fds[a->nfds++] = fds[i];
		answer_record(a, record, (size_t)n);
	}
	return a->ended;
}

static inline void
answer_wait(struct answer *a)
{
	loop_until("an answer", is_answered, a);
}

/* Asks, as the session's process would; the answer may come later. */
static inline void
ask(struct session *s, struct answer *a, void *record, uint32_t type)
{
	struct mon_header *h = record;

	*a = (struct answer){ .fd = a->fd };
	*h = (struct mon_header){ .type = type, .seq = ++s->seq };
	ck_assert(monmsg_check_request(record, monmsg_size(type)));
	s->busy = true;
	request_dispatch(s, record, -1);
}

/* For devices of bus 1 by their numbers, as many as there are. */
static inline struct mon_acquire
ask_for(unsigned n)
{
	struct mon_acquire m = { .ndevices = n };

	for (unsigned i = 0; i < n; i++)
		m.devices[i] =
		    (struct bdf){ .bus = 1, .dev = i / 8 & 31, .fn = i & 7 };
	return m;
}

static inline unsigned
fds_open(void)
{
	unsigned n = 0;

	for (int fd = 0; fd < 1024; fd++)
		n += fcntl(fd, F_GETFD) != -1;
	return n;
}

#endif
