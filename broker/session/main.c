/* SPDX-License-Identifier: ISC */
/*
 * vfiobroker-session UID GID EMPTYDIR
 *
 * One client's side of the broker: started by the monitor for each
 * connection, decodes what the client says and asks the monitor in fixed
 * records.  Must never be run by hand; it expects the descriptors of
 * isolate.h.
 *
 * Exits 0 when the client or the monitor is gone, EX_PROTOCOL when the client
 * broke the protocol, EX_SOFTWARE when we did, EX_OSERR when it could not
 * isolate itself.
 */

#include <errno.h>
#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "../common/log.h"
#include "isolate.h"
#include "serve.h"

#define SILENCE_MS 10000

static int
id_parse(const char *s, uint32_t *id)
{
	unsigned long long v;
	char *end;

	if (*s < '0' || *s > '9')
		return -EINVAL;
	errno = 0;
	v = strtoull(s, &end, 10);
	/* UINT32_MAX means "leave it" to the kernel. */
	if (errno != 0 || *end != '\0' || v >= UINT32_MAX)
		return -EINVAL;
	*id = (uint32_t)v;
	return 0;
}

static int
exit_status(int r)
{
	switch (r) {
	case 0:
		return EX_OK;
	case -EPROTO:
		return EX_PROTOCOL;
	default:
		return EX_SOFTWARE;
	}
}

int
main(int argc, char **argv)
{
	uint32_t uid, gid;
	int r;

	log_init("vfiobroker-session");
	if (argc != 4 || id_parse(argv[1], &uid) != 0 ||
	    id_parse(argv[2], &gid) != 0) {
		log_warn("usage: vfiobroker-session UID GID EMPTYDIR");
		return EX_USAGE;
	}
	r = isolate(uid, gid, argv[3]);
	if (r != 0) {
		log_warn("cannot isolate a session: %s", strerror(-r));
		return EX_OSERR;
	}
	/* exit() would flush streams that nobody writes to. */
	_exit(exit_status(serve(SESSION_MONFD, SILENCE_MS)));
}
