/* SPDX-License-Identifier: ISC */
#ifndef VFIOBROKER_LOG_H
#define VFIOBROKER_LOG_H

/*
 * Log lines on stderr, with a syslog priority in front where systemd's
 * journal reads it.  errno is preserved.
 */

void log_init(const char *ident);

void log_debug(const char *, ...) __attribute__((format(printf, 1, 2)));
void log_info(const char *, ...) __attribute__((format(printf, 1, 2)));
void log_warn(const char *, ...) __attribute__((format(printf, 1, 2)));

/* Our own fault, with the state that shows it.  Aborts; restart recovers. */
void
log_fatal(const char *, ...) __attribute__((format(printf, 1, 2), noreturn));

/* Debug lines are dropped unless asked for. */
void log_set_debug(int on);

#endif
