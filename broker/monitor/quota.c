/* SPDX-License-Identifier: ISC */
/*
 * Accounts per uid.  A request over the rate is not refused but read later:
 * the client's socket fills, and waiting is the client's.
 */

#include "quota.h"

#include "broker/common/log.h"
#include "policy/policy.h"

#include <bsd/sys/queue.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

struct account {
	LIST_ENTRY(account) entry;
	uid_t uid;
	unsigned connections;
	uint64_t next_us; /* when the bucket would be full again */
	struct log_limit log;
};

static LIST_HEAD(, account) accounts = LIST_HEAD_INITIALIZER(accounts);
static unsigned all_connections;

/* Whoever hangs up and comes again at once has still asked as much. */
static void
accounts_sweep(uint64_t now_us)
{
	struct account *a, *next;

	LIST_FOREACH_SAFE(a, &accounts, entry, next) {
		if (a->connections > 0 || a->next_us > now_us)
			continue;
		LIST_REMOVE(a, entry);
		free(a);
	}
}

static struct account *
account_of(uid_t uid)
{
	struct account *a;

	LIST_FOREACH(a, &accounts, entry) {
		if (a->uid == uid)
			return a;
	}
	a = calloc(1, sizeof(*a));
	if (a != NULL) {
		a->uid = uid;
		LIST_INSERT_HEAD(&accounts, a, entry);
	}
	return a;
}

int
quota_connect(struct account **out, uid_t uid, uint64_t limit, uint64_t now_us)
{
	struct account *a;

	accounts_sweep(now_us);
	a = account_of(uid);
	if (a == NULL)
		return -ENOMEM;
	if (limit == POLICY_UNLIMITED)
		limit = QUOTA_CONNECTIONS;
	if (a->connections >= limit ||
	    all_connections >=
		QUOTA_ALL_CONNECTIONS - (uid == 0 ? 0 : QUOTA_ROOT_CONNECTIONS))
		return -EAGAIN;
	a->connections++;
	all_connections++;
	*out = a;
	return 0;
}

void
quota_disconnect(struct account *a)
{
	if (a->connections == 0 || all_connections == 0)
		log_fatal("uid %u: connections below zero", a->uid);
	a->connections--;
	all_connections--;
}

/* A bucket of one second's requests, kept as the time it is full again. */
uint64_t
quota_request(struct account *a, uint64_t now_us, uint64_t per_second)
{
	uint64_t cost;

	if (per_second == POLICY_UNLIMITED)
		per_second = QUOTA_REQUESTS;
	cost = 1000000 / per_second;
	if (a->next_us < now_us)
		a->next_us = now_us;
	if (a->next_us + cost > now_us + 1000000)
		return a->next_us + cost - now_us - 1000000;
	a->next_us += cost;
	return 0;
}

#define MUCH_US 1000
#define SHARE 8
#define LOG_EVERY_US 200000
#define LOG_BURST_US 4000000 /* twenty of them */

void
quota_spend(struct account *a, uint64_t us)
{
	if (us > MUCH_US)
		a->next_us += us * SHARE;
}

struct log_limit *
quota_log(struct account *a)
{
	return &a->log;
}

bool
log_limit(struct log_limit *l, uint64_t now_us, char unsaid[LOG_UNSAID_MAX])
{
	if (l->next_us < now_us)
		l->next_us = now_us;
	if (l->next_us + LOG_EVERY_US > now_us + LOG_BURST_US) {
		l->unsaid++;
		return false;
	}
	unsaid[0] = '\0';
	if (l->unsaid > 0)
		snprintf(unsaid, LOG_UNSAID_MAX, "; %u more like it unsaid",
		    l->unsaid);
	l->next_us += LOG_EVERY_US;
	l->unsaid = 0;
	return true;
}
