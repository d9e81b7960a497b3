/* SPDX-License-Identifier: ISC */
/*
 * fakebroker SOCKET HEX...
 *
 * Something at a socket that is no broker, for the integration tests: serves
 * as many clients as there are arguments, one after the other; each says
 * something, hears the bytes of its argument (nothing if it is empty), and is
 * hung up on.  Says "waiting" when it listens.
 */

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <err.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SECONDS 60 /* for all of it */

static int
listen_at(const char *path)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_SEQPACKET, 0);

	if (fd < 0 || strlen(path) >= sizeof(sun.sun_path))
		err(1, "socket");
	memcpy(sun.sun_path, path, strlen(path));
	if (bind(fd, (const struct sockaddr *)&sun, sizeof(sun)) != 0 ||
	    chmod(path, 0666) != 0 || listen(fd, 16) != 0)
		err(1, "%s", path);
	return fd;
}

static void
answer(int fd, const char *hex)
{
	uint8_t buf[256];
	size_t n = strlen(hex) / 2;

	if (n > sizeof(buf))
		errx(1, "too many bytes: %s", hex);
	for (size_t i = 0; i < n; i++) {
		const char digits[3] = { hex[2 * i], hex[2 * i + 1], '\0' };

		buf[i] = (uint8_t)strtoul(digits, NULL, 16);
	}
	if (n > 0 && send(fd, buf, n, MSG_NOSIGNAL) < 0)
		err(1, "send");
}

static void
serve(int listenfd, const char *hex)
{
	int fd = accept(listenfd, NULL, NULL);
	char buf[8192];

	if (fd < 0)
		err(1, "accept");
	if (recv(fd, buf, sizeof(buf), 0) > 0)
		answer(fd, hex);
	close(fd);
}

int
main(int argc, char **argv)
{
	int fd;

	if (argc < 2)
		errx(2, "usage: fakebroker SOCKET HEX...");
	alarm(SECONDS);
	fd = listen_at(argv[1]);
	puts("waiting");
	fflush(stdout);
	for (int i = 2; i < argc; i++)
		serve(fd, argv[i]);
	return 0;
}
