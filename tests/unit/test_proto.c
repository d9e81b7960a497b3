/* SPDX-License-Identifier: ISC */
/*
 * The rules of proto/README.md, read from the generated descriptors, and the
 * numbers that the schema shares with the C headers.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <check.h>

#include "vfiobroker.pb-c.h"

#include "../../broker/common/monmsg.h"
#include "../../broker/common/status.h"
#include "../../client/vfiobroker.h"

/* The type's name in the schema stands for itself, the rest is ours. */
static const struct {
	const char *name;
	int record, client;
} statuses[] = {
	{ "OK", STATUS_OK, VFIOBROKER_OK },
	{ "NOT_FOUND", STATUS_NOT_FOUND, VFIOBROKER_NOT_FOUND },
	{ "DENIED", STATUS_DENIED, VFIOBROKER_DENIED },
	{ "IDENTITY", STATUS_IDENTITY, VFIOBROKER_IDENTITY },
	{ "HOST_IN_USE", STATUS_HOST_IN_USE, VFIOBROKER_HOST_IN_USE },
	{ "GROUP", STATUS_GROUP, VFIOBROKER_GROUP },
	{ "BUSY", STATUS_BUSY, VFIOBROKER_BUSY },
	{ "LIMIT", STATUS_LIMIT, VFIOBROKER_LIMIT },
	{ "UNAVAILABLE", STATUS_UNAVAILABLE, VFIOBROKER_UNAVAILABLE },
	{ "INVALID", STATUS_INVALID, VFIOBROKER_INVALID },
	{ "OS", STATUS_OS, VFIOBROKER_OS },
	{ "INTERNAL", STATUS_INTERNAL, VFIOBROKER_INTERNAL },
}, texts[] = {
	{ "NONE", 0, 0 },
	{ "WHY", MON_TEXT_WHY, VFIOBROKER_TEXT_WHY },
	{ "FIX", MON_TEXT_FIX, VFIOBROKER_TEXT_FIX },
	{ "DECISION", MON_TEXT_DECISION, VFIOBROKER_TEXT_DECISION },
	{ "RULE", MON_TEXT_RULE, VFIOBROKER_TEXT_RULE },
	{ "NEAR", MON_TEXT_NEAR, VFIOBROKER_TEXT_NEAR },
	{ "LIMIT", MON_TEXT_LIMIT, VFIOBROKER_TEXT_LIMIT },
	{ "REASON", MON_TEXT_REASON, VFIOBROKER_TEXT_REASON },
	{ "SIBLING", MON_TEXT_SIBLING, VFIOBROKER_TEXT_SIBLING },
	{ "STEP", MON_TEXT_STEP, VFIOBROKER_TEXT_STEP },
	{ "POLICY", MON_TEXT_POLICY, VFIOBROKER_TEXT_POLICY },
}, fds[] = {
	{ "NONE", 0, 0 },
	{ "LEASE", MON_FD_LEASE, MON_FD_LEASE },
	{ "CONTAINER", MON_FD_CONTAINER, MON_FD_CONTAINER },
	{ "GROUP", MON_FD_GROUP, MON_FD_GROUP },
	{ "IOMMUFD", MON_FD_IOMMUFD, MON_FD_IOMMUFD },
	{ "DEVICE", MON_FD_DEVICE, MON_FD_DEVICE },
};

#define CHECK_ENUM(descriptor, table, count)                              \
	do {                                                              \
		const ProtobufCEnumValue *v;                              \
                                                                          \
		ck_assert_uint_eq((descriptor).n_values, (count));        \
		ck_assert_uint_eq(                                        \
		    sizeof(table) / sizeof((table)[0]), (count));         \
		for (unsigned i = 0; i < (count); i++) {                  \
			v = protobuf_c_enum_descriptor_get_value_by_name( \
			    &(descriptor), (table)[i].name);              \
			ck_assert_ptr_nonnull(v);                         \
			ck_assert_int_eq(v->value, (table)[i].record);    \
			ck_assert_int_eq(v->value, (table)[i].client);    \
		}                                                         \
	} while (0)

