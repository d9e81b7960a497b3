/* SPDX-License-Identifier: ISC */
/*
 * The fields of a line by name.  The parser reads by this table, and who says
 * why a request is refused names a field by it.
 */

#include "model.h"

#define NO_LIMIT .absent = POLICY_UNLIMITED

const struct keyword fields[FIELD_END] = {
	[FIELD_MANAGED] = { .word = "managed" },
	[FIELD_MEMLOCK] = { .word = "memlock", .type = VALUE_SIZE },
	[FIELD_COUNT] = { "count", VALUE_NUMBER, NO_LIMIT },
	[FIELD_SIBLINGS] = { .word = "siblings", .type = VALUE_SIBLINGS },
	[FIELD_EXPECT] = { "expect", VALUE_IDS, .absent = VALUE_ABSENT },
	[FIELD_RESET] = { .word = "reset", .type = VALUE_RESET },
	[FIELD_MAX_DEVICES] = { "devices", VALUE_NUMBER, NO_LIMIT },
	[FIELD_MAX_LEASES] = { "leases", VALUE_NUMBER, NO_LIMIT },
	[FIELD_MAX_MEMLOCK] = { "memlock", VALUE_SIZE, NO_LIMIT },
	[FIELD_MAX_CONNECTIONS] = { "connections", VALUE_NUMBER, NO_LIMIT },
	[FIELD_MAX_REQUESTS] = { "requests", VALUE_RATE, NO_LIMIT },
};

void
keyword_print(struct text *t, const struct keyword *k, uint64_t value)
{
	text_add(t, " %s", k->word);
	if (k->type != VALUE_NONE) {
		text_add(t, " ");
		value_print(t, k->type, value);
	}
}
