/* SPDX-License-Identifier: ISC */
#ifndef VFIOBROKER_H
#define VFIOBROKER_H

/*
 * libvfiobroker: get VFIO file descriptors from the broker, as any user.
 *
 * All calls block until the broker answered.  They return 0, or -errno when
 * the broker could not be asked or broke the protocol, or a positive enum
 * vfiobroker_status when it answered and refused.  vfiobroker_error() then has
 * the sentences for a person: what, why, and how to mend it.  One handle is
 * for one thread at a time.
 *
 * fds: every fd in a struct vfiobroker_grant is open, close-on-exec and the
 * grant's; vfiobroker_grant_free() closes those that were not taken out
 * (take one by copying it and setting the field to -1).
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define VFIOBROKER_SOCKET "/run/vfiobroker/vfiobroker.sock"
#define VFIOBROKER_MAX_DEVICES 16

struct vfiobroker_bdf {
	uint32_t domain;
	uint8_t bus;
	uint8_t dev;
	uint8_t fn;
	uint8_t pad; /* zero */
};

enum vfiobroker_status {
	VFIOBROKER_OK,
	VFIOBROKER_NOT_FOUND,
	VFIOBROKER_DENIED,
	VFIOBROKER_IDENTITY,
	VFIOBROKER_HOST_IN_USE,
	VFIOBROKER_GROUP,
	VFIOBROKER_BUSY,
	VFIOBROKER_LIMIT,
	VFIOBROKER_UNAVAILABLE,
	VFIOBROKER_INVALID,
	VFIOBROKER_OS,
	VFIOBROKER_INTERNAL,
};

struct vfiobroker;

/*
 * Connects to the broker and says hello.  path NULL: $VFIOBROKER_SOCKET or the
 * default.  *out is always set when memory suffices, also on failure, so that
 * vfiobroker_error() can say what is wrong; vfiobroker_close() it (NULL is
 * fine).
 */
int vfiobroker_open(struct vfiobroker **out, const char *path);
void vfiobroker_close(struct vfiobroker *);

/* The connection, for poll(2): readable when an event waits. */
int vfiobroker_fd(const struct vfiobroker *);

struct vfiobroker_welcome {
	uint32_t version;
	const char *broker;
	uid_t uid; /* what the kernel told the broker about us */
	pid_t pid;
	bool admin;
	bool vfio;
	bool backend_group;
	bool backend_iommufd; /* the kernel has iommufd, the broker knows it */
};
const struct vfiobroker_welcome *vfiobroker_welcome(const struct vfiobroker *);

enum vfiobroker_text_kind {
	VFIOBROKER_TEXT_WHY = 1,
	VFIOBROKER_TEXT_FIX,
	VFIOBROKER_TEXT_DECISION,
	VFIOBROKER_TEXT_RULE,
	VFIOBROKER_TEXT_NEAR,
	VFIOBROKER_TEXT_LIMIT,
	VFIOBROKER_TEXT_REASON,
	VFIOBROKER_TEXT_SIBLING,
	VFIOBROKER_TEXT_STEP,
	VFIOBROKER_TEXT_POLICY,
};

/*
 * The texts of the last answer, in order: of a refusal why and fix, of
 * explain all kinds, of show_policy the policy.  Valid until the next call.
 */
struct vfiobroker_text {
	enum vfiobroker_text_kind kind;
	const char *text;
};
size_t
vfiobroker_texts(const struct vfiobroker *, const struct vfiobroker_text **);

/* The last failure as lines for stderr, never NULL. */
const char *vfiobroker_error(const struct vfiobroker *);

/* The exit status (sysexits) that a command should end with for result r. */
int vfiobroker_exit_status(int r);

struct vfiobroker_device {
	struct vfiobroker_bdf bdf;
	struct vfiobroker_bdf pf;
	bool is_vf, is_pf, is_bridge, claimed, mine, allowed;
	uint16_t vendor, device;
	uint32_t class_code; /* 24 bits */
	int group, numa; /* -1: none */
	uint64_t lease; /* 0: none or not yours to see */
	bool has_owner;
	uid_t owner;
	char state[16];
	char driver[32];
	char why[232];
};

/* *out is an array of *n, to be freed with free(3); ordered by address. */
int vfiobroker_list_devices(
    struct vfiobroker *, struct vfiobroker_device **out, size_t *n);

