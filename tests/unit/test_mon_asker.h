/* SPDX-License-Identifier: ISC */
#ifndef VFIOBROKER_TESTS_TEST_MON_ASKER_H
#define VFIOBROKER_TESTS_TEST_MON_ASKER_H

/*
 * Sessions without a process behind them, which keep what they are told.
 * Defines all functions of session.h, so that the linker takes none of them.
 */

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "broker/monitor/acquire.h"
#include "broker/monitor/loop.h"
#include "broker/monitor/quota.h"
#include "broker/monitor/request.h"
#include "broker/monitor/revoke.h"
#include "broker/monitor/session.h"
#include "test_random.h"

struct said {
	char text[1 << 15]; /* lines */
	size_t len;
};

struct asker {
	struct session s;
	gid_t gids[4];
	bool ended;
	enum status status;
	bool may; /* explain's word for it */
	struct said refusal; /* why not, and how to mend it */
	struct said steps; /* what acquire would do */
	struct said rules; /* which line decides, and others like it */
	struct mon_grant grant;
	int leasefd; /* of the grant; -1 none */
};

struct sessions sessions = TAILQ_HEAD_INITIALIZER(sessions);

static inline void
said_add(struct said *said, const char *mark, const char *text)
{
	int n = snprintf(said->text + said->len, sizeof(said->text) - said->len,
	    "%s%s\n", mark, text);

	said->len += (size_t)n;
	CHECK(said->len < sizeof(said->text));
}

const char *
session_who(const struct session *s)
{
	static char who[32];

	snprintf(who, sizeof(who), "uid %u", s->peer.who.uid);
	return who;
}

void
session_text(struct session *s, enum mon_text_kind kind, const char *text)
{
	struct asker *a = (struct asker *)s;
	size_t n = strcspn(text, "\n");
	char first[1024];

	if (text[n] == '\n') {
		CHECK(n < sizeof(first));
		snprintf(first, sizeof(first), "%.*s", (int)n, text);
		session_text(s, kind, first);
		session_text(s, MON_TEXT_FIX, text + n + 1);
		return;
	}
	if (kind == MON_TEXT_WHY || kind == MON_TEXT_REASON)
		said_add(&a->refusal, "why: ", text);
	else if (kind == MON_TEXT_FIX)
		said_add(&a->refusal, "fix: ", text);
	else if (kind == MON_TEXT_STEP)
		said_add(&a->steps, "", text);
	else if (kind == MON_TEXT_RULE)
		said_add(&a->rules, "", text);
	else if (kind == MON_TEXT_DECISION)
		a->may = strstr(text, " may have ") != NULL;
}

static inline void
session_vsay(
    struct session *s, enum mon_text_kind kind, const char *fmt, va_list ap)
{
	char text[2048];

	vsnprintf(text, sizeof(text), fmt, ap);
	session_text(s, kind, text);
}

void
session_say(struct session *s, enum mon_text_kind kind, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	session_vsay(s, kind, fmt, ap);
	va_end(ap);
}

void
session_refuse(struct session *s, enum status status, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	session_vsay(s, MON_TEXT_WHY, fmt, ap);
	va_end(ap);
	session_end(s, status);
}

void
session_end(struct session *s, enum status status)
{
	struct asker *a = (struct asker *)s;

	CHECK(!a->ended);
	a->ended = true;
	a->status = status;
}

/* Only the lease is kept; the others are /dev/null. */
void
session_send(
    struct session *s, uint32_t type, void *record, int *fds, size_t nfds)
{
	struct asker *a = (struct asker *)s;

	CHECK(type == MON_GRANT && !a->ended);
	memcpy(&a->grant, record, sizeof(a->grant));
	CHECK(a->grant.nfds == nfds);
	for (size_t i = 0; i < nfds; i++) {
		if (a->grant.fds[i].kind == MON_FD_LEASE)
			a->leasefd = fds[i];
		else
			close(fds[i]);
	}
}

void
session_event(struct session *s, struct mon_event *e)
{
	(void)s;
	(void)e;
}

/* Never called here: what asks for them is no part of these tests. */
void
session_lines(struct session *s, char *lines)
{
	(void)s;
	(void)lines;
	abort();
}

void
session_start(int clientfd, struct peer *peer)
{
	(void)clientfd;
	(void)peer;
	abort();
}

bool
session_reaped(pid_t pid)
{
	(void)pid;
	abort();
}

void
session_close(struct session *s)
{
	(void)s;
	abort();
}

static inline struct asker *
asker_new(uid_t uid, const gid_t *gids, size_t ngids)
{
	struct asker *a = malloc(sizeof(*a));

	a->s = (struct session){ .peer.who.uid = uid, .fd = -1, .pid = -1 };
	a->s.peer.who.gids = a->gids;
	a->s.peer.who.ngids = ngids;
	a->s.peer.pid = 1 << 30; /* nobody's: comm is what is told */
	a->s.pidfd = a->s.peer.pidfd = -1;
	snprintf(a->s.peer.comm, sizeof(a->s.peer.comm), "vmm");
	for (size_t i = 0; i < ngids; i++)
		a->gids[i] = gids[i];
	a->ended = a->may = false;
	a->refusal.len = a->steps.len = a->rules.len = 0;
	a->refusal.text[0] = a->steps.text[0] = a->rules.text[0] = '\0';
	a->leasefd = -1;
	CHECK(quota_connect(&a->s.account, uid, 1000, clock_us()) == 0);
	return a;
}

static inline void
asker_free(struct asker *a)
{
	if (a->s.acquisition != NULL)
		acquisition_drop(a->s.acquisition);
	revoke_forget(&a->s);
	if (a->leasefd != -1)
		close(a->leasefd);
	quota_disconnect(a->s.account);
	free(a);
}

static inline void
asker_send(struct asker *a, const void *record, size_t len)
{
	CHECK(monmsg_check_request(record, len));
	request_dispatch(&a->s, record, -1);
}

#endif
