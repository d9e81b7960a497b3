/* SPDX-License-Identifier: ISC */
/*
 * A name service to be preloaded into the loader: says what it could do there,
 * where whatever NSS brings would run.  A shared object, unlike its neighbours.
 */

#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

static void
say_capabilities(void)
{
	FILE *status = fopen("/proc/self/status", "re");
	char line[256];

	if (status == NULL)
		return;
	while (fgets(line, sizeof(line), status) != NULL)
		if (strncmp(line, "Cap", 3) == 0 &&
		    strncmp(line, "CapBnd", 6) != 0)
			fprintf(stderr, "names: %s", line);
	fclose(status);
}

static void
say_files(void)
{
	int fd = open("/etc/shadow", O_RDONLY | O_CLOEXEC);

	fprintf(
	    stderr, "names: /etc/shadow is %s\n", fd == -1 ? "closed" : "open");
	if (fd != -1)
		close(fd);
}

static void
say_limit(const char *name, __rlimit_resource_t resource)
{
	struct rlimit rl = { 0 };

	(void)getrlimit(resource, &rl);
	fprintf(stderr, "names: %s %llu %llu\n", name,
	    (unsigned long long)rl.rlim_cur, (unsigned long long)rl.rlim_max);
}

struct passwd *
getpwnam(const char *name)
{
	static struct passwd pw = { .pw_uid = 61001 };
	int sig = 0;

	(void)name;
	say_capabilities();
	say_files();
	say_limit("memory", RLIMIT_AS);
	say_limit("seconds", RLIMIT_CPU);
	say_limit("descriptors", RLIMIT_NOFILE);
	say_limit("core", RLIMIT_CORE);
	(void)prctl(PR_GET_PDEATHSIG, &sig);
	fprintf(stderr, "names: dumpable %d, ends by %d\n",
	    prctl(PR_GET_DUMPABLE), sig);
	return &pw;
}
