/* SPDX-License-Identifier: ISC */
/*
 * The kernel's messages, and whatever else might come to that socket: reading
 * stays within the message, and what is said to be about a function names one
 * that can exist, in the message's own words.
 */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "broker/monitor/uevent.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
must(int ok)
{
	if (!ok)
		abort();
}

/* Whether one of the strings of the message is just that. */
static int
has_string(const char *msg, size_t len, const char *want)
{
	for (const char *s = msg; s < msg + len; s += strlen(s) + 1) {
		if (strcmp(s, want) == 0)
			return 1;
	}
	return 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static const struct bdf none = { 0xdddddddd, 0xbb, 0x1f, 7, 0 };
	const char *msg = (const char *)data;
	struct bdf bdf = none;
	enum uevent_action action = uevent_parse(msg, len, &bdf);

	must(bdf_valid(&bdf));
	if (action == UEVENT_NONE)
		return 0;
	must(msg[len - 1] == '\0');
	must(has_string(msg, len, "SUBSYSTEM=pci"));
	must(has_string(msg, len, "ACTION=add") == 1 || action != UEVENT_ADD);
	must(has_string(msg, len, "ACTION=remove") == 1 ||
	     action != UEVENT_REMOVE);
	return 0;
}
