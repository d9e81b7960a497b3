/* SPDX-License-Identifier: ISC */
#ifndef VFIOBROKER_LOG_H
#define VFIOBROKER_LOG_H

#include <syslog.h>

/*
 * Log lines on stderr, with a syslog priority in front where systemd's
 * journal reads it.  errno is preserved.
 */

void log_init(const char *ident);

#define log_debug(...) log_line(LOG_DEBUG, __VA_ARGS__)
#define log_info(...) log_line(LOG_INFO, __VA_ARGS__)
#define log_warn(...) log_line(LOG_WARNING, __VA_ARGS__)
void
log_line(int priority, const char *, ...) __attribute__((format(printf, 2, 3)));

/* Our own fault, with the state that shows it.  Aborts; restart recovers. */
void
log_fatal(const char *, ...) __attribute__((format(printf, 1, 2), noreturn));

/* Debug lines are dropped unless asked for. */
void log_set_debug(int on);

#endif
