/* SPDX-License-Identifier: ISC */
/*
 * The kernel's messages about PCI functions: which ones count, and that no
 * other message, however made, is read as one of them or past its end.
 */

#include <stdio.h>

#include "broker/monitor/uevent.h"
#include "tests/unit/test_mon.h"

#define PATH "/devices/pci0000:00/0000:00:01.0/0000:01:10.0"
#define REST "DEVPATH=" PATH "\0SUBSYSTEM=pci\0PCI_CLASS=20000\0"
#define SLOT "PCI_SLOT_NAME=0000:01:10.0\0"
#define SEQ "SEQNUM=4242\0"

/* The literal's own NUL ends the last string, where not cut off by hand. */
#define MSG(text) text, sizeof(text) - 1

static const struct {
	const char *name, *msg;
	size_t len;
	enum uevent_action action;
} table[] = {
	{ "add", MSG("add@" PATH "\0ACTION=add\0" REST SLOT SEQ), UEVENT_ADD },
	{ "remove", MSG("remove@" PATH "\0ACTION=remove\0" REST SLOT SEQ),
	    UEVENT_REMOVE },
	{ "bind", MSG("bind@" PATH "\0ACTION=bind\0" REST SLOT SEQ),
	    UEVENT_CHANGE },
	{ "unbind", MSG("unbind@" PATH "\0ACTION=unbind\0" REST SLOT SEQ),
	    UEVENT_CHANGE },
	{ "change", MSG("change@" PATH "\0ACTION=change\0" REST SLOT SEQ),
	    UEVENT_CHANGE },
	{ "move", MSG("move@" PATH "\0ACTION=move\0" REST SLOT SEQ),
	    UEVENT_CHANGE },
	{ "another order", MSG("x\0" SEQ SLOT REST "ACTION=add\0"),
	    UEVENT_ADD },
	{ "no head", MSG("ACTION=add\0" REST SLOT), UEVENT_ADD },
	{ "empty strings", MSG("\0\0\0ACTION=add\0\0" REST "\0" SLOT "\0"),
	    UEVENT_ADD },

	{ "online", MSG("x\0ACTION=online\0" REST SLOT), UEVENT_NONE },
	{ "offline", MSG("x\0ACTION=offline\0" REST SLOT), UEVENT_NONE },
	{ "no action of that name", MSG("x\0ACTION=adds\0" REST SLOT),
	    UEVENT_NONE },
	{ "upper case", MSG("x\0ACTION=ADD\0" REST SLOT), UEVENT_NONE },
	{ "empty action", MSG("x\0ACTION=\0" REST SLOT), UEVENT_NONE },
	{ "no action", MSG("add@" PATH "\0" REST SLOT), UEVENT_NONE },
	{ "only in the head", MSG("add@ACTION=add\0" REST SLOT), UEVENT_NONE },
	{ "a longer key", MSG("x\0XACTION=add\0" REST SLOT), UEVENT_NONE },
	{ "a net device",
	    MSG("x\0ACTION=add\0SUBSYSTEM=net\0INTERFACE=eth0\0" SLOT),
	    UEVENT_NONE },
	{ "pci_bus", MSG("x\0ACTION=add\0SUBSYSTEM=pci_bus\0" SLOT),
	    UEVENT_NONE },
	{ "a driver", MSG("x\0ACTION=add\0SUBSYSTEM=drivers\0DRIVER=igb\0"),
	    UEVENT_NONE },
	{ "no subsystem", MSG("x\0ACTION=add\0" SLOT), UEVENT_NONE },
	{ "no slot", MSG("x\0ACTION=add\0" REST), UEVENT_NONE },
	{ "empty slot", MSG("x\0ACTION=add\0" REST "PCI_SLOT_NAME=\0"),
	    UEVENT_NONE },
	{ "device 32",
	    MSG("x\0ACTION=add\0" REST "PCI_SLOT_NAME=0000:01:20.0\0"),
	    UEVENT_NONE },
	{ "behind the slot",
	    MSG("x\0ACTION=add\0" REST "PCI_SLOT_NAME=0000:01:10.0 \0"),
	    UEVENT_NONE },
	{ "a path", MSG("x\0ACTION=add\0" REST "PCI_SLOT_NAME=../../x\0"),
	    UEVENT_NONE },
	/* What comes first counts: a value can not be put in by a later one. */
	{ "twice", MSG("x\0ACTION=online\0ACTION=add\0" REST SLOT),
	    UEVENT_NONE },
	{ "udev's", MSG("libudev\0\xfe\xed\xca\xfe\0\0\0\x28"), UEVENT_NONE },

	{ "empty", MSG(""), UEVENT_NONE },
	{ "a NUL", MSG("\0"), UEVENT_NONE },
	{ "NULs", MSG("\0\0\0\0\0\0\0\0"), UEVENT_NONE },
	{ "no NUL at the end",
	    MSG("x\0ACTION=add\0" REST "PCI_SLOT_NAME=0000:01:10.0"),
	    UEVENT_NONE },
	{ "a key without more", MSG("x\0" REST SLOT "ACTION="), UEVENT_NONE },
};

