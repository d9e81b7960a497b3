/* SPDX-License-Identifier: ISC */
/*
 * notified SOCKET
 *
 * Waits at SOCKET as systemd does for a service's word that it is ready, and
 * prints it.  Says "waiting" when it is there.  For the integration tests.
 */

#include <sys/socket.h>
#include <sys/un.h>

#include <err.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define SECONDS 20

int
main(int argc, char **argv)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_DGRAM, 0);
	char text[256];
	ssize_t n;

	if (argc != 2 || strlen(argv[1]) >= sizeof(sun.sun_path))
		errx(2, "usage: notified SOCKET");
	memcpy(sun.sun_path, argv[1], strlen(argv[1]));
	if (fd < 0 || bind(fd, (const struct sockaddr *)&sun, sizeof(sun)) != 0)
		err(1, "%s", argv[1]);
	puts("waiting");
	fflush(stdout);
	alarm(SECONDS);
	n = recv(fd, text, sizeof(text), 0);
	if (n < 0)
		err(1, "recv");
	printf("%.*s\n", (int)n, text);
	return 0;
}
