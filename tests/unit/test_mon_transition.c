/* SPDX-License-Identifier: ISC */
/*
 * The states of a device against a second table, written from the description
 * of its life and not from the first one: where every event leads from every
 * state, and that no state is a trap.
 */

#include <stdlib.h>
#include <string.h>

#include <check.h>

#include "broker/monitor/transition.h"
#include "tests/unit/test_mon.h"

/* Where an event may happen, and what comes of it.  Nowhere else it may. */
static const struct {
	const char *name;
	const char *moves;
} book[LIFE_COUNT] = {
	/* out: only from the host, and nothing is ready that is not verified */
	[LIFE_CLAIM] = { "claim", "host>claiming" },
	[LIFE_CLAIMED] = { "claimed", "claiming>ready" },
	[LIFE_LEASE] = { "lease", "ready>leased" },

	/* moved by others: only what rests can be found elsewhere */
	[LIFE_FOUND] = { "found", "host>ready" },
	[LIFE_LOST] = { "lost", "ready>host" },

	/* home: proof, reset, and only then the next owner or the host */
	[LIFE_CLOSED] = { "closed", "leased>draining" },
	[LIFE_UNHELD] = { "unheld", "draining>resetting" },
	[LIFE_RESET] = { "reset", "resetting>ready" },
	[LIFE_GO_HOME] = { "go-home", "ready>restoring" },
	[LIFE_HOME] = { "home", "restoring>host" },
	[LIFE_HELD] = { "held", "restoring>draining" },

	/* failed: a claim is rolled back, all else is not fit for anybody */
	[LIFE_FAILED] = { "failed",
	    "claiming>restoring resetting>quarantined restoring>quarantined" },

	/* stuck: wherever a worker runs, and at start where one was left */
	[LIFE_DEADLINE] = { "deadline",
	    "host>wedged claiming>wedged draining>wedged resetting>wedged "
	    "restoring>wedged" },
	[LIFE_UNWEDGED] = { "unwedged", "wedged>draining" },

	/* an administrator's, after trouble: everything is proven anew */
	[LIFE_RECOVER] = { "recover", "quarantined>draining" },

	/* at start, when every device counts as the host's */
	[LIFE_QUARANTINE] = { "quarantine", "host>quarantined" },
	[LIFE_RESUME] = { "resume", "host>draining" },
	[LIFE_KEPT] = { "kept", "host>leased" },

	/* pulled: from everywhere, but once */
	[LIFE_REMOVED] = { "removed",
	    "host>gone claiming>gone ready>gone leased>gone draining>gone "
	    "resetting>gone restoring>gone quarantined>gone wedged>gone" },
};

static int
state_by_name(const char *name)
{
	for (int s = 0; s < STATE_COUNT; s++) {
		if (strcmp(state_name((enum state)s), name) == 0)
			return s;
	}
	ck_abort_msg("no state %s", name);
}

/* What the book says; -1 where it says nothing. */
static int
by_the_book(enum state from, enum device_event ev)
{
	char moves[256], *save = NULL;

	strcpy(moves, book[ev].moves);
	for (char *m = strtok_r(moves, " ", &save); m != NULL;
	     m = strtok_r(NULL, " ", &save)) {
		char *to = strchr(m, '>');

		*to++ = '\0';
		if (state_by_name(m) == (int)from)
			return state_by_name(to);
	}
	return -1;
}

START_TEST(every_state_every_event)
{
	for (int s = 0; s < STATE_COUNT; s++) {
		for (int e = 0; e < LIFE_COUNT; e++) {
			enum device_event ev = (enum device_event)e;
			int to = transition_next((enum state)s, ev);

			ck_assert_msg(to == by_the_book((enum state)s, ev),
			    "%s at %s leads to %d", device_event_name(ev),
			    state_name((enum state)s), to);
		}
	}
}
END_TEST

START_TEST(names)
{
	for (int e = 0; e < LIFE_COUNT; e++)
		ck_assert_str_eq(
		    device_event_name((enum device_event)e), book[e].name);
}
END_TEST

/* Marks all that can be reached from a state, by any events but one. */
static void
walk(enum state from, int without, bool seen[STATE_COUNT])
{
	if (seen[from])
		return;
	seen[from] = true;
	for (int e = 0; e < LIFE_COUNT; e++) {
		int to = transition_next(from, (enum device_event)e);

		if (to >= 0 && e != without)
			walk((enum state)to, without, seen);
	}
}

START_TEST(all_reachable)
{
	bool seen[STATE_COUNT] = { false };

	walk(STATE_HOST, -1, seen);
	for (int s = 0; s < STATE_COUNT; s++)
		ck_assert_msg(
		    seen[s], "no way to %s", state_name((enum state)s));
}
END_TEST

/* Home by itself: only a device in quarantine waits for a person. */
START_TEST(way_home)
{
	for (int s = 0; s < STATE_COUNT; s++) {
		bool seen[STATE_COUNT] = { false }, helped[STATE_COUNT] = { 0 };

		walk((enum state)s, LIFE_RECOVER, seen);
		ck_assert_msg(seen[STATE_HOST] ==
				  (s != STATE_GONE && s != STATE_QUARANTINED),
		    "%s by itself", state_name((enum state)s));
		walk((enum state)s, -1, helped);
		ck_assert_msg(helped[STATE_HOST] == (s != STATE_GONE),
		    "%s with help", state_name((enum state)s));
	}
}
END_TEST

/* Whatever happens to it, who had it is proven away before it is reset, and it
 * is reset before it is anybody's: no path from leased leaves a step out. */
START_TEST(no_short_cut)
{
	static const int gates[] = { LIFE_UNHELD, LIFE_RESET };

	for (size_t i = 0; i < sizeof(gates) / sizeof(gates[0]); i++) {
		bool seen[STATE_COUNT] = { false };

		walk(STATE_DRAINING, gates[i], seen);
		ck_assert(!seen[STATE_READY] && !seen[STATE_LEASED]);
		ck_assert(!seen[STATE_HOST]);
	}
}
END_TEST

START_TEST(gone_is_gone)
{
	for (int e = 0; e < LIFE_COUNT; e++)
		ck_assert_int_eq(
		    transition_next(STATE_GONE, (enum device_event)e), -1);
	ck_assert_int_eq(transition_next(STATE_COUNT, LIFE_REMOVED), -1);
	ck_assert_int_eq(transition_next(STATE_HOST, LIFE_COUNT), -1);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("transition");
	TCase *tc = tcase_create("transition");

	tcase_add_test(tc, every_state_every_event);
	tcase_add_test(tc, names);
	tcase_add_test(tc, all_reachable);
	tcase_add_test(tc, way_home);
	tcase_add_test(tc, no_short_cut);
	tcase_add_test(tc, gone_is_gone);
	suite_add_tcase(s, tc);
	return run_suite(s);
}
