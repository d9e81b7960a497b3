/* SPDX-License-Identifier: ISC */
/*
 * The library's connection: hello, no broker, the wrong one, one that leaves;
 * and what errors look like as sentences and exit statuses.
 */

#include <sys/resource.h>

#include <limits.h>

#include "broker_peer.h"

static void
open_fails(int want, int exit, const char *sentence)
{
	int r;

	before = fd_count();
	r = vfiobroker_open(&h, broker_addr.sun_path);

	ck_assert_int_eq(r, want);
	ck_assert_ptr_nonnull(h);
	ck_assert_msg(strstr(vfiobroker_error(h), sentence) != NULL, "%s",
	    vfiobroker_error(h));
	ck_assert_int_eq(vfiobroker_exit_status(r), exit);
	if (r < 0)
		ck_assert_uint_eq(fd_count(), before);
}

/* ---- hello ------------------------------------------------------------ */

static void
script_welcome(int fd)
{
	broker_welcome(fd);
	MUST(broker_recv(fd, NULL, NULL) == NULL);
}

START_TEST(welcome)
{
	const struct vfiobroker_welcome *w;

	before = fd_count();
	broker_start(script_welcome);
	ck_assert_int_eq(vfiobroker_open(&h, broker_addr.sun_path), 0);
	w = vfiobroker_welcome(h);
	ck_assert_uint_eq(w->version, 1);
	ck_assert_str_eq(w->broker, "a broker 1.0");
	ck_assert_uint_eq(w->uid, 1000);
	ck_assert_int_eq(w->pid, 4711);
	ck_assert(w->admin);
	ck_assert(w->vfio);
	ck_assert(w->backend_group);
	ck_assert_int_eq(fcntl(vfiobroker_fd(h), F_GETFD), FD_CLOEXEC);
	ck_assert_str_eq(vfiobroker_error(h), "no error");
	vfiobroker_close(h);
	h = NULL;
	ck_assert_uint_eq(fd_count(), before);
	broker_finish();
}
END_TEST

START_TEST(path_from_environment)
{
	broker_start(script_welcome);
	setenv("VFIOBROKER_SOCKET", broker_addr.sun_path, 1);
	ck_assert_int_eq(vfiobroker_open(&h, NULL), 0);
}
END_TEST

START_TEST(path_is_empty)
{
	setenv("VFIOBROKER_SOCKET", "", 1);
	if (access(VFIOBROKER_SOCKET, F_OK) == 0)
		return; /* a broker runs here: not ours to ask */
	ck_assert_int_lt(vfiobroker_open(&h, NULL), 0);
	ck_assert_ptr_nonnull(strstr(vfiobroker_error(h), VFIOBROKER_SOCKET));
}
END_TEST

/* ---- nobody there ----------------------------------------------------- */

START_TEST(no_socket)
{
	char want[256];

	open_fails(-ENOENT, 69, "");
	snprintf(want, sizeof(want),
	    "cannot connect to %s: No such file or directory\n"
	    "  start it: systemctl start vfiobrokerd.socket",
	    broker_addr.sun_path);
	ck_assert_str_eq(vfiobroker_error(h), want);
	ck_assert_int_eq(vfiobroker_fd(h), -1);
}
END_TEST

static void
listen_as(int type, int backlog)
{
	int fd = socket(AF_UNIX, type, 0);

	ck_assert_int_eq(bind(fd, (const struct sockaddr *)&broker_addr,
			     sizeof(broker_addr)),
	    0);
	if (backlog > 0)
		ck_assert_int_eq(listen(fd, backlog), 0);
	/* Left to the end of the test. */
}

START_TEST(nobody_listens)
{
	char want[256];

	listen_as(SOCK_SEQPACKET, 0);
	open_fails(-ECONNREFUSED, 69, "");
	snprintf(want, sizeof(want),
	    "cannot connect to %s: Connection refused\n"
	    "  start it: systemctl start vfiobrokerd.socket",
	    broker_addr.sun_path);
	ck_assert_str_eq(vfiobroker_error(h), want);
}
END_TEST

START_TEST(another_kind_of_socket)
{
	listen_as(SOCK_STREAM, 1);
	open_fails(-EPROTOTYPE, 69, "cannot connect to");
}
END_TEST

