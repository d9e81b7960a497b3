/* SPDX-License-Identifier: ISC */
/* States: each has a name of its own that fits the public structs. */

#include <stdlib.h>
#include <string.h>

#include <check.h>

#include "../../broker/common/state.h"
#include "../../client/vfiobroker.h"

static const char *const names[] = { "host", "claiming", "ready", "leased",
	"draining", "resetting", "restoring", "quarantined", "wedged", "gone" };

START_TEST(named)
{
	const char *name = state_name((enum state)_i);

	ck_assert_str_eq(name, names[_i]);
	ck_assert_uint_lt(
	    strlen(name), sizeof(((struct vfiobroker_device *)NULL)->state));
	ck_assert_uint_lt(
	    strlen(name), sizeof(((struct vfiobroker_event *)NULL)->from));
}
END_TEST

START_TEST(complete)
{
	ck_assert_uint_eq(sizeof(names) / sizeof(names[0]), STATE_COUNT);
	/* A record of zeroes must not mean a device in somebody's hands. */
	ck_assert_int_eq(STATE_HOST, 0);
}
END_TEST

int
main(void)
{
	TCase *tc = tcase_create("state");
	Suite *s = suite_create("state");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_add_loop_test(tc, named, 0, STATE_COUNT);
	tcase_add_test(tc, complete);
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
