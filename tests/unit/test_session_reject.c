/* SPDX-License-Identifier: ISC */
/*
 * What the session does not take: senseless requests get a sentence, bytes
 * that are none of our protocol end the connection.
 */

#include "decoding.h"

/* ---- well-formed nonsense --------------------------------------------- */

#define DEV "\x0a\x04\x10\x01\x18\x10" /* device 01:10.0 in Acquire */

static const struct {
	const char *what;
	const char *bytes;
	size_t len;
	const char *why;
} nonsense[] = {
	{ "no id", BYTES("\x1a\0"), "id" },
	{ "no id, other op", BYTES("\x3a\2\x08\5"), "id" },
	{ "hello without version", BYTES("\x08\1\x12\0"), "version" },
	{ "hello version 2", BYTES("\x08\1\x12\2\x08\2"), "version" },
	{ "acquire nothing", BYTES("\x08\1\x2a\0"), "no device" },
	{ "acquire one twice", BYTES("\x08\1\x2a\x0c" DEV DEV), "twice" },
	{ "label too long",
	    BYTES("\x08\1\x2a\x28" DEV "\x22\x20"
		  "0123456789abcdef0123456789abcdef"),
	    "longer than 31" },
	{ "label with a tab", BYTES("\x08\1\x2a\x0b" DEV "\x22\3a\tb"),
	    "printable" },
	{ "label with a newline", BYTES("\x08\1\x2a\x09" DEV "\x22\1\n"),
	    "printable" },
	{ "label with an escape", BYTES("\x08\1\x2a\x0b" DEV "\x22\3\x1b[m"),
	    "printable" },
	{ "label with DEL", BYTES("\x08\1\x2a\x09" DEV "\x22\1\x7f"),
	    "printable" },
	{ "label in UTF-8", BYTES("\x08\1\x2a\x0a" DEV "\x22\2\xc3\xa9"),
	    "printable" },
	{ "label not UTF-8", BYTES("\x08\1\x2a\x09" DEV "\x22\1\xff"),
	    "printable" },
	{ "open group of no lease", BYTES("\x08\1\x32\2\x10\x1a"), "no lease" },
	{ "release nothing", BYTES("\x08\1\x3a\0"), "no lease" },
	{ "memlock of no lease", BYTES("\x08\1\x42\2\x10\5"), "no lease" },
	{ "memlock of nothing", BYTES("\x08\1\x42\2\x08\5"), "no limit" },
	{ "explain nothing", BYTES("\x08\1\x4a\0"), "no device" },
	{ "explain a uid by the way", BYTES("\x08\1\x4a\4\x0a\0\x28\5"),
	    "has_user" },
	{ "explain gids by the way", BYTES("\x08\1\x4a\5\x0a\0\x32\1\5"),
	    "has_user" },
	{ "revoke nothing", BYTES("\x08\1\x5a\0"), "no lease" },
	{ "recover nothing", BYTES("\x08\1\x6a\0"), "no device" },
};

START_TEST(refused)
{
	ck_assert_msg(decode(nonsense[_i].bytes, nonsense[_i].len) == -EINVAL,
	    "%s: %s", nonsense[_i].what, req.why);
	ck_assert_ptr_nonnull(req.why);
	ck_assert_msg(strstr(req.why, nonsense[_i].why) != NULL, "%s: %s",
	    nonsense[_i].what, req.why);
	ck_assert_uint_eq(req.len, 0);
}
END_TEST

START_TEST(seventeen_devices)
{
	Vfiobroker__Acquire a;
	Vfiobroker__Bdf bdfs[400], *list[400];
	MESSAGE(acquire, ACQUIRE, &a);

	vfiobroker__acquire__init(&a);
	for (unsigned i = 0; i < 400; i++) {
		vfiobroker__bdf__init(&bdfs[i]);
		bdfs[i].domain = i;
		list[i] = &bdfs[i];
	}
	a.devices = list;
	a.n_devices = 17;
	ck_assert_int_eq(decode_message(&m), -EINVAL);
	ck_assert_ptr_nonnull(strstr(req.why, "16"));
	a.n_devices = 400;
	ck_assert_int_eq(decode_message(&m), -EINVAL);
}
END_TEST

/* ---- not our protocol ------------------------------------------------- */

