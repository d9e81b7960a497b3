/* SPDX-License-Identifier: ISC */
/*
 * A name service to be preloaded into the loader: says what it could do there,
 * where whatever NSS brings would run.  A shared object, unlike its neighbours.
 */

#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct passwd *
getpwnam(const char *name)
{
	static struct passwd pw = { .pw_uid = 61001 };
	FILE *status = fopen("/proc/self/status", "re");
	int fd = open("/etc/shadow", O_RDONLY | O_CLOEXEC);
	char line[256];

	(void)name;
	if (status == NULL)
		return NULL;
	while (fgets(line, sizeof(line), status) != NULL)
		if (strncmp(line, "Cap", 3) == 0 &&
		    strncmp(line, "CapBnd", 6) != 0)
			fprintf(stderr, "names: %s", line);
	fclose(status);
	fprintf(
	    stderr, "names: /etc/shadow is %s\n", fd == -1 ? "closed" : "open");
	if (fd != -1)
		close(fd);
	return &pw;
}
