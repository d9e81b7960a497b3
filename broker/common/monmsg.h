/* SPDX-License-Identifier: ISC */
#ifndef VFIOBROKER_MONMSG_H
#define VFIOBROKER_MONMSG_H

/*
 * The records between session and monitor.
 *
 * One record is one SOCK_SEQPACKET packet and one struct below, of exactly
 * its size.  A record is canonical: padding and unused array entries are
 * zero, enums in range, text NUL-terminated printable ASCII with zeroes behind
 * the NUL.  What is not canonical ends the session (monmsg_check_request()).
 *
 * The session asks, one request at a time; the monitor answers with any number
 * of items and then exactly one struct mon_end with the request's seq.  Only
 * struct mon_event comes unasked, to a session that asked to watch.  First of
 * all comes one struct mon_welcome.
 *
 * Strings go one way, from the monitor to the session, but for one bounded
 * label.  Devices are numbers.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bdf.h"

#define MON_MAX_DEVICES 16 /* in one lease */
#define MON_MAX_FDS 18 /* lease, container or iommufd, one per device */
#define MON_LABEL_MAX 32
#define MON_NAME_MAX 32
#define MON_TEXT_MAX 232

enum mon_type {
	/* session -> monitor */
	MON_LIST_DEVICES = 1,
	MON_LIST_LEASES,
	MON_ACQUIRE,
	MON_OPEN_GROUP,
	MON_RELEASE,
	MON_SET_MEMLOCK,
	MON_EXPLAIN,
	MON_SHOW_POLICY,
	MON_REVOKE,
	MON_WATCH,
	MON_RECOVER, /* admins: try a quarantined device again */
	MON_OPEN_DEVICE,
	MON_OPEN_IOMMUFD,
	/* monitor -> session */
	MON_WELCOME = 64,
	MON_DEVICE,
	MON_LEASE,
	MON_GRANT,
	MON_TEXT,
	MON_EVENT,
	MON_END,
	MON_TYPE_COUNT,
};

struct mon_header {
	uint32_t type; /* enum mon_type */
	uint32_t seq; /* the session's, echoed; 0 in events and welcome */
};

/* ---- requests --------------------------------------------------------- */

/* LIST_DEVICES, LIST_LEASES, SHOW_POLICY, WATCH carry nothing more. */
struct mon_plain {
	struct mon_header h;
};

#define MON_ACQUIRE_NO_WAIT 1U /* do not wait for a device on its way */
#define MON_ACQUIRE_UNMANAGED 2U /* must be on a vfio driver already */
#define MON_ACQUIRE_IOMMUFD 4U /* by iommufd and cdevs, not by groups */
#define MON_ACQUIRE_FLAGS 7U

/* ACQUIRE.  May carry one fd: the pidfd of the process whose limit to raise;
 * without it the connected process is meant. */
struct mon_acquire {
	struct mon_header h;
	uint64_t lease; /* 0: a new one; else add devices to this one */
	uint64_t memlock; /* bytes wanted as RLIMIT_MEMLOCK; 0: leave it */
	uint32_t flags;
	uint32_t ndevices; /* 1 to MON_MAX_DEVICES */
	struct bdf devices[MON_MAX_DEVICES]; /* none twice */
	char label[MON_LABEL_MAX]; /* the holder's name for it, may be "" */
};

/* OPEN_GROUP: the group's node once more, for a lease one owns. */
struct mon_open_group {
	struct mon_header h;
	uint64_t lease;
	uint32_t group;
	uint32_t pad;
};

/* OPEN_DEVICE: the cdev of a device once more, for an iommufd lease one owns. */
struct mon_open_device {
	struct mon_header h;
	uint64_t lease;
	struct bdf device;
};

/* OPEN_IOMMUFD: one more of it, for an iommufd lease one owns. */
struct mon_open_iommufd {
	struct mon_header h;
	uint64_t lease;
};

/* RELEASE: give up one's own lease by id.  What its holders still have open
 * keeps the devices draining. */
struct mon_release {
	struct mon_header h;
	uint64_t lease;
};

/* SET_MEMLOCK: raise the limit of the connected process, or of the process of
 * the pidfd that comes along, within the ceiling of the lease. */
struct mon_set_memlock {
	struct mon_header h;
	uint64_t lease;
	uint64_t memlock;
};

#define MON_EXPLAIN_USER 1U /* uid is meant; else the asker */
#define MON_EXPLAIN_MANAGED 2U /* as if a rebind were needed */
#define MON_EXPLAIN_FLAGS 3U

struct mon_explain {
	struct mon_header h;
	uint64_t memlock;
	struct bdf device;
	uint32_t flags;
	uint32_t uid;
	uint32_t ngids; /* with MON_EXPLAIN_USER: that user's groups */
	uint32_t gids[33];
};

struct mon_revoke {
	struct mon_header h;
	uint64_t lease;
	uint32_t grace_ms;
	uint32_t pad;
};

struct mon_recover {
	struct mon_header h;
	struct bdf device;
};

/* ---- answers ---------------------------------------------------------- */

#define MON_FEATURE_GROUP 1U /* VFIO group and container */
#define MON_FEATURE_VFIO 2U /* the kernel has VFIO and an IOMMU */
#define MON_FEATURE_IOMMUFD 4U /* the kernel has iommufd */
#define MON_FEATURES 7U