START_TEST(path_too_long)
{
	char path[300];

	memset(path, 'x', sizeof(path) - 1);
	path[sizeof(path) - 1] = '\0';
	ck_assert_int_eq(vfiobroker_open(&h, path), -ENAMETOOLONG);
	ck_assert_int_eq(vfiobroker_exit_status(-ENAMETOOLONG), 64);
	ck_assert_ptr_nonnull(strstr(vfiobroker_error(h), path));
}
END_TEST

START_TEST(no_descriptor_left)
{
	struct rlimit rl = { 0, 0 };

	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &rl), 0);
	rl.rlim_cur = 3;
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &rl), 0);
	ck_assert_int_eq(vfiobroker_open(&h, broker_addr.sun_path), -EMFILE);
	ck_assert_ptr_nonnull(
	    strstr(vfiobroker_error(h), "Too many open files"));
	ck_assert_int_eq(vfiobroker_exit_status(-EMFILE), 71);
	rl.rlim_cur = rl.rlim_max;
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &rl), 0);
}
END_TEST

/* Without a connection every call says so, and fails the same way. */
START_TEST(calls_without_connection)
{
	struct vfiobroker_device *d;
	struct vfiobroker_event e;
	struct vfiobroker_grant *g = (void *)&d;
	const struct vfiobroker_request req = { .pidfd = -1 };
	size_t n = 5;

	open_fails(-ENOENT, 69, "");
	ck_assert_int_eq(vfiobroker_list_devices(h, &d, &n), -ENOTCONN);
	ck_assert_ptr_null(d);
	ck_assert_uint_eq(n, 0);
	ck_assert_int_eq(vfiobroker_acquire(h, &req, &g), -ENOTCONN);
	ck_assert_ptr_null(g);
	ck_assert_int_eq(vfiobroker_next_event(h, &e), -ENOTCONN);
	ck_assert_int_eq(vfiobroker_exit_status(-ENOTCONN), 69);
	ck_assert_ptr_nonnull(strstr(vfiobroker_error(h), "not connected"));
}
END_TEST

/* ---- somebody else ---------------------------------------------------- */

static void
script_closes(int fd)
{
	close(fd);
}

static void
script_closes_after_hello(int fd)
{
	broker_expect(fd, VFIOBROKER__REQUEST__OP_HELLO);
	close(fd);
}

START_TEST(closed)
{
	broker_start(_i == 0 ? script_closes : script_closes_after_hello);
	open_fails(-ECONNRESET, 69, "closed the connection");
}
END_TEST

static void
script_refuses(int fd)
{
	uint32_t id = broker_expect(fd, VFIOBROKER__REQUEST__OP_HELLO);

	broker_text(fd, id, VFIOBROKER_TEXT_WHY, "uid 7 has too many", false);
	broker_text(fd, id, VFIOBROKER_TEXT_FIX, "close some", false);
	broker_end(fd, id, VFIOBROKER_LIMIT);
}

START_TEST(refused)
{
	broker_start(script_refuses);
	open_fails(VFIOBROKER_LIMIT, 75, "uid 7 has too many\n  close some");
}
END_TEST

static void
reply_hello(int fd, unsigned versions, const uint32_t *version)
{
	uint32_t id = broker_expect(fd, VFIOBROKER__REQUEST__OP_HELLO);
	Vfiobroker__Reply reply;
	Vfiobroker__Welcome w;

	vfiobroker__reply__init(&reply);
	vfiobroker__welcome__init(&w);
	reply.id = id;
	reply.more = true;
	reply.body_case = VFIOBROKER__REPLY__BODY_WELCOME;
	reply.welcome = &w;
	for (unsigned i = 0; i < versions; i++) {
		w.version = version[i];
		broker_send(fd, &reply, NULL, 0);
	}
	broker_end(fd, id, 0);
}

static void
script_other_version(int fd)
{
	reply_hello(fd, 1, (const uint32_t[]){ 2 });
}

static void
script_no_welcome(int fd)
{
	reply_hello(fd, 0, NULL);
}

static void
script_two_welcomes(int fd)
{
	reply_hello(fd, 2, (const uint32_t[]){ 1, 1 });
}

