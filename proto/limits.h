/* SPDX-License-Identifier: ISC */
#ifndef VFIOBROKER_PROTO_LIMITS_H
#define VFIOBROKER_PROTO_LIMITS_H

/* What proto/README.md promises and a .proto file cannot say. */

#define PROTO_VERSION 1
#define PROTO_MESSAGE_MAX 8192 /* bytes in a Request or Reply */

#endif
