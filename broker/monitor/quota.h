/* SPDX-License-Identifier: ISC */
#ifndef VFIOBROKER_QUOTA_H
#define VFIOBROKER_QUOTA_H

#include <sys/types.h>

#include <stdbool.h>
#include <stdint.h>

/*
 * What one uid may use up at a time: connections, and requests per second.
 * Devices, leases and memory are counted by the policy from what is leased.
 */
struct account;

#define QUOTA_CONNECTIONS 64 /* per uid, where no limit line says */
#define QUOTA_REQUESTS 1000 /* per second, likewise */
#define QUOTA_ALL_CONNECTIONS 4096
#define QUOTA_ROOT_CONNECTIONS 64 /* of those, for uid 0 alone */

/*
 * Charges one connection.  -EAGAIN: the uid, or everybody, has too many;
 * limit is the policy's or POLICY_UNLIMITED.
 */
int quota_connect(struct account **, uid_t, uint64_t limit, uint64_t now_us);

/* Gives it back.  The account goes some time after its last connection, when
 * what it asked is paid for. */
void quota_disconnect(struct account *);

/*
 * Charges one request at a time now_us.  Returns 0, or after how many
 * microseconds the next one will be served.  per_second is not 0.
 */
uint64_t quota_request(struct account *, uint64_t now_us, uint64_t per_second);

/*
 * Charges what a request took of the monitor's time, if it took much: nobody
 * gets more than an eighth of that.
 */
void quota_spend(struct account *, uint64_t us);

/* Whether to log what an account is to blame for, and may do all day. */
struct log_limit {
	uint64_t next_us;
	unsigned unsaid;
};

#define LOG_UNSAID_MAX 48

/* False: not now.  True: and unsaid is "", or "; N more like it unsaid". */
bool
log_limit(struct log_limit *, uint64_t now_us, char unsaid[LOG_UNSAID_MAX]);

/* The account's own. */
struct log_limit *quota_log(struct account *);

#endif