START_TEST(enum_status)
{
	CHECK_ENUM(vfiobroker__status__descriptor, statuses, STATUS_COUNT);
}
END_TEST

START_TEST(enum_text)
{
	CHECK_ENUM(
	    vfiobroker__text__kind__descriptor, texts, MON_TEXT_KIND_COUNT);
}
END_TEST

START_TEST(enum_fd)
{
	CHECK_ENUM(vfiobroker__fd__kind__descriptor, fds, MON_FD_KIND_COUNT);
}
END_TEST

/* ---- every message that can be reached -------------------------------- */

typedef void visit(const ProtobufCMessageDescriptor *,
    const ProtobufCFieldDescriptor *, unsigned depth);

#define DEPTH_MAX 8

static void
walk(const ProtobufCMessageDescriptor *m, visit *each, unsigned depth)
{
	/* protobuf_c_message_unpack() recurses without a limit of its own. */
	ck_assert_msg(depth < DEPTH_MAX, "%s contains itself", m->name);
	for (unsigned i = 0; i < m->n_fields; i++) {
		const ProtobufCFieldDescriptor *f = &m->fields[i];

		if (each != NULL)
			each(m, f, depth);
		if (f->type == PROTOBUF_C_TYPE_MESSAGE)
			walk(f->descriptor, each, depth + 1);
	}
}

START_TEST(no_recursion)
{
	walk(&vfiobroker__request__descriptor, NULL, 0);
	walk(&vfiobroker__reply__descriptor, NULL, 0);
}
END_TEST

/* Varints, strings and messages; no floats, no fixed, no bytes, no zigzag. */
static void
check_type(const ProtobufCMessageDescriptor *m,
    const ProtobufCFieldDescriptor *f, unsigned depth)
{
	static const ProtobufCType allowed[] = { PROTOBUF_C_TYPE_INT32,
		PROTOBUF_C_TYPE_UINT32, PROTOBUF_C_TYPE_UINT64,
		PROTOBUF_C_TYPE_BOOL, PROTOBUF_C_TYPE_ENUM,
		PROTOBUF_C_TYPE_STRING, PROTOBUF_C_TYPE_MESSAGE };
	bool ok = false;

	(void)depth;
	for (size_t i = 0; i < sizeof(allowed) / sizeof(allowed[0]); i++)
		ok |= f->type == allowed[i];
	ck_assert_msg(ok, "%s.%s", m->name, f->name);
	ck_assert_msg(
	    f->label != PROTOBUF_C_LABEL_REQUIRED, "%s.%s", m->name, f->name);
}

START_TEST(only_simple_types)
{
	walk(&vfiobroker__request__descriptor, check_type, 0);
	walk(&vfiobroker__reply__descriptor, check_type, 0);
}
END_TEST

/* What a client may repeat or spell is listed here, with its check. */
static void
check_bounded(const ProtobufCMessageDescriptor *m,
    const ProtobufCFieldDescriptor *f, unsigned depth)
{
	static const char *const known[] = {
		"Acquire.devices", /* decode_devices() */
		"Acquire.label", /* decode_label() */
		"Explain.gids", /* decode_about() */
	};
	char name[64];

	(void)depth;
	if (f->label != PROTOBUF_C_LABEL_REPEATED &&
	    f->type != PROTOBUF_C_TYPE_STRING)
		return;
	snprintf(name, sizeof(name), "%s.%s", m->short_name, f->name);
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (strcmp(known[i], name) == 0)
			return;
	ck_abort_msg("%s has no documented bound", name);
}

START_TEST(requests_are_bounded)
{
	walk(&vfiobroker__request__descriptor, check_bounded, 0);
}
END_TEST

int
main(void)
{
	TCase *tc = tcase_create("proto");
	Suite *s = suite_create("proto");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_add_test(tc, enum_status);
	tcase_add_test(tc, enum_text);
	tcase_add_test(tc, enum_fd);
	tcase_add_test(tc, no_recursion);
	tcase_add_test(tc, only_simple_types);
	tcase_add_test(tc, requests_are_bounded);
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
