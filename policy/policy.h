/* SPDX-License-Identifier: ISC */
#ifndef VFIOBROKER_POLICY_H
#define VFIOBROKER_POLICY_H

/*
 * The policy: compiled lines in, decisions out.  Text is for parse/load.h.
 *
 * Pure: buffers and callbacks in, answers out; no I/O, no clock, no NSS, no
 * globals.  The daemon decides with it, `vfiobroker explain` asks the daemon
 * to explain with it, and the tests run it without a machine.
 *
 * A struct policy never changes after policy_read(); reload makes a new one.
 * Semantics: default deny; a matching deny line ends it; for each device one
 * allow line alone covers what is asked: subject, device, managed, count and
 * memlock; limit lines always apply, the smallest of each wins.  No answer
 * depends on the order of lines, except which of several equal allow lines is
 * named.
 */

#include <sys/types.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "../broker/common/bdf.h"
#include "../broker/common/reason.h"

#define POLICY_NAME_MAX 32 /* a pool's or user's name, without the NUL */
#define POLICY_UNLIMITED UINT64_MAX

/* ---- loading ---------------------------------------------------------- */

/* What the broker reads; more is an error. */
#define POLICY_FILES_MAX 256
#define POLICY_FILE_BYTES (1U << 20) /* each must be less */
#define POLICY_BYTES (4U << 20) /* all together */
#define POLICY_COMPILED_BYTES (64UL << 20) /* what can come of that, and more */

/*
 * Reads a policy in the compiled form of compiled.h, which parse/load.h makes
 * of texts.  -EINVAL: it is a list of errors; error() was called with each, if
 * it is not NULL.  -EBADMSG: it is not what the compiler would have written.
 * -ENOMEM.  0: *out is the caller's, to free with policy_free().  *out is NULL
 * but for 0.
 */
struct policy;
int policy_read(struct policy **out, const void *compiled, size_t len,
    void (*error)(void *arg, const char *line), void *arg);
void policy_free(struct policy *);

/* Allows nothing. */
extern const struct policy policy_empty;

/*
 * Prints the canonical form: one line per line, names as they were written,
 * full BDFs, sizes with the largest exact unit.  Parses to the same policy.
 * with_origin adds "# file:line" behind each line.
 */
void policy_print(const struct policy *, FILE *, bool with_origin);

/* ---- questions -------------------------------------------------------- */

/* What the machine says about a device; the policy never looks itself. */
struct policy_device {
	struct bdf bdf;
	uint16_t vendor;
	uint16_t device;
	uint32_t class; /* 24 bits: base class, subclass, interface */
	bool is_vf;
	struct bdf pf; /* of a VF */
	int group; /* IOMMU group, -1 none */
};

/* Needed for `group-of BDF`: the group of any device, -1 if unknown. */
struct policy_world {
	int (*group_of)(void *arg, const struct bdf *);
	void *arg;
};

/* Who asks, as the kernel said at connect. */
struct policy_subject {
	uid_t uid;
	const gid_t *gids; /* primary and supplementary, ascending */
	size_t ngids;
};

void policy_sort_gids(gid_t *, size_t n);

/* What the subject (by uid) already holds, for count and limits. */
struct policy_usage {
	const struct policy_device *devices;
	size_t ndevices;
	unsigned leases;
	uint64_t memlock; /* sum over its leases, bytes */
};

/*
 * One lease wanted: all devices in it, together.  Each may be covered by a line
 * of its own, as the cards of one guest are: a lease grows by single devices
 * as well, so a line for all of them would be no hurdle but for whoever asks
 * at once.  What a line says of the whole holds for the whole: its memlock is
 * for the lease, its count is for all of its devices together, in this request
 * and held.
 */
struct policy_request {
	const struct policy_device *devices;
	size_t ndevices;
	const bool *managed; /* per device: a host driver must be unbound */
	uint64_t memlock; /* bytes wanted for the holder; 0: none */
	bool new_lease; /* false: devices are added to a lease */
};

