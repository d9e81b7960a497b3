/* SPDX-License-Identifier: ISC */
/*
 * peer SOCKET STEP...
 *
 * A client of the broker as nobody would write one, for the integration tests:
 * does the steps of the command line one after another and ends with 0 when
 * each went as it says.  The messages are bytes, not the library's, so that
 * they can be wrong.
 */

#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "broker/common/fdpass.h"
#include "proto/limits.h"

#define DEADLINE_MS 20000
#define PACKET_MAX 65536
#define CROWD_MAX 8192

static const char *socket_path;
static int sockfd = -1;
static unsigned unanswered; /* requests sent */
static int crowd[CROWD_MAX];

/* Request{id = 1}, with one op and nothing in it. */
static const uint8_t hello[] = { 0x08, 1, 0x12, 2, 0x08, 1 };
static const uint8_t list_devices[] = { 0x08, 1, 0x1a, 0 };
static const uint8_t list_leases[] = { 0x08, 1, 0x22, 0 };

static int
connect_once(void)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	if (fd < 0 || strlen(socket_path) >= sizeof(sun.sun_path))
		err(1, "socket");
	memcpy(sun.sun_path, socket_path, strlen(socket_path));
	if (connect(fd, (const struct sockaddr *)&sun, sizeof(sun)) != 0)
		err(1, "connect %s", socket_path);
	return fd;
}

static void
do_connect(const char *arg)
{
	(void)arg;
	if (sockfd >= 0)
		close(sockfd);
	sockfd = connect_once();
	unanswered = 0;
}

/* Whether events come on fd within ms. */
static bool
wait_on(int fd, short events, int ms)
{
	struct pollfd p = { fd, events, 0 };
	int n = poll(&p, 1, ms);

	if (n < 0)
		err(1, "poll");
	return n > 0;
}

static void
send_packet(const uint8_t *buf, size_t len, const int *fds, size_t nfds)
{
	int r = fdpass_send(sockfd, buf, len, fds, nfds);

	if (r != 0)
		errx(1, "send: %s", strerror(-r));
	unanswered++;
}

/* Receives one packet; its length, 0 at the end of the connection. */
static size_t
receive(int fd, uint8_t *buf, size_t len)
{
	int fds[FDPASS_MAX_FDS];
	size_t nfds = FDPASS_MAX_FDS;
	ssize_t n;

	if (!wait_on(fd, POLLIN, DEADLINE_MS))
		errx(1, "nothing comes");
	n = fdpass_recv(fd, buf, len, fds, &nfds, 0);
	if (n == -ECONNRESET)
		return 0;
	if (n < 0)
		errx(1, "receive: %s", strerror((int)-n));
	for (size_t i = 0; i < nfds; i++)
		close(fds[i]);
	return (size_t)n;
}

/*
 * Of a Reply this needs three numbers, which come first and in this order: id,
 * more, status.  What is 0 is not there.
 */
static unsigned
reply_field(const uint8_t *buf, size_t len, unsigned field)
{
	size_t at = 0;

	while (at < len && (buf[at] & 7) == 0 && buf[at] >> 3 <= field) {
		unsigned value = 0, found = buf[at++] >> 3;

		for (unsigned shift = 0; at < len && shift < 32; shift += 7) {
			value |= (buf[at] & 0x7fU) << shift;
			if ((buf[at++] & 0x80) == 0)
				break;
		}
		if (found == field)
			return value;
	}
	return 0;
}

enum { REPLY_MORE = 2, REPLY_STATUS };

static unsigned
receive_answer(int fd)
{
	uint8_t buf[PROTO_MESSAGE_MAX];
	size_t len;

	do {
		len = receive(fd, buf, sizeof(buf));
		if (len == 0)
			errx(1, "closed instead of answered");
	} while (reply_field(buf, len, REPLY_MORE) != 0);
	return reply_field(buf, len, REPLY_STATUS);
}

static void
do_hello(const char *arg)
{
	(void)arg;
	send_packet(hello, sizeof(hello), NULL, 0);
	if (receive_answer(sockfd) != 0)
		errx(1, "hello was refused");
	unanswered--;
}

static size_t
hex_bytes(const char *hex, uint8_t *buf, size_t room)
{
	size_t n = strlen(hex) / 2;

	if (n > room)
		errx(1, "too many bytes: %s", hex);
	for (size_t i = 0; i < n; i++) {
		const char digits[3] = { hex[2 * i], hex[2 * i + 1], '\0' };
		char *end;

		buf[i] = (uint8_t)strtoul(digits, &end, 16);
		if (*end != '\0')
			errx(1, "no hexadecimal: %s", hex);
	}
	return n;
}

static void
do_send(const char *arg)
{
	uint8_t buf[PROTO_MESSAGE_MAX];

	send_packet(buf, hex_bytes(arg, buf, sizeof(buf)), NULL, 0);
}

static void
do_answer(const char *arg)
{
	unsigned status = receive_answer(sockfd);

	unanswered--;
	if (status != strtoul(arg, NULL, 10))
		errx(1, "status %u instead of %s", status, arg);
}

static void
do_long(const char *arg)
{
	static uint8_t buf[PACKET_MAX];
	size_t n = strtoul(arg, NULL, 10);

	if (n > sizeof(buf))
		errx(1, "not that long: %s", arg);
	memset(buf, 0x08, sizeof(buf));
	send_packet(buf, n, NULL, 0);
}