/* Carries one fd: the client's connected socket. */
struct mon_welcome {
	struct mon_header h;
	uint32_t uid; /* the peer, as the kernel said */
	uint32_t pid;
	uint32_t admin; /* 0 or 1 */
	uint32_t features;
};

#define MON_DEVICE_VF 1U
#define MON_DEVICE_PF 2U
#define MON_DEVICE_BRIDGE 4U
#define MON_DEVICE_CLAIMED 8U /* by a claim line */
#define MON_DEVICE_MINE 16U /* leased to the asker's uid */
#define MON_DEVICE_ALLOWED 32U /* the policy has an allow for the asker */
#define MON_DEVICE_FLAGS 63U

struct mon_device {
	struct mon_header h;
	struct bdf bdf;
	struct bdf pf; /* of a VF, else zero */
	uint64_t lease; /* 0: none; shown to its owner and admins only */
	uint16_t vendor;
	uint16_t device;
	uint32_t class;
	int32_t group; /* -1: none */
	int32_t numa; /* -1: none */
	uint32_t state; /* enum state */
	uint32_t flags;
	uint32_t owner; /* uid, when leased and visible; else 0xffffffff */
	uint32_t pad;
	char driver[MON_NAME_MAX]; /* "": none */
	char why[MON_TEXT_MAX]; /* what it waits for, for whom, since when */
};

#define MON_LEASE_REVOKING 1U
#define MON_LEASE_IOMMUFD 2U /* its devices are lent as cdevs */
#define MON_LEASE_FLAGS 3U

struct mon_lease {
	struct mon_header h;
	uint64_t id;
	uint64_t since; /* seconds since the epoch */
	uint64_t memlock; /* ceiling in bytes */
	uint32_t uid;
	uint32_t pid; /* who acquired it */
	uint32_t flags;
	uint32_t ndevices;
	struct bdf devices[MON_MAX_DEVICES];
	char comm[MON_NAME_MAX];
	char label[MON_LABEL_MAX];
};

enum mon_fd_kind {
	MON_FD_LEASE = 1,
	MON_FD_CONTAINER,
	MON_FD_GROUP,
	MON_FD_IOMMUFD,
	MON_FD_DEVICE, /* a cdev */
	MON_FD_KIND_COUNT,
};

/* GRANT carries nfds fds; fds[i] says what the i-th is. */
struct mon_grant {
	struct mon_header h;
	uint64_t lease;
	uint64_t memlock; /* the soft limit now in force; 0: not touched */
	uint32_t nfds;
	uint32_t pad;
	struct {
		uint32_t kind; /* enum mon_fd_kind */
		int32_t group; /* of MON_FD_GROUP, else -1 */
		struct bdf device; /* of MON_FD_DEVICE, else zero */
	} fds[MON_MAX_FDS];
};

enum mon_text_kind {
	MON_TEXT_WHY = 1, /* one sentence of a refusal */
	MON_TEXT_FIX, /* what would mend it */
	MON_TEXT_DECISION, /* explain: the outcome */
	MON_TEXT_RULE, /* explain: the deciding line, then others like it */
	MON_TEXT_NEAR, /* explain: a line that nearly matched, why not */
	MON_TEXT_LIMIT, /* explain: a limit line that applies */
	MON_TEXT_REASON, /* explain: a guard reason, by name */
	MON_TEXT_SIBLING, /* explain: another member of the group */
	MON_TEXT_STEP, /* explain: what acquire would do, in order */
	MON_TEXT_POLICY, /* show policy: a piece of the canonical text */
	MON_TEXT_KIND_COUNT,
};

/* A line longer than one record goes on in the next: more = 1. */
struct mon_text {
	struct mon_header h;
	uint32_t kind; /* enum mon_text_kind */
	uint32_t more;
	char text[MON_TEXT_MAX];
};

enum mon_event_kind {
	MON_EVENT_DEVICE = 1, /* appeared, vanished, changed state */
	MON_EVENT_LEASE, /* granted, ended, revoking */
	MON_EVENT_POLICY, /* reloaded or refused */
	MON_EVENT_KIND_COUNT,
};

struct mon_event {
	struct mon_header h;
	uint64_t number; /* counts from the broker's start, no gaps */
	uint64_t time_us; /* since the epoch */
	uint64_t duration_us; /* spent in the state that was left */
	uint64_t lease;
	struct bdf device; /* zero for lease and policy events */
	uint32_t kind;
	uint32_t from; /* enum state, of device events */
	uint32_t to;
	uint32_t uid; /* who owns the lease, else 0xffffffff */
	char text[MON_TEXT_MAX]; /* why */
};

struct mon_end {
	struct mon_header h;
	uint32_t status; /* enum status */
	uint32_t pad;
};

/* ---- checking --------------------------------------------------------- */

#define MON_MAX_SIZE 512 /* of any record; a build assertion holds it */

/* Exact size of a type's record, 0 for an unknown type. */
size_t monmsg_size(uint32_t type);

/* Whether len bytes are a canonical record, and a request resp. an answer. */
bool monmsg_check_request(const void *, size_t len);
bool monmsg_check_answer(const void *, size_t len);

/* The fds a record may carry at most, for the receiver to compare. */
unsigned monmsg_max_fds(uint32_t type);

#endif
