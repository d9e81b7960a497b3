/* SPDX-License-Identifier: ISC */
/*
 * One line, one write(2): lines of several processes on one stderr must not
 * mix.  Never allocates, so that it works when memory is what failed.
 */

#include "log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <syslog.h>
#include <unistd.h>

static const char *log_ident = "vfiobroker";
static int log_journal;
static int log_verbose;

void
log_init(const char *ident)
{
	log_ident = ident;
	log_journal = getenv("JOURNAL_STREAM") != NULL;
}

void
log_set_debug(int on)
{
	log_verbose = on;
}

static void __attribute__((format(printf, 2, 0)))
log_write(int priority, const char *fmt, va_list ap)
{
	int saved = errno;
	char line[1024];
	int head, body;
	size_t len;

	if (log_journal)
		head = snprintf(line, sizeof(line), "<%d>", priority);
	else
		head = snprintf(line, sizeof(line), "%s: ", log_ident);
	body = vsnprintf(line + head, sizeof(line) - (size_t)head, fmt, ap);
	len = (size_t)head + (size_t)(body > 0 ? body : 0);
	if (len > sizeof(line) - 1)
		len = sizeof(line) - 1;
	line[len++] = '\n';
	/* Nobody is left to tell when stderr fails. */
	(void)!write(STDERR_FILENO, line, len);
	errno = saved;
}

void
log_line(int priority, const char *fmt, ...)
{
	va_list ap;

	if (priority == LOG_DEBUG && !log_verbose)
		return;
	va_start(ap, fmt);
	log_write(priority, fmt, ap);
	va_end(ap);
}

void
log_fatal(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	log_write(LOG_CRIT, fmt, ap);
	va_end(ap);
	abort();
}
