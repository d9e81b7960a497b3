/* SPDX-License-Identifier: ISC */
/*
 * The policy in force.  A child executes the loader, which reads the files,
 * parses them and resolves names as another user; what comes back through the
 * pipe is a compiled policy or a list of errors.  Must never take part of one,
 * and never wait for the loader longer than its time: NSS can hang.
 */

#include "policyload.h"

#include "broker/common/fdpass.h"
#include "broker/common/log.h"
#include "child.h"
#include "config.h"
#include "loop.h"
#include "policyexec.h"
#include "settle.h"
#include "watch.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CHUNK 65536 /* what a pipe holds */

static struct policy *current;
static struct loader {
	pid_t pid; /* -1 when it is reaped */
	int fd;
	struct event *readable, *deadline;
	char *buf;
	size_t len, size; /* what is in it, and could be */
	bool again; /* asked for while one was under way */
	bool loaded; /* once at least */
} loader = { .pid = -1, .fd = -1 };

const struct policy *
policy_current(void)
{
	return current != NULL ? current : &policy_empty;
}

bool
policyload_done(void)
{
	return loader.loaded;
}

/* ---- the child and its pipe ------------------------------------------- */

static int
loader_fork(struct loader *l)
{
	int r = child_fork(CHILD_WRITES, &l->fd);

	if (r == 0)
		policyexec(l->fd);
	l->pid = r > 0 ? r : -1;
	return r > 0 ? 0 : r;
}

static int
loader_grow(struct loader *l)
{
	size_t size = l->size + (l->size > CHUNK ? l->size : CHUNK);
	char *buf = realloc(l->buf, size);

	if (buf == NULL)
		return -ENOMEM;
	l->buf = buf;
	l->size = size;
	return 0;
}

/* 1: more to come. 0: all of it. -errno. */
static int
loader_read(struct loader *l)
{
	ssize_t n;

	if (l->size - l->len < CHUNK && loader_grow(l) != 0)
		return -ENOMEM;
	n = read(l->fd, l->buf + l->len, CHUNK);
	if (n == -1)
		return errno == EAGAIN || errno == EINTR ? 1 : -errno;
	l->len += (size_t)n;
	if (l->len > POLICY_COMPILED_BYTES)
		return -EFBIG;
	return n > 0;
}

static void
loader_end(struct loader *l)
{
	loop_free(&l->readable);
	loop_free(&l->deadline);
	fdpass_close(&l->fd, 1);
	free(l->buf);
	l->buf = NULL;
	l->len = l->size = 0;
}

/* ---- what comes of it --------------------------------------------------- */

static void
say_error(void *arg, const char *line)
{
	(void)arg;
	log_warn("%s", line);
}

static void
say_refused(const struct loader *l, int r)
{
	const char *why = strerror(-r);

	if (r == -EBADMSG)
		why = "vfiobroker-policy has not answered, or nonsense";
	else if (r == -ETIMEDOUT)
		why = "vfiobroker-policy took too long and was killed; a name "
		      "service (NSS) may hang";
	log_warn("policy not loaded: %s; %s", why,
	    l->loaded ? "the running one stays"
		      : "until it is mended nothing is allowed");
	watch_policy(l->loaded ? "refused: the running one stays"
			       : "refused: nothing is allowed");
}

static void
loader_adopt(struct loader *l, int r)
{
	struct policy *fresh = NULL;

	/* Who is not done is of no use any more. */
	if (r != 0 && l->pid != -1)
		(void)kill(l->pid, SIGKILL);
	if (r == 0)
		r = policy_read(&fresh, l->buf, l->len, say_error, NULL);
	loader_end(l);
	if (r != 0) {
		say_refused(l, r);
		return;
	}
	policy_free(current);
	current = fresh;
	l->loaded = true;
	log_info("policy loaded");
	watch_policy("loaded");
	settle_all();
}

static void
loader_done(struct loader *l, int r)
{
	loader_adopt(l, r);
	if (l->again)
		policyload_start();
}

/* ---- in the loop -------------------------------------------------------- */

static void
loader_readable(void *arg)
{
	int r = loader_read(arg);

	if (r <= 0)
		loader_done(arg, r);
}

static void
loader_late(void *arg)
{
	loader_done(arg, -ETIMEDOUT);
}

static int
loader_listen(struct loader *l)
{
	int r = loop_event(
	    &l->readable, l->fd, EV_READ | EV_PERSIST, loader_readable, l);

	if (r == 0)
		r = loop_event(&l->deadline, -1, 0, loader_late, l);
	if (r == 0)
		loop_timer(l->deadline, config.policy_timeout * 1000);
	return r;
}

void
policyload_start(void)
{
	int r;

	loader.again = loader.fd != -1;
	if (loader.again)
		return;
	r = loader_fork(&loader);
	if (r == 0)
		r = loader_listen(&loader);
	if (r != 0) {
		log_warn("cannot load the policy: %s", strerror(-r));
		loader_end(&loader);
	}
}

bool
policyload_reaped(pid_t pid)
{
	if (pid != loader.pid)
		return false;
	loader.pid = -1;
	return true;
}

/* ---- at the start, without the loop ------------------------------------- */

static int
loader_wait(struct loader *l)
{
	uint64_t end = clock_us() + config.policy_timeout * 1000000ULL, now;
	struct pollfd p = { .fd = l->fd, .events = POLLIN };
	int r = 1;

	while (r > 0 && (now = clock_us()) < end) {
		if (poll(&p, 1, (int)((end - now) / 1000) + 1) == 1)
			r = loader_read(l);
	}
	return r > 0 ? -ETIMEDOUT : r;
}

int
policyload_init(void)
{
	int r = loader_fork(&loader);

	if (r != 0)
		return r;
	loader_adopt(&loader, loader_wait(&loader));
	return 0;
}
