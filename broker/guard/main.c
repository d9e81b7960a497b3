/* SPDX-License-Identifier: ISC */
/*
 * vfiobroker-guard [SYSROOT] [BDF...]
 *
 * Tells what the host uses devices for: started by the monitor for each
 * question, as the user of the sessions, with a pipe to the monitor on
 * descriptor 1, into which it writes the records of broker/common/guardmsg.h.
 * SYSROOT is "" but in tests.  Must never run as root: what it reads has names
 * in it that anybody chose.
 *
 * Exits 0 when it has answered, EX_USAGE for another command line, EX_OSERR when
 * it could not confine itself, EX_IOERR when nobody hears; then the answer has
 * no end.
 */

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "broker/common/guardmsg.h"
#include "broker/common/log.h"
#include "broker/guard/confine.h"
#include "broker/guard/filter.h"
#include "broker/guard/guard.h"

struct question {
	const char *sysroot;
	struct bdf bdfs[GUARDMSG_DEVICES_MAX];
	uint32_t n;
};

static bool
question_read(struct question *q, int argc, char **argv)
{
	if (argc < 3 || argc > 2 + GUARDMSG_DEVICES_MAX)
		return false;
	q->sysroot = argv[1];
	for (q->n = 0; q->n < (uint32_t)argc - 2; q->n++) {
		if (bdf_parse(argv[2 + q->n], &q->bdfs[q->n]) != 0)
			return false;
	}
	return true;
}

/* A record is less than PIPE_BUF, so it goes as a whole. */
static void
answer(const struct guardmsg *m)
{
	if (write(STDOUT_FILENO, m, sizeof(*m)) != (ssize_t)sizeof(*m))
		exit(EX_IOERR);
}

static void
found(void *arg, enum reason reason, const char *what)
{
	struct guardmsg m = { .device = *(uint32_t *)arg, .reason = reason };

	memcpy(m.what, what, strnlen(what, sizeof(m.what) - 1));
	answer(&m);
}

/* A /proc with hidepid= hides the mounts of pid 1 as well. */
static bool
mounts_are_hidden(const char *sysroot)
{
	char path[4096];
	int fd;

	snprintf(path, sizeof(path), "%s/proc/1/mountinfo", sysroot);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd == -1)
		return true;
	close(fd);
	return false;
}

static bool
needs_capabilities(const struct question *q)
{
	for (uint32_t i = 0; i < q->n; i++) {
		if (guard_draws(q->sysroot, &q->bdfs[i]))
			return true;
	}
	return mounts_are_hidden(q->sysroot);
}

int
main(int argc, char **argv)
{
	struct question q;
	int r;

	log_init("vfiobroker-guard");
	if (!question_read(&q, argc, argv)) {
		log_warn("asked for nonsense");
		return EX_USAGE;
	}
	r = confine();
	if (r == 0)
		r = confine_capabilities(needs_capabilities(&q));
	if (r == 0)
		r = filter_install();
	if (r != 0) {
		log_warn("cannot confine the guard: %s", strerror(-r));
		return EX_OSERR;
	}
	for (uint32_t i = 0; i < q.n; i++) {
		struct guardmsg end = { .device = i, .reason = REASON_COUNT };

		end.error = guard_collect(q.sysroot, &q.bdfs[i], found, &i);
		answer(&end);
	}
	return EX_OK;
}
