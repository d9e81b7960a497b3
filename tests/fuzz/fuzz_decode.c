/* SPDX-License-Identifier: ISC */
/*
 * A client's bytes, as the session decodes them.  Whatever comes out must be a
 * canonical record or a sentence, and the same with malloc, where the
 * sanitizer sees every access, as with the session's budget.
 */

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "../../broker/session/budget.h"
#include "../../broker/session/decode.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
must(int ok)
{
	if (!ok)
		abort();
}

static void
check(int r, const struct request *req)
{
	switch (r) {
	case 0:
		must(req->id != 0);
		must(req->why == NULL);
		must(req->len == 0 ||
		     monmsg_check_request(&req->record, req->len));
		must(!req->takes_fd || monmsg_max_fds(req->record.h.type) == 1);
		break;
	case -EINVAL:
	case -EBADMSG:
		must(req->why != NULL && req->len == 0);
		break;
	default:
		abort();
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct request req, again;
	int r = decode_request(data, size, NULL, &req);
	int s = decode_request(data, size, budget_start(), &again);

	check(r, &req);
	check(s, &again);
	/* Only the budget may make a difference. */
	must(r == s || budget_spent());
	if (r == s)
		must(memcmp(&req.record, &again.record, sizeof(req.record)) ==
		     0);
	return 0;
}
