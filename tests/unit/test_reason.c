/* SPDX-License-Identifier: ISC */
/* The table of guard reasons: complete and distinct. */

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include <check.h>

#include "../../broker/common/reason.h"

START_TEST(complete)
{
	enum reason r = (enum reason)_i;
	const char *name = reason_name(r), *key = reason_keyword(r);

	ck_assert_ptr_nonnull(name);
	ck_assert_ptr_nonnull(key);
	ck_assert_ptr_nonnull(reason_text(r));
	ck_assert_uint_gt(strlen(reason_text(r)), 0);
	for (enum reason other = 0; other < r; other++)
		ck_assert_str_ne(key, reason_keyword(other));
	/* The keyword is the name, in the spelling of the policy. */
	ck_assert_uint_eq(strlen(key), strlen(name));
	for (size_t i = 0; name[i] != '\0'; i++)
		ck_assert_int_eq(key[i],
		    name[i] == '_' ? '-' : tolower((unsigned char)name[i]));
}
END_TEST

START_TEST(tolerable)
{
	/* Not a matter of taste: nothing can make these safe. */
	ck_assert(!reason_tolerable(REASON_NOT_ENDPOINT));
	ck_assert(!reason_tolerable(REASON_NO_IOMMU_GROUP));
	ck_assert(!reason_tolerable(REASON_NOIOMMU));
	for (enum reason r = REASON_ROOT_FS; r < REASON_NOT_ENDPOINT; r++)
		ck_assert(reason_tolerable(r));
}
END_TEST

int
main(void)
{
	TCase *tc = tcase_create("reason");
	Suite *s = suite_create("reason");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_add_loop_test(tc, complete, 0, REASON_COUNT);
	tcase_add_test(tc, tolerable);
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
