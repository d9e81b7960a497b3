/* SPDX-License-Identifier: ISC */
#ifndef VFIOBROKER_CHECK_H
#define VFIOBROKER_CHECK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "broker/common/status.h"
#include "device.h"
#include "hostuse.h"
#include "policy/policy.h"
#include "texts.h"

/*
 * May this be leased now?  One function answers for acquire and for explain,
 * so that the two can not differ.
 */
#define CHECK_MEMBERS_MAX 32

struct check_member {
	struct device *device;
	bool asked; /* else a sibling that comes along */
	struct policy_terms terms;
};

struct check {
	/* the question */
	struct policy_subject who;
	bool foreign; /* of another user namespace: see peer.h */
	struct lease *lease; /* devices are added to it; NULL: a new one */
	struct acquisition *asker; /* whose claims do not stand in its way */
	const struct hostuse *look; /* what the asker has had looked at */
	const struct bdf *bdfs;
	size_t nbdfs;
	uint64_t memlock;
	bool as_managed; /* explain: as if it had to be taken from the host */
	bool unmanaged; /* refuse what would have to be taken */
	bool explain; /* reasons are facts here, not refusals */
	bool all; /* explain, for an administrator: do not stop early */
	/* the answer */
	enum status status;
	bool wait; /* refused only because something is on its way */
	bool pending; /* not refused: the asker's own claims are under way */
	bool unseen; /* no answer at all before to_see has been looked at */
	struct bdf to_see[CHECK_MEMBERS_MAX];
	size_t nto_see;
	struct texts texts;
	struct check_member members[CHECK_MEMBERS_MAX];
	size_t nmembers;
	size_t ncounted; /* of members, when the policy decided */
};

/*
 * Fills the answer; texts grow with one sentence per reason, all of them, and
 * how to mend it.  Changes nothing.  The caller clears texts.
 */
void check_run(struct check *);

/* What the policy says to one more device for who has usage. */
void check_decide_one(const struct policy_subject *who, const struct device *,
    bool managed, const struct policy_usage *, uint64_t memlock,
    struct policy_decision *);

/* Whether it lets somebody who has nothing yet have the device as it is. */
bool check_allows(const struct policy_subject *, const struct device *);

/* Adds why the policy said no to one device, and the line that would help. */
void check_say_decision(struct texts *, uid_t, const struct device *,
    const struct policy_decision *);

/* Whether a claim line may take the device from the host: the group says so, and
 * the look if it is done.  Reasons against go to the log. */
bool check_claimable(struct device *, const struct hostuse *);

#endif