struct vfiobroker_lease {
	uint64_t id;
	uid_t uid;
	pid_t pid;
	char comm[32];
	char label[32];
	int64_t since; /* seconds since the epoch */
	uint64_t memlock;
	bool revoking;
	bool iommufd; /* lent as cdevs */
	size_t ndevices;
	struct vfiobroker_bdf devices[VFIOBROKER_MAX_DEVICES];
};

/* One's own leases; all of them for an admin.  As above. */
int vfiobroker_list_leases(
    struct vfiobroker *, struct vfiobroker_lease **out, size_t *n);

struct vfiobroker_request {
	const struct vfiobroker_bdf *devices;
	size_t ndevices;
	uint64_t memlock; /* bytes for RLIMIT_MEMLOCK, 0: leave it */
	uint64_t lease; /* 0: a new one; else add devices to this one */
	const char *label; /* NULL or at most 31 printable ASCII */
	bool no_wait;
	bool unmanaged;
	bool iommufd; /* an iommufd and cdevs, no container and groups */
	int pidfd; /* of the process whose limit to raise; -1: this one */
};

struct vfiobroker_grant {
	uint64_t lease;
	uint64_t memlock;
	int leasefd; /* the lease lives while any copy of it is open */
	int containerfd; /* a new one also when devices were added; or -1 */
	int iommufd; /* the same; what is pinned counts for each process */
	size_t ngroups;
	struct {
		int group;
		int fd;
	} groups[VFIOBROKER_MAX_DEVICES];
	size_t ncdevs;
	struct {
		struct vfiobroker_bdf device;
		int fd; /* not yet bound to an iommufd */
	} cdevs[VFIOBROKER_MAX_DEVICES];
};

/* On any result but 0 *out is NULL. */
int vfiobroker_acquire(struct vfiobroker *, const struct vfiobroker_request *,
    struct vfiobroker_grant **out);
void vfiobroker_grant_free(struct vfiobroker_grant *);

/*
 * The node of a group of one's lease, opened once more, and a container for
 * it, or -1: both fds are the caller's.
 */
int vfiobroker_open_group(
    struct vfiobroker *, uint64_t lease, int group, int *fd, int *containerfd);

/* The cdev of a device of one's iommufd lease, opened once more. */
int vfiobroker_open_device(struct vfiobroker *, uint64_t lease,
    const struct vfiobroker_bdf *, int *fd);

/* One more iommufd for such a lease. */
int vfiobroker_open_iommufd(struct vfiobroker *, uint64_t lease, int *fd);

int vfiobroker_release(struct vfiobroker *, uint64_t lease);
int vfiobroker_set_memlock(
    struct vfiobroker *, uint64_t lease, uint64_t memlock, int pidfd);

/* Answers in vfiobroker_texts().  about NULL: oneself. */
struct vfiobroker_about {
	uid_t uid;
	const gid_t *gids;
	size_t ngids; /* at most 33 */
};
int vfiobroker_explain(struct vfiobroker *, const struct vfiobroker_bdf *,
    uint64_t memlock, bool managed, const struct vfiobroker_about *about);
int vfiobroker_show_policy(struct vfiobroker *);

/* For admins. */
int vfiobroker_revoke(struct vfiobroker *, uint64_t lease, unsigned grace_ms);
int vfiobroker_recover(struct vfiobroker *, const struct vfiobroker_bdf *);

struct vfiobroker_event {
	uint64_t number;
	uint64_t time_us;
	uint64_t duration_us;
	char kind[16]; /* "device", "lease" or "policy" */
	struct vfiobroker_bdf device;
	uint64_t lease;
	char from[16], to[16]; /* "" where it does not apply */
	bool has_owner;
	uid_t owner;
	char text[232];
};

/* After watch, each vfiobroker_next_event() waits for one event. */
int vfiobroker_watch(struct vfiobroker *);
int vfiobroker_next_event(struct vfiobroker *, struct vfiobroker_event *out);

/*
 * Events that arrived while another call waited for its answer: they are in
 * the handle already, so that poll(2) does not tell of them.  The latest 64
 * are kept; their numbers show whether one is missing.
 */
size_t vfiobroker_events_queued(const struct vfiobroker *);

#endif
