/* SPDX-License-Identifier: ISC */
/*
 * Writes the session's seccomp filter as a C array.  Run by the Makefile when
 * the session is built, so that the session itself needs no libseccomp and
 * its filter can be read in the build directory.  The calls are those of
 * serve.c; a new one there needs a row here, and its absence shows as SIGSYS.
 */

#include <sys/syscall.h>

#include <linux/filter.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <seccomp.h>

#include "../isolate.h"

#define ONLY(n, v) SCMP_CMP((n), SCMP_CMP_EQ, (v))
#define FROM(n, v) SCMP_CMP((n), SCMP_CMP_GE, (v))

static const struct {
	int call;
	unsigned nargs;
	struct scmp_arg_cmp arg;
} allowed[] = {
	{ SCMP_SYS(recvmsg), 1, ONLY(0, SESSION_MONFD) },
	{ SCMP_SYS(recvmsg), 1, ONLY(0, SESSION_CLIENTFD) },
	{ SCMP_SYS(sendmsg), 1, ONLY(0, SESSION_MONFD) },
	{ SCMP_SYS(sendmsg), 1, ONLY(0, SESSION_CLIENTFD) },
#ifdef SYS_poll
	{ SCMP_SYS(poll), 0, { 0 } },
#else
	{ SCMP_SYS(ppoll), 0, { 0 } },
#endif
	/* What poll goes on with after SIGSTOP and SIGCONT. */
	{ SCMP_SYS(restart_syscall), 0, { 0 } },
	{ SCMP_SYS(close), 1, FROM(0, SESSION_CLIENTFD) },
	{ SCMP_SYS(write), 1, ONLY(0, SESSION_LOGFD) },
	/* pidcheck.c; the signal is none. */
	{ SCMP_SYS(pidfd_send_signal), 1, ONLY(1, 0) },
	{ SCMP_SYS(read), 1, FROM(0, SESSION_CLIENTFD + 1) },
	{ SCMP_SYS(exit_group), 0, { 0 } },
};

static int
filter_build(scmp_filter_ctx ctx)
{
	/* By default a call of a foreign architecture kills a thread only. */
	int r = seccomp_attr_set(
	    ctx, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);

	for (size_t i = 0; r == 0 && i < sizeof(allowed) / sizeof(allowed[0]);
	     i++)
		r = seccomp_rule_add_array(ctx, SCMP_ACT_ALLOW, allowed[i].call,
		    allowed[i].nargs, &allowed[i].arg);
	return r;
}

static int
filter_print(FILE *bpf)
{
	struct sock_filter f;

	puts("/* Made by broker/session/gen/filter.c. */");
	puts("static const struct sock_filter session_filter[] = {");
	rewind(bpf);
	while (fread(&f, sizeof(f), 1, bpf) == 1)
		printf(
		    "\t{ 0x%04x, %u, %u, 0x%08x },\n", f.code, f.jt, f.jf, f.k);
	puts("};");
	return ferror(bpf) || fflush(stdout) != 0 ? -EIO : 0;
}

int
main(void)
{
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_KILL_PROCESS);
	FILE *bpf = tmpfile();
	int r = ctx == NULL || bpf == NULL ? -ENOMEM : filter_build(ctx);

	if (r == 0)
		r = seccomp_export_bpf(ctx, fileno(bpf));
	if (r == 0)
		r = filter_print(bpf);
	if (r != 0)
		fprintf(stderr, "session filter: %s\n", strerror(-r));
	if (bpf != NULL)
		fclose(bpf);
	seccomp_release(ctx);
	return r == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