static const struct {
	const char *what;
	const char *bytes;
	size_t len;
} garbage[] = {
	{ "a byte", BYTES("x") },
	{ "text", BYTES("GET / HTTP/1.1\r\n\r\n") },
	{ "zeroes", BYTES("\0\0\0\0\0\0\0\0") },
	{ "ones", BYTES("\xff\xff\xff\xff\xff\xff\xff\xff") },
	{ "an id alone", BYTES("\x08\1") },
	{ "an id cut off", BYTES("\x08") },
	{ "an endless varint",
	    BYTES("\x08\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\1") },
	{ "an id of 36 bits", BYTES("\x08\x81\x80\x80\x80\x80\1\x1a\0") },
	{ "a padded id", BYTES("\x08\x81\0\x1a\0") },
	{ "a padded tag", BYTES("\x88\0\1\x1a\0") },
	{ "a padded length", BYTES("\x08\1\x1a\x80\0") },
	{ "an id written out as 0", BYTES("\x08\0\x1a\0") },
	{ "two ids", BYTES("\x08\1\x08\2\x1a\0") },
	{ "the id last", BYTES("\x1a\0\x08\1") },
	{ "an id as fixed32", BYTES("\x0d\1\0\0\0\x1a\0") },
	{ "an id as bytes", BYTES("\x0a\1\1\x1a\0") },
	{ "an unknown op", BYTES("\x08\1\x82\1\0") },
	{ "an unknown op, varint", BYTES("\x08\1\x80\1\1") },
	{ "an unknown field beside", BYTES("\x08\1\x1a\0\xa0\6\1") },
	{ "an unknown field inside", BYTES("\x08\1\x1a\2\x08\1") },
	{ "an unknown field in hello", BYTES("\x08\1\x12\4\x08\1\x10\1") },
	{ "an unknown field in a device",
	    BYTES("\x08\1\x2a\x08\x0a\6\x10\1\x18\x10\x28\1") },
	{ "an unknown field in explain's device",
	    BYTES("\x08\1\x4a\4\x0a\2\x28\1") },
	{ "an unknown field of 2 GiB",
	    BYTES("\x08\1\x1a\0\xa2\6\xff\xff\xff\xff\7") },
	{ "two ops", BYTES("\x08\1\x1a\0\x22\0") },
	{ "one op twice", BYTES("\x08\1\x1a\0\x1a\0") },
	{ "a merged op", BYTES("\x08\1\x3a\0\x3a\2\x08\5") },
	{ "field 0", BYTES("\x08\1\x02\0\x1a\0") },
	{ "a group", BYTES("\x08\1\x1b\x1c") },
	{ "an end group", BYTES("\x08\1\x1c") },
	{ "wire type 6", BYTES("\x08\1\x1e\0") },
	{ "wire type 7", BYTES("\x08\1\x1f\0") },
	{ "an op longer than the message", BYTES("\x08\1\x3a\5\x08\5") },
	{ "an op of 4 GiB", BYTES("\x08\1\x3a\xff\xff\xff\xff\x0f\x08\5") },
	{ "an op with a length of 10 bytes",
	    BYTES("\x08\1\x3a\xff\xff\xff\xff\xff\xff\xff\xff\xff\1") },
	{ "an op cut before its length", BYTES("\x08\1\x3a") },
	{ "an op as a varint", BYTES("\x08\1\x38\1") },
	{ "bus 256", BYTES("\x08\1\x2a\5\x0a\3\x10\x80\2") },
	{ "bus of 33 bits",
	    BYTES("\x08\1\x2a\x08\x0a\6\x10\x81\x80\x80\x80\x10") },
	{ "a negative bus", BYTES("\x08\1\x2a\x0d\x0a\x0b\x10\xff\xff\xff\xff"
				  "\xff\xff\xff\xff\xff\1") },
	{ "dev 32", BYTES("\x08\1\x2a\4\x0a\2\x18\x20") },
	{ "fn 8", BYTES("\x08\1\x2a\4\x0a\2\x20\x08") },
	{ "fn 8 in the second device",
	    BYTES("\x08\1\x2a\x0a" DEV "\x0a\2\x20\x08") },
	{ "dev 32 in recover", BYTES("\x08\1\x6a\4\x0a\2\x18\x20") },
	{ "dev 32 in explain", BYTES("\x08\1\x4a\4\x0a\2\x18\x20") },
	{ "a device as a varint", BYTES("\x08\1\x2a\2\x08\1") },
	{ "a label with a NUL", BYTES("\x08\1\x2a\x0b" DEV "\x22\3a\0b") },
	{ "a label ending in NUL", BYTES("\x08\1\x2a\x0a" DEV "\x22\2a\0") },
	{ "a label of one NUL", BYTES("\x08\1\x2a\x09" DEV "\x22\1\0") },
	{ "an empty label written out", BYTES("\x08\1\x2a\x08" DEV "\x22\0") },
	{ "two labels", BYTES("\x08\1\x2a\x0c" DEV "\x22\1a\x22\1b") },
	{ "a label longer than the op", BYTES("\x08\1\x2a\x09" DEV "\x22\x7f"
					      "a") },
	{ "a bool of 2", BYTES("\x08\1\x2a\x08" DEV "\x28\2") },
	{ "a bool of 64 bits",
	    BYTES("\x08\1\x2a\x11" DEV
		  "\x28\xff\xff\xff\xff\xff\xff\xff\xff\xff\1") },
	{ "a bool written out as false", BYTES("\x08\1\x2a\x08" DEV "\x28\0") },
	{ "members out of order", BYTES("\x08\1\x2a\x08\x28\1" DEV) },
	{ "a group of 33 bits",
	    BYTES("\x08\1\x32\x08\x08\5\x10\x81\x80\x80\x80\x10") },
	{ "a group of 2^31",
	    BYTES("\x08\1\x32\x08\x08\5\x10\x80\x80\x80\x80\x08") },
	{ "a lease of 70 bits",
	    BYTES("\x08\1\x3a\x0b\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff"
		  "\x7f") },
	{ "gids not packed", BYTES("\x08\1\x4a\6\x0a\0\x20\1\x30\5") },
	{ "gids in two pieces",
	    BYTES("\x08\1\x4a\x0a\x0a\0\x20\1\x32\1\5\x32\1\6") },
	{ "gids cut off", BYTES("\x08\1\x4a\x07\x0a\0\x20\1\x32\1\x85") },
	{ "no gids written out", BYTES("\x08\1\x4a\6\x0a\0\x20\1\x32\0") },
	{ "a gid of 33 bits",
	    BYTES("\x08\1\x4a\x0b\x0a\0\x20\1\x32\5\x81\x80\x80\x80\x10") },
	{ "explain two devices", BYTES("\x08\1\x4a\4\x0a\0\x0a\0") },
};

