/* SPDX-License-Identifier: ISC */
/*
 * Loading in a child: it reads the files, checks whose they are, and resolves
 * names; it sends back the texts and the numbers of the names, and the monitor
 * parses for itself with those.  So NSS, which can block and load libraries,
 * is never called in the monitor after its start.
 */

#include "policyload.h"

#include "broker/common/log.h"
#include "child.h"
#include "config.h"
#include "loop.h"
#include "policy/parse/load.h"
#include "policyread.h"
#include "settle.h"
#include "watch.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The texts, and for each line of 13 bytes, "admin user x", an item of 18. */
#define BUNDLE_MAX (3 * POLICY_BYTES)
/* The child's last word: a bundle without it is cut off. */
#define BUNDLE_END "\0end of bundle"

static struct policy *current;
static struct loader {
	pid_t pid;
	int fd;
	struct event *readable;
	char *buf;
	size_t len;
	bool again; /* asked for while one was under way */
	bool loaded; /* once at least */
} loader = { .pid = -1, .fd = -1 };

const struct policy *
policy_current(void)
{
	return current;
}

bool
policyload_done(void)
{
	return loader.loaded;
}

/* ---- reading the bundle ----------------------------------------------- */

/* What is left of it to read. */
struct bundle {
	const char *at;
	size_t len;
};

struct item {
	struct bundle_item head;
	const char *name;
	const char *text;
};

/* 1: the next item. 0: the end. -EBADMSG when the bundle is cut off. */
static int
bundle_next(struct bundle *b, struct item *out)
{
	size_t size = sizeof(out->head);

	if (b->len == 0)
		return 0;
	if (b->len < size)
		return -EBADMSG;
	memcpy(&out->head, b->at, size);
	size += (size_t)out->head.name_len + out->head.text_len;
	if (size > b->len || out->head.name_len == 0)
		return -EBADMSG;
	out->name = b->at + sizeof(out->head);
	out->text = out->name + out->head.name_len;
	if (out->text[-1] != '\0')
		return -EBADMSG;
	b->at += size;
	b->len -= size;
	return 1;
}

/* The child resolved the names as it parsed, so they come in the same order. */
static int
next_name(struct bundle *b, enum bundle_kind kind, const char *name, id_t *out)
{
	struct item i;

	while (bundle_next(b, &i) == 1) {
		if (i.head.kind != BUNDLE_USER && i.head.kind != BUNDLE_GROUP)
			continue;
		if (i.head.kind != kind || strcmp(i.name, name) != 0)
			return -ENOENT;
		*out = i.head.id;
		return 0;
	}
	return -ENOENT;
}

static int
next_user(void *arg, const char *name, uid_t *out)
{
	return next_name(arg, BUNDLE_USER, name, out);
}

static int
next_group(void *arg, const char *name, gid_t *out)
{
	return next_name(arg, BUNDLE_GROUP, name, out);
}

static int
bundle_strip_end(struct loader *l)
{
	size_t n = sizeof(BUNDLE_END);

	if (l->len < n || memcmp(l->buf + l->len - n, BUNDLE_END, n) != 0)
		return -EBADMSG;
	l->len -= n;
	return 0;
}

/* The sources, how many; -EINVAL after the errors that the child found. */
static int
bundle_sources(struct bundle b, struct policy_source *list)
{
	bool errors = false;
	struct item i;
	int r, n = 0;

	while ((r = bundle_next(&b, &i)) == 1) {
		if (i.head.kind == BUNDLE_ERROR) {
			log_warn(
			    "%s%.*s", i.name, (int)i.head.text_len, i.text);
			errors = true;
		} else if (i.head.kind == BUNDLE_SOURCE) {
			if (n == POLICY_FILES_MAX)
				return -E2BIG;
			list[n++] = (struct policy_source){ i.name, i.text,
				i.head.text_len };
		}
	}
	if (r == 0 && errors)
		r = -EINVAL;
	return r == 0 ? n : r;
}

static int
policy_from_bundle(struct loader *l, struct policy **out)
{
	struct policy_source sources[POLICY_FILES_MAX];
	int r = bundle_strip_end(l);
	struct bundle b = { l->buf, l->len };
	struct policy_resolver names = {
		.user = next_user, .group = next_group, .arg = &b
	};

	if (r == 0)
		r = bundle_sources(b, sources);
	return r < 0 ? r
		     : policy_load(out, sources, (size_t)r, &names, NULL, NULL);
}

/* ---- the child and its pipe ------------------------------------------- */

static int
loader_fork(struct loader *l)
{
	int fds[2];

	if (pipe2(fds, O_CLOEXEC) == -1)
		return -errno;
	l->pid = fork();
	if (l->pid == 0) {
		int endfd;

		child_prepare(&fds[1], 1);
		endfd = dup(fds[1]); /* policyread_bundle() closes that */
		signal(SIGPIPE, SIG_DFL);
		if (policyread_bundle(fds[1]) != 0 ||
		    write(endfd, BUNDLE_END, sizeof(BUNDLE_END)) == -1)
			_exit(1);
		_exit(0);
	}
	close(fds[1]);
	l->fd = fds[0];
	l->len = 0;
	return l->pid == -1 ? -errno : 0;
}

/* 1: more to come. 0: all of it. -errno. */
static int
loader_read(struct loader *l)
{
	char *buf = realloc(l->buf, l->len + 65536);
	ssize_t n;

	if (buf == NULL)
		return -ENOMEM;
	l->buf = buf;
	n = read(l->fd, l->buf + l->len, 65536);
	if (n == -1)
		return errno == EAGAIN || errno == EINTR ? 1 : -errno;
	l->len += (size_t)n;
	if (l->len > BUNDLE_MAX)
		return -EFBIG;
	return n > 0;
}

static void
loader_end(struct loader *l)
{
	loop_free(&l->readable);
	if (l->fd != -1)
		close(l->fd);
	l->fd = -1;
	free(l->buf);
	l->buf = NULL;
	l->len = 0;
}

static void
loader_adopt(struct loader *l, int r)
{
	struct policy *fresh = NULL;

	if (r == 0)
		r = policy_from_bundle(l, &fresh);
	loader_end(l);
	if (r != 0) {
		log_warn("policy not loaded: %s; %s", strerror(-r),
		    l->loaded ? "the running one stays"
			      : "until it is mended nothing is allowed");
		watch_policy(l->loaded ? "refused: the running one stays"
				       : "refused: nothing is allowed");
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
loader_readable(evutil_socket_t fd, short what, void *arg)
{
	struct loader *l = arg;
	int r = loader_read(l);

	(void)fd;
	(void)what;
	if (r > 0)
		return;
	loader_adopt(l, r);
	if (l->again)
		policyload_start();
}

void
policyload_start(void)
{
	int r;

	loader.again = loader.fd != -1;
	if (loader.again)
		return;
	r = loader_fork(&loader);
	if (r == 0 && fcntl(loader.fd, F_SETFL, O_NONBLOCK) == -1)
		r = -errno;
	if (r == 0)
		r = loop_event(&loader.readable, loader.fd,
		    EV_READ | EV_PERSIST, loader_readable, &loader);
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

int
policyload_init(void)
{
	int r = policy_load(&current, NULL, 0, NULL, NULL, NULL);

	if (r == 0)
		r = loader_fork(&loader);
	if (r != 0)
		return r;
	while ((r = loader_read(&loader)) > 0)
		continue;
	loader_adopt(&loader, r);
	return 0;
}