static void
script_garbage(int fd)
{
	broker_expect(fd, VFIOBROKER__REQUEST__OP_HELLO);
	MUST(fdpass_send(fd, "HTTP/1.1 400\r\n", 14, NULL, 0) == 0);
}

static void
script_too_long(int fd)
{
	static const char big[PROTO_MESSAGE_MAX + 1];

	broker_expect(fd, VFIOBROKER__REQUEST__OP_HELLO);
	MUST(fdpass_send(fd, big, sizeof(big), NULL, 0) == 0);
}

static void
script_no_bytes(int fd)
{
	broker_expect(fd, VFIOBROKER__REQUEST__OP_HELLO);
	MUST(send(fd, "", 0, 0) == 0);
}

static void
script_wrong_id(int fd)
{
	broker_end(fd, broker_expect(fd, VFIOBROKER__REQUEST__OP_HELLO) + 1, 0);
}

static void
script_an_fd(int fd)
{
	Vfiobroker__Reply reply;

	vfiobroker__reply__init(&reply);
	reply.id = broker_expect(fd, VFIOBROKER__REQUEST__OP_HELLO);
	broker_send(fd, &reply, &fd, 1);
}

static void
script_status(int fd)
{
	broker_end(fd, broker_expect(fd, VFIOBROKER__REQUEST__OP_HELLO), 12);
}

static void
script_negative_status(int fd)
{
	broker_end(fd, broker_expect(fd, VFIOBROKER__REQUEST__OP_HELLO), -1);
}

static void
script_text_kind(int fd)
{
	broker_text(fd, broker_expect(fd, VFIOBROKER__REQUEST__OP_HELLO), 11,
	    "x", false);
}

static void
script_too_many_fds(int fd)
{
	int fds[FDPASS_MAX_FDS];
	Vfiobroker__Reply reply;

	for (size_t i = 0; i < FDPASS_MAX_FDS; i++)
		fds[i] = fd;
	vfiobroker__reply__init(&reply);
	reply.id = broker_expect(fd, VFIOBROKER__REQUEST__OP_HELLO);
	reply.more = true;
	broker_send(fd, &reply, fds, FDPASS_MAX_FDS);
}

/* The text must not be seen of an answer that was never finished. */
static void
script_text_then_garbage(int fd)
{
	broker_text(fd, broker_expect(fd, VFIOBROKER__REQUEST__OP_HELLO),
	    VFIOBROKER_TEXT_WHY, "half an answer", false);
	MUST(fdpass_send(fd, "\xff", 1, NULL, 0) == 0);
}

static const struct {
	void (*script)(int);
	int r;
	const char *says;
} strangers[] = {
	{ script_other_version, -EPROTO, "makes no sense" },
	{ script_no_welcome, -EPROTO, "no welcome" },
	{ script_two_welcomes, -EPROTO, "makes no sense" },
	{ script_garbage, -EPROTO, "no reply" },
	{ script_too_long, -EPROTO, "too long" },
	{ script_no_bytes, -ECONNRESET, "closed" },
	{ script_wrong_id, -EPROTO, "makes no sense" },
	{ script_an_fd, -EPROTO, "makes no sense" },
	{ script_status, -EPROTO, "makes no sense" },
	{ script_negative_status, -EPROTO, "makes no sense" },
	{ script_text_kind, -EPROTO, "makes no sense" },
	{ script_too_many_fds, -EPROTO, "makes no sense" },
	{ script_text_then_garbage, -EPROTO, "no reply" },
};

START_TEST(stranger)
{
	const struct vfiobroker_text *t;

	broker_start(strangers[_i].script);
	open_fails(strangers[_i].r, strangers[_i].r == -EPROTO ? 76 : 69,
	    strangers[_i].says);
	ck_assert_int_eq(vfiobroker_fd(h), -1);
	ck_assert_uint_eq(vfiobroker_texts(h, &t), 0);
	ck_assert_int_eq(vfiobroker_release(h, 1), -ENOTCONN);
}
END_TEST

/* ---- without a handle ------------------------------------------------- */

START_TEST(nothing_to_close)
{
	vfiobroker_close(NULL);
	vfiobroker_grant_free(NULL);
	ck_assert_str_eq(vfiobroker_error(NULL), "out of memory");
}
END_TEST