static void
do_empty(const char *arg)
{
	(void)arg;
	if (send(sockfd, "", 0, MSG_NOSIGNAL) != 0)
		err(1, "send");
}

static void
do_fds(const char *arg)
{
	int fds[FDPASS_MAX_FDS];
	size_t n = strtoul(arg, NULL, 10);

	if (n > FDPASS_MAX_FDS)
		errx(1, "not so many fds: %s", arg);
	for (size_t i = 0; i < n; i++)
		fds[i] = STDIN_FILENO;
	send_packet(hello, sizeof(hello), fds, n);
}

/* Without reading; ends early when the socket takes no more. */
static void
do_burst(const char *arg)
{
	unsigned long n = strtoul(arg, NULL, 10), i;

	for (i = 0; i < n; i++) {
		int r = fdpass_send(
		    sockfd, list_devices, sizeof(list_devices), NULL, 0);

		if (r == -EAGAIN)
			break;
		if (r != 0)
			errx(1, "send: %s", strerror(-r));
		unanswered++;
	}
	printf("sent %lu\n", i);
}

static void
do_drain(const char *arg)
{
	(void)arg;
	for (; unanswered > 0; unanswered--)
		receive_answer(sockfd);
}

/* One after the other; each must be granted. */
static void
do_ask(const char *arg)
{
	unsigned long n = strtoul(arg, NULL, 10);
	struct timespec a, b;

	clock_gettime(CLOCK_MONOTONIC, &a);
	for (unsigned long i = 0; i < n; i++) {
		send_packet(list_leases, sizeof(list_leases), NULL, 0);
		if (receive_answer(sockfd) != 0)
			errx(1, "request %lu was refused", i);
		unanswered--;
	}
	clock_gettime(CLOCK_MONOTONIC, &b);
	printf("%lld\n", (long long)(b.tv_sec - a.tv_sec) * 1000 +
			     (b.tv_nsec - a.tv_nsec) / 1000000);
}

/* What was answered before does not count. */
static void
do_closed(const char *arg)
{
	uint8_t buf[PROTO_MESSAGE_MAX];

	(void)arg;
	while (receive(sockfd, buf, sizeof(buf)) > 0)
		continue;
}

static void
do_shutdown(const char *arg)
{
	if (shutdown(sockfd, strcmp(arg, "read") == 0 ? SHUT_RD : SHUT_WR) != 0)
		err(1, "shutdown");
}

static void
do_name(const char *arg)
{
	char name[16] = "";

	hex_bytes(arg, (uint8_t *)name, sizeof(name) - 1);
	if (prctl(PR_SET_NAME, name) != 0)
		err(1, "prctl");
}

/* So many connections, each of them served. */
static void
do_crowd(const char *arg)
{
	size_t n = strtoul(arg, NULL, 10);

	if (n > CROWD_MAX)
		errx(1, "no such crowd: %s", arg);
	for (size_t i = 0; i < n; i++) {
		crowd[i] = connect_once();
		if (send(crowd[i], hello, sizeof(hello), MSG_NOSIGNAL) < 0)
			err(1, "send on connection %zu", i);
		if (receive_answer(crowd[i]) != 0)
			errx(1, "connection %zu was refused", i);
	}
	printf("crowd of %zu\n", n);
}

/* Until standard input ends. */
static void
do_wait(const char *arg)
{
	char buf[64];

	(void)arg;
	puts("waiting");
	fflush(stdout);
	while (read(STDIN_FILENO, buf, sizeof(buf)) > 0)
		continue;
}

static const struct {
	const char *name;
	void (*run)(const char *arg);
} steps[] = {
	{ "connect", do_connect }, /* anew; the first one is made anyway */
	{ "hello", do_hello }, { "send", do_send }, /* send=HEX */
	{ "answer", do_answer }, /* answer=STATUS of what was sent */
	{ "long", do_long }, /* long=BYTES */
	{ "empty", do_empty }, /* a packet of no bytes */
	{ "fds", do_fds }, /* fds=N: a hello with so many */
	{ "burst", do_burst }, /* burst=N requests, unread */
	{ "drain", do_drain }, /* reads the answers to all that was sent */
	{ "ask", do_ask }, /* ask=N: prints the milliseconds */
	{ "closed", do_closed }, /* waits for the end of the connection */
	{ "shutdown", do_shutdown }, /* shutdown=read or write */
	{ "name", do_name }, /* name=HEX: of this process */
	{ "crowd", do_crowd }, /* crowd=N connections beside this one */
	{ "wait", do_wait }, /* says "waiting", then reads its stdin */
};

static void
run_step(const char *step)
{
	const char *value = strchr(step, '=');
	size_t n = value != NULL ? (size_t)(value - step) : strlen(step);

	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++)
		if (strlen(steps[i].name) == n &&
		    strncmp(steps[i].name, step, n) == 0) {
			steps[i].run(value != NULL ? value + 1 : "");
			return;
		}
	errx(2, "there is no step %s", step);
}

int
main(int argc, char **argv)
{
	if (argc < 2)
		errx(2, "usage: peer SOCKET STEP...");
	socket_path = argv[1];
	/* The name is what the broker reads when the connection is made. */
	if (argc < 3 || strncmp(argv[2], "name=", 5) != 0)
		do_connect("");
	for (int i = 2; i < argc; i++)
		run_step(argv[i]);
	return 0;
}