START_TEST(malformed)
{
	ck_assert_msg(decode(garbage[_i].bytes, garbage[_i].len) == -EBADMSG,
	    "%s: %s", garbage[_i].what, req.why);
	ck_assert_ptr_nonnull(req.why);
	ck_assert_uint_eq(req.len, 0);
}
END_TEST

START_TEST(empty)
{
	ck_assert_int_eq(decode("", 0), -EBADMSG);
}
END_TEST

START_TEST(too_long)
{
	static uint8_t buf[PROTO_MESSAGE_MAX + 1] = { 8, 1, 0x1a, 0 };

	ck_assert_int_eq(decode(buf, sizeof(buf)), -EBADMSG);
	ck_assert_ptr_nonnull(strstr(req.why, "more bytes"));
}
END_TEST

/* A message of nothing but sub-messages costs far more than its bytes. */
START_TEST(bomb)
{
	static uint8_t buf[PROTO_MESSAGE_MAX] = { 8, 1, 0x2a, 0xfa, 0x3f };
	struct request out;

	for (size_t i = 5; i + 1 < sizeof(buf); i += 2)
		buf[i] = 0x0a;
	ck_assert_int_eq(
	    decode_request(buf, sizeof(buf) - 1, budget_start(), &out),
	    -EBADMSG);
	ck_assert(budget_spent());
	/* And the next message finds the whole budget again. */
	ck_assert_int_eq(decode_request((const uint8_t *)"\x08\1\x1a\0", 4,
			     budget_start(), &out),
	    0);
	ck_assert(!budget_spent());
}
END_TEST

/* A good request cut or stretched anywhere is none. */
START_TEST(every_prefix)
{
	static const char good[] =
	    "\x08\x4d\x2a\x15" DEV "\x10\x80\x80\x40\x18\5\x22\3"
	    "vm1\x28\1\x30\1";
	size_t len = sizeof(good) - 1;
	char longer[sizeof(good) + 1];

	ck_assert_int_eq(decode(good, len), 0);
	for (size_t n = 0; n < len; n++)
		ck_assert_int_eq(decode(good, n), -EBADMSG);
	memcpy(longer, good, len);
	for (unsigned x = 0; x < 256; x++) {
		longer[len] = (char)x;
		ck_assert_int_eq(decode(longer, len + 1), -EBADMSG);
	}
}
END_TEST

/* Whatever comes of a changed byte is canonical, or refused. */
START_TEST(every_byte)
{
	static const char good[] =
	    "\x08\x4d\x2a\x15" DEV "\x10\x80\x80\x40\x18\5\x22\3"
	    "vm1\x28\1\x30\1";
	char changed[sizeof(good)];
	unsigned taken = 0;

	for (size_t at = 0; at < sizeof(good) - 1; at++) {
		for (unsigned x = 1; x < 256; x++) {
			memcpy(changed, good, sizeof(good));
			changed[at] = (char)(changed[at] ^ (int)x);
			if (decode(changed, sizeof(good) - 1) != 0)
				continue;
			taken++;
			ck_assert(monmsg_check_request(&req.record, req.len));
		}
	}
	ck_assert_uint_gt(taken, 0);
}
END_TEST

#define N(a) ((int)(sizeof(a) / sizeof((a)[0])))

int
main(void)
{
	TCase *tc = tcase_create("reject");
	Suite *s = suite_create("session_reject");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_add_loop_test(tc, refused, 0, N(nonsense));
	tcase_add_test(tc, seventeen_devices);
	tcase_add_loop_test(tc, malformed, 0, N(garbage));
	tcase_add_test(tc, empty);
	tcase_add_test(tc, too_long);
	tcase_add_test(tc, bomb);
	tcase_add_test(tc, every_prefix);
	tcase_add_test(tc, every_byte);
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
