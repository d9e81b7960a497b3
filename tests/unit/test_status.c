/* SPDX-License-Identifier: ISC */
/* Statuses: each has a name, and the exit status the contract promises. */

#include <stdlib.h>
#include <string.h>

#include <check.h>

#include "../../broker/common/status.h"
#include "../../client/vfiobroker.h"

static const struct {
	enum status status;
	const char *name;
	int exit;
	int client; /* the same in the public header */
} table[] = {
	{ STATUS_OK, "OK", 0, VFIOBROKER_OK },
	{ STATUS_NOT_FOUND, "NOT_FOUND", 66, VFIOBROKER_NOT_FOUND },
	{ STATUS_DENIED, "DENIED", 77, VFIOBROKER_DENIED },
	{ STATUS_IDENTITY, "IDENTITY_CHANGED", 77, VFIOBROKER_IDENTITY },
	{ STATUS_HOST_IN_USE, "HOST_IN_USE", 77, VFIOBROKER_HOST_IN_USE },
	{ STATUS_GROUP, "GROUP", 77, VFIOBROKER_GROUP },
	{ STATUS_BUSY, "BUSY", 75, VFIOBROKER_BUSY },
	{ STATUS_LIMIT, "LIMIT", 75, VFIOBROKER_LIMIT },
	{ STATUS_UNAVAILABLE, "UNAVAILABLE", 69, VFIOBROKER_UNAVAILABLE },
	{ STATUS_INVALID, "INVALID", 64, VFIOBROKER_INVALID },
	{ STATUS_OS, "OS", 71, VFIOBROKER_OS },
	{ STATUS_INTERNAL, "INTERNAL", 70, VFIOBROKER_INTERNAL },
};

START_TEST(contract)
{
	ck_assert_int_eq(table[_i].status, (enum status)_i);
	ck_assert_str_eq(status_name(table[_i].status), table[_i].name);
	ck_assert_int_eq(status_exit(table[_i].status), table[_i].exit);
	ck_assert_int_eq((int)table[_i].status, table[_i].client);
}
END_TEST

START_TEST(complete)
{
	ck_assert_uint_eq(sizeof(table) / sizeof(table[0]), STATUS_COUNT);
}
END_TEST

int
main(void)
{
	TCase *tc = tcase_create("status");
	Suite *s = suite_create("status");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_add_loop_test(tc, contract, 0, STATUS_COUNT);
	tcase_add_test(tc, complete);
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