static const struct {
	int r, exit;
} exits[] = {
	{ 0, 0 },
	{ VFIOBROKER_NOT_FOUND, 66 },
	{ VFIOBROKER_DENIED, 77 },
	{ VFIOBROKER_IDENTITY, 77 },
	{ VFIOBROKER_HOST_IN_USE, 77 },
	{ VFIOBROKER_GROUP, 77 },
	{ VFIOBROKER_BUSY, 75 },
	{ VFIOBROKER_LIMIT, 75 },
	{ VFIOBROKER_UNAVAILABLE, 69 },
	{ VFIOBROKER_INVALID, 64 },
	{ VFIOBROKER_OS, 71 },
	{ VFIOBROKER_INTERNAL, 70 },
	{ VFIOBROKER_INTERNAL + 1, 70 },
	{ INT_MAX, 70 },
	{ -ENOENT, 69 },
	{ -ECONNREFUSED, 69 },
	{ -EACCES, 69 },
	{ -ECONNRESET, 69 },
	{ -ENOTCONN, 69 },
	{ -EPROTO, 76 },
	{ -EINVAL, 64 },
	{ -EMSGSIZE, 64 },
	{ -ENOMEM, 71 },
	{ -EMFILE, 71 },
	{ INT_MIN, 71 },
};

START_TEST(exit_status)
{
	ck_assert_int_eq(vfiobroker_exit_status(exits[_i].r), exits[_i].exit);
}
END_TEST

static void
read_source(const char *name, char *buf, size_t size)
{
	const char *dir = getenv("VFIOBROKER_SRCDIR");
	char path[512];
	FILE *f;
	size_t n;

	snprintf(path, sizeof(path), "%s/%s", dir != NULL ? dir : ".", name);
	f = fopen(path, "re");
	ck_assert_msg(f != NULL, "%s", path);
	n = fread(buf, 1, size - 1, f);
	ck_assert_uint_lt(n, size - 1);
	buf[n] = '\0';
	fclose(f);
}

/* Each name that ends with end in from stands in in, so surrounded. */
static unsigned
names_found(const char *from, char end, const char *in, const char *front,
    const char *back)
{
	unsigned n = 0;

	while ((from = strstr(from, "vfiobroker_")) != NULL) {
		char name[64], want[80];
		size_t len = strspn(from, "abcdefghijklmnopqrstuvwxyz_");

		if (from[len] == end && len < sizeof(name)) {
			snprintf(name, sizeof(name), "%.*s", (int)len, from);
			snprintf(
			    want, sizeof(want), "%s%s%s", front, name, back);
			ck_assert_msg(strstr(in, want) != NULL, "%s", name);
			n++;
		}
		from += len;
	}
	return n;
}

/* What the header declares is what the shared library shows. */
START_TEST(exported)
{
	static char header[65536], map[65536];

	read_source("client/vfiobroker.h", header, sizeof(header));
	read_source("client/lib/libvfiobroker.map", map, sizeof(map));
	ck_assert_uint_gt(names_found(header, '(', map, "\t", ";"), 15);
	ck_assert_uint_gt(names_found(map, ';', header, "", "("), 15);
}
END_TEST

#define N(a) ((int)(sizeof(a) / sizeof((a)[0])))

int
main(void)
{
	Suite *s = suite_create("lib_open");
	TCase *tc = tcase_create("open"), *pure = tcase_create("pure");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_add_checked_fixture(tc, broker_setup, broker_teardown);
	tcase_add_test(tc, welcome);
	tcase_add_test(tc, path_from_environment);
	tcase_add_test(tc, path_is_empty);
	tcase_add_test(tc, no_socket);
	tcase_add_test(tc, nobody_listens);
	tcase_add_test(tc, another_kind_of_socket);
	tcase_add_test(tc, path_too_long);
	tcase_add_test(tc, no_descriptor_left);
	tcase_add_test(tc, calls_without_connection);
	tcase_add_loop_test(tc, closed, 0, 2);
	tcase_add_test(tc, refused);
	tcase_add_loop_test(tc, stranger, 0, N(strangers));
	suite_add_tcase(s, tc);
	tcase_add_test(pure, nothing_to_close);
	tcase_add_loop_test(pure, exit_status, 0, N(exits));
	tcase_add_test(pure, exported);
	suite_add_tcase(s, pure);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
