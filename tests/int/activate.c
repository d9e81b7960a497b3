/* SPDX-License-Identifier: ISC */
/*
 * activate SOCKET PROGRAM [ARGUMENT...]
 *
 * Becomes the program, with a listening socket at SOCKET as descriptor 3, as
 * systemd starts a service at its first connection.  For the integration
 * tests.
 */

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FIRST 3 /* SD_LISTEN_FDS_START */

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

int
main(int argc, char **argv)
{
	char pid[16];
	int fd;

	if (argc < 3)
		errx(2, "usage: activate SOCKET PROGRAM [ARGUMENT...]");
	fd = listen_at(argv[1]);
	if (fd != FIRST && (dup2(fd, FIRST) != FIRST || close(fd) != 0))
		err(1, "dup2");
	snprintf(pid, sizeof(pid), "%d", (int)getpid());
	setenv("LISTEN_PID", pid, 1);
	setenv("LISTEN_FDS", "1", 1);
	setenv("LISTEN_FDNAMES", "vfiobrokerd.socket", 1);
	execv(argv[2], argv + 2);
	err(1, "%s", argv[2]);
}