/* In memory of exactly its size. */
static enum uevent_action
parse(const char *msg, size_t len, struct bdf *bdf)
{
	char *copy = exact_copy(msg, len);
	enum uevent_action action = uevent_parse(copy, len, bdf);

	free(copy);
	return action;
}

START_TEST(messages)
{
	struct bdf bdf = { 0 };
	enum uevent_action action = parse(table[_i].msg, table[_i].len, &bdf);
	char name[BDF_STRLEN];

	ck_assert_msg(
	    action == table[_i].action, "%s: %d", table[_i].name, (int)action);
	if (action != UEVENT_NONE)
		ck_assert_str_eq(bdf_format(&bdf, name), "0000:01:10.0");
}
END_TEST

START_TEST(wide_domain)
{
	static const char msg[] = "x\0ACTION=remove\0SUBSYSTEM=pci\0"
				  "PCI_SLOT_NAME=10000:e1:00.0";
	struct bdf bdf;

	ck_assert_int_eq(parse(msg, sizeof(msg), &bdf), UEVENT_REMOVE);
	ck_assert_uint_eq(bdf.domain, 0x10000);
	ck_assert_uint_eq(bdf.bus, 0xe1);
}
END_TEST

/* A message that is cut off is none: no device goes by a part of its name. */
START_TEST(cut_off)
{
	static const char msg[] = "add@" PATH "\0ACTION=add\0" REST SLOT;
	struct bdf bdf;

	for (size_t n = 0; n < sizeof(msg) - 2; n++)
		ck_assert_int_eq(parse(msg, n, &bdf), UEVENT_NONE);
	/* Nor when a NUL happens to stand behind it. */
	ck_assert_int_eq(uevent_parse(msg, sizeof(msg) - 2, &bdf), UEVENT_NONE);
	ck_assert_int_eq(parse(msg, sizeof(msg) - 1, &bdf), UEVENT_ADD);
}
END_TEST

START_TEST(one_byte_wrong)
{
	static const char msg[] = "remove@" PATH "\0ACTION=remove\0" REST SLOT;
	char text[sizeof(msg)];
	struct bdf bdf;

	memcpy(text, msg, sizeof(msg));
	for (size_t at = 0; at < sizeof(msg) - 1; at++) {
		for (int c = 1; c < 256; c++) {
			text[at] = (char)(msg[at] ^ c);
			bdf = (struct bdf){ 0 };
			if (parse(text, sizeof(msg) - 1, &bdf) != UEVENT_NONE)
				ck_assert(bdf_valid(&bdf));
		}
		text[at] = msg[at];
	}
}
END_TEST

/* The longest that the kernel makes, full of keys that nearly are ours. */
START_TEST(long_message)
{
	char msg[8192];
	size_t len = 0;
	struct bdf bdf;

	while (len + 64 < sizeof(msg))
		len += (size_t)snprintf(
			   msg + len, sizeof(msg) - len, "ACTIO=N%zu", len) +
		       1;
	ck_assert_int_eq(parse(msg, len, &bdf), UEVENT_NONE);
	memset(msg, 'A', sizeof(msg));
	msg[sizeof(msg) - 1] = '\0';
	ck_assert_int_eq(parse(msg, sizeof(msg), &bdf), UEVENT_NONE);
	memcpy(msg, "ACTION=", 7);
	ck_assert_int_eq(parse(msg, sizeof(msg), &bdf), UEVENT_NONE);
}
END_TEST

int
main(void)
{
	TCase *tc = tcase_create("uevent");
	Suite *s = suite_create("uevent");

	tcase_add_loop_test(tc, messages, 0, sizeof(table) / sizeof(table[0]));
	tcase_add_test(tc, wide_domain);
	tcase_add_test(tc, cut_off);
	tcase_add_test(tc, one_byte_wrong);
	tcase_add_test(tc, long_message);
	suite_add_tcase(s, tc);
	return run_suite(s);
}
