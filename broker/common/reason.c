/* SPDX-License-Identifier: ISC */
/* The table behind reason.h.  Pure; used by the policy and the monitor. */

#include "reason.h"

static const struct {
	const char *name;
	const char *keyword;
	const char *text;
	bool tolerable;
} reasons[REASON_COUNT] = {
	[REASON_ROOT_FS] = { "ROOT_FS", "root-fs",
	    "the root file system is on it", true },
	[REASON_MOUNTED] = { "MOUNTED", "mounted",
	    "a file system on it is mounted", true },
	[REASON_SWAP] = { "SWAP", "swap", "swap space on it is in use", true },
	[REASON_DM_MEMBER] = { "DM_MEMBER", "dm-member",
	    "a dm, md or LVM device is built on it", true },
	[REASON_NET_ADDRESS] = { "NET_ADDRESS", "net-address",
	    "its interface is up and has an address", true },
	[REASON_NET_ROUTE] = { "NET_ROUTE", "net-route",
	    "the default route leaves through it", true },
	[REASON_NET_MASTER] = { "NET_MASTER", "net-master",
	    "its interface is a port of a bond or bridge", true },
	[REASON_VFS_IN_USE] = { "VFS_IN_USE", "vfs-in-use",
	    "it is the PF of VFs in use", true },
	[REASON_BOOT_VGA] = { "BOOT_VGA", "boot-vga",
	    "it is the display the firmware started on", true },
	[REASON_CONSOLE] = { "CONSOLE", "console",
	    "the framebuffer console is on it", true },
	[REASON_DRM_IN_USE] = { "DRM_IN_USE", "drm-in-use",
	    "a process has its DRM node open", true },
	[REASON_NOT_ENDPOINT] = { "NOT_ENDPOINT", "not-endpoint",
	    "it is a bridge, not an endpoint", false },
	[REASON_NO_IOMMU_GROUP] = { "NO_IOMMU_GROUP", "no-iommu-group",
	    "the kernel put it in no IOMMU group", false },
	[REASON_NOIOMMU] = { "NOIOMMU", "noiommu",
	    "its group has no IOMMU behind it", false },
};

const char *
reason_name(enum reason r)
{
	return reasons[r].name;
}

const char *
reason_keyword(enum reason r)
{
	return reasons[r].keyword;
}

const char *
reason_text(enum reason r)
{
	return reasons[r].text;
}

bool
reason_tolerable(enum reason r)
{
	return reasons[r].tolerable;
}
