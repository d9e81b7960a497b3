/* SPDX-License-Identifier: ISC */
#ifndef VFIOBROKER_SESSION_H
#define VFIOBROKER_SESSION_H

#include <bsd/sys/queue.h>
#include <sys/types.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "broker/common/monmsg.h"
#include "broker/common/status.h"
#include "peer.h"

struct account;
struct acquisition;
struct event;

/*
 * One connection: the peer, and the process that speaks protobuf with it.
 * A session asks one thing at a time; what it sends must be canonical, or it
 * is killed.
 */
struct session {
	TAILQ_ENTRY(session) entry;
	struct peer peer;
	struct account *account;
	pid_t pid;
	int clientfd; /* until a session process has it */
	int fd; /* to that process; -1: it waits for its turn */
	struct event *readable;
	struct event *writable;
	struct event *later; /* the rate was exceeded: read again then */
	STAILQ_HEAD(, queued) queue;
	unsigned nqueued;
	char *lines; /* of a long answer, or NULL */
	const char *next_line; /* those before have been sent */
	uint32_t seq; /* of the request being answered */
	int pidfd; /* that came with it, or -1; open until its end */
	bool busy; /* a request is being answered */
	bool watching; /* wants events */
	struct acquisition *acquisition; /* the request that waits */
};

TAILQ_HEAD(sessions, session);
extern struct sessions sessions;

/* Starts a session process for a connected client. Both are consumed. */
void session_start(int clientfd, struct peer *);

/* For SIGCHLD: true when the pid was a session's. */
bool session_reaped(pid_t);

/* Ends a session; its process sees the end of its socket and exits. */
void session_close(struct session *);

/*
 * Answers: the header is filled in.  Consumes fds.  In a text, what is behind a
 * newline would mend what is before it: it goes as one of MON_TEXT_FIX.
 */
void session_send(
    struct session *, uint32_t type, void *record, int *fds, size_t nfds);
void session_text(struct session *, enum mon_text_kind, const char *text);
void session_say(struct session *, enum mon_text_kind, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
void session_end(struct session *, enum status);

/* Says why not, and what would mend it, and ends the request. */
void session_refuse(struct session *, enum status, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* Answers lines, however many, as fast as the session reads; then the end.
 * Frees them. */
void session_lines(struct session *, char *lines);

/* An event out of order; dropped when the watcher does not read. */
void session_event(struct session *, struct mon_event *);

/* "uid 1000, pid 12 (qemu)", in a static buffer. */
const char *session_who(const struct session *);

#endif
