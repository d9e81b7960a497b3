/* SPDX-License-Identifier: ISC */
#ifndef VFIOBROKER_SERVE_H
#define VFIOBROKER_SERVE_H

/*
 * Serves the one client that the monitor's welcome brings over monfd, until
 * either of them goes.  Returns 0 when that is all; -EPROTO when the client
 * did what no client of ours does; -EBADMSG when the monitor sent what is not
 * canonical or not its turn; or another -errno.  It has been logged then.
 *
 * A client has silence_ms for its first word: one that is connected and never
 * asks anything would have its share of processes for nothing.
 */
int serve(int monfd, int silence_ms);

#endif
