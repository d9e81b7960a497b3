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

#define BUNDLE_MAX (4U << 20)
/* The child's last word: a bundle without it is cut off. */
#define BUNDLE_END "\0end of bundle"
#define SOURCES_MAX 256

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

/* Visits the items of one kind; -EBADMSG when the bundle is cut off. */
static int
bundle_each(const char *buf, size_t len, enum bundle_kind kind,
    int (*each)(
	void *, const struct bundle_item *, const char *name, const char *text),
    void *arg)
{
	struct bundle_item item;
	int r = 0;

	while (r == 0 && len > 0) {
		if (len < sizeof(item))
			return -EBADMSG;
		memcpy(&item, buf, sizeof(item));
		buf += sizeof(item);
		len -= sizeof(item);
		if (item.name_len > len ||
		    item.text_len > len - item.name_len || item.name_len == 0 ||
		    buf[item.name_len - 1] != '\0')
			return -EBADMSG;
		if (item.kind == kind)
			r = each(arg, &item, buf, buf + item.name_len);
		buf += item.name_len + item.text_len;
		len -= item.name_len + item.text_len;
	}
	return r;
}

struct sources {
	struct policy_source list[SOURCES_MAX];
	size_t n;
};

static int
add_source(void *arg, const struct bundle_item *item, const char *name,
    const char *text)
{
	struct sources *s = arg;

	if (s->n == SOURCES_MAX)
		return -E2BIG;
	s->list[s->n++] = (struct policy_source){
		.name = name, .text = text, .len = item->text_len
	};
	return 0;
}

static int
say_error(void *arg, const struct bundle_item *item, const char *name,
    const char *text)
{
	unsigned *errors = arg;

	log_warn("%s%.*s", name, (int)item->text_len, text);
	(*errors)++;
	return 0;
}

struct lookup {
	const char *name;
	uint32_t *out;
};

static int
match_name(void *arg, const struct bundle_item *item, const char *name,
    const char *text)
{
	const struct lookup *l = arg;

	(void)text;
	if (strcmp(name, l->name) != 0)
		return 0;
	*l->out = item->id;
	return 1; /* found: stop */
}

static int
lookup_user(void *arg, const char *name, uid_t *out)
{
	const struct loader *l = arg;
	struct lookup look = { .name = name, .out = out };

	return bundle_each(l->buf, l->len, BUNDLE_USER, match_name, &look) == 1
		   ? 0
		   : -ENOENT;
}

static int
lookup_group(void *arg, const char *name, gid_t *out)
{
	const struct loader *l = arg;
	struct lookup look = { .name = name, .out = out };

	return bundle_each(l->buf, l->len, BUNDLE_GROUP, match_name, &look) == 1
		   ? 0
		   : -ENOENT;
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

static int
policy_from_bundle(struct loader *l, struct policy **out)
{
	struct policy_resolver names = {
		.user = lookup_user, .group = lookup_group, .arg = l
	};
	struct sources *s = calloc(1, sizeof(*s));
	unsigned errors = 0;
	int r;

	if (s == NULL)
		return -ENOMEM;
	r = bundle_strip_end(l);
	if (r == 0)
		r = bundle_each(
		    l->buf, l->len, BUNDLE_ERROR, say_error, &errors);
	if (r == 0 && errors > 0)
		r = -EINVAL;
	if (r == 0)
		r = bundle_each(l->buf, l->len, BUNDLE_SOURCE, add_source, s);
	if (r == 0)
		r = policy_load(out, s->list, s->n, &names, NULL, NULL);
	free(s);
	return r;
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