enum policy_verdict {
	POLICY_ALLOW,
	POLICY_NO_RULE, /* no allow line matches subject and device */
	POLICY_DENIED, /* a deny line matches: .rule */
	POLICY_SHORT, /* .rule matches subject and device but does not
			    cover the request: .why says which part */
	POLICY_IDENTITY, /* .rule expects other ids than the device has */
	POLICY_LIMIT, /* .rule is the limit line that is exceeded */
};

struct policy_rule; /* one line of the policy */

struct policy_decision {
	enum policy_verdict verdict;
	size_t device; /* index of the device that decided a refusal */
	/*
	 * As above; NULL for NO_RULE; for ALLOW, a line that covers device 0:
	 * the one with `siblings take`, then `reset none`, then `managed`, then
	 * the larger memlock, then the first.
	 */
	const struct policy_rule *rule;
	char why[200]; /* a clause for people, e.g. "line covers memlock up
			   to 16G, 32G was asked for"; empty for ALLOW */
};

/*
 * What nobody asks for, but the machine may turn out to need for a device: of
 * all allow lines that cover what was asked, whether any grants it.  So a line
 * that is added takes nothing away, whichever line is named.
 */
struct policy_terms {
	bool siblings_take;
	bool reset_none; /* the owner accepts a device without a reset */
};

/*
 * Decides one request.  terms (may be NULL) has room for ndevices entries and
 * is filled where the verdict is POLICY_ALLOW.
 */
void policy_decide(const struct policy *, const struct policy_world *,
    const struct policy_subject *, const struct policy_usage *,
    const struct policy_request *, struct policy_decision *,
    struct policy_terms *terms);

/*
 * Explains a one-device request with the same code: calls line() for each line
 * that has to do with it, the one that policy_decide() names first, and those
 * that miss less before those that miss more.  0 or -ENOMEM.
 */
enum policy_note_kind {
	POLICY_NOTE_DECIDED, /* the line that policy_decide() names */
	POLICY_NOTE_ALSO, /* another one that denies or covers it */
	POLICY_NOTE_OTHERS, /* is for another subject */
	POLICY_NOTE_NEAR, /* an allow line about the subject or the device */
	POLICY_NOTE_LIMIT, /* a limit line about the subject */
	POLICY_NOTE_KINDS,
};

/* Of a kind, so many have a why; the others are there to be counted. */
#define POLICY_NOTES_MAX 32

struct policy_note {
	const struct policy_rule *rule;
	enum policy_note_kind kind;
	char why[200];
};
int policy_explain(const struct policy *, const struct policy_world *,
    const struct policy_subject *, const struct policy_usage *,
    const struct policy_request *,
    void (*line)(void *arg, const struct policy_note *), void *arg);

/* Where and how a rule is written; the text is canonical. */
#define POLICY_RULE_TEXT_MAX 256 /* but a pool's none is longer, with the NUL */
const char *policy_rule_file(const struct policy_rule *);
unsigned policy_rule_line(const struct policy_rule *);
const char *policy_rule_text(const struct policy_rule *);

/* Whether the subject matches an `admin` line. */
bool policy_is_admin(const struct policy *, const struct policy_subject *);

/* Whether the device matches a `claim` line. */
bool policy_claims(const struct policy *, const struct policy_world *,
    const struct policy_device *);

/* Whether some `tolerate` line lifts this reason for this device. */
bool policy_tolerates(const struct policy *, const struct policy_world *,
    const struct policy_device *, enum reason);

/* The smallest limits that apply to a subject; POLICY_UNLIMITED if none. */
struct policy_limits {
	uint64_t devices;
	uint64_t leases;
	uint64_t memlock; /* bytes */
	uint64_t connections;
	uint64_t requests; /* per second */
};
void policy_limits_of(const struct policy *, const struct policy_subject *,
    struct policy_limits *);

#endif
