/* SPDX-License-Identifier: ISC */
#ifndef VFIOBROKER_REASON_H
#define VFIOBROKER_REASON_H

/*
 * The reasons not to take a device from the host, each by name.  The monitor's
 * guard collects them, `tolerate` lines of the policy lift them by name, and
 * explain prints them.
 */

#include <stdbool.h>

enum reason {
	REASON_ROOT_FS, /* carries the root file system */
	REASON_MOUNTED, /* carries a mounted file system */
	REASON_SWAP, /* carries swap in use */
	REASON_DM_MEMBER, /* a dm, md or LVM device is built on it */
	REASON_NET_ADDRESS, /* an interface of it is up with an address */
	REASON_NET_ROUTE, /* the default route leaves through it */
	REASON_NET_MASTER, /* an interface of it is a bond or bridge port */
	REASON_VFS_IN_USE, /* a PF whose VFs are leased or bound */
	REASON_BOOT_VGA, /* the firmware's display */
	REASON_CONSOLE, /* the framebuffer console is on it */
	REASON_DRM_IN_USE, /* a process has its DRM node open */
	REASON_NOT_ENDPOINT, /* a bridge: never given out */
	REASON_NO_IOMMU_GROUP,
	REASON_NOIOMMU, /* a no-IOMMU group: DMA would be unchecked */
	REASON_COUNT,
};

/* "NET_ADDRESS": how a reason is shown. */
const char *reason_name(enum reason);

/* "net-address": how a policy line writes it. */
const char *reason_keyword(enum reason);

/* What the reason means for a person, without the device's name. */
const char *reason_text(enum reason);

/* Whether a `tolerate` line may lift it. */
bool reason_tolerable(enum reason);

#endif
