/* SPDX-License-Identifier: ISC */
#ifndef VFIOBROKER_SERVER_H
#define VFIOBROKER_SERVER_H

/* Listens at config.socket, or takes the socket that systemd passed. Each
 * connection is identified and gets a session. 0 or -errno. */
int server_init(void);

#endif
