# shellcheck shell=bash disable=SC2034 # whoever sources this uses the names
# lib.sh: names and small functions for everything that runs inside L1: which
# device is which, what drives it, and how its virtual functions are brought up so
# that they are really there. Every wait here is for an event or a synchronous
# kernel call, none for time. Sourced.

# The RFC's device: an Intel 82576 and its virtual functions.
PF=0000:01:00.0
VF=0000:01:10.0
# A NIC alone in its group; two NICs that share a group with their bridge; a disk;
# a device no driver knows.
NIC=0000:02:00.0
BRIDGE=0000:00:07.0
SHARED=(0000:03:01.0 0000:03:02.0)
NVME=0000:04:00.0
EDU=0000:00:06.0
# Only with "lab --display": a VGA card.
VGA=0000:00:09.0

sys=/sys/bus/pci/devices

# driver_of BDF: its driver's name, or "none".
driver_of() {
	local link
	[ -d "$sys/$1" ] || {
		echo "no device $1" >&2
		return 1
	}
	link=$(readlink "$sys/$1/driver") || link=none
	echo "${link##*/}"
}

group_of() {
	local link
	link=$(readlink "$sys/$1/iommu_group") || {
		echo "$1 is in no IOMMU group" >&2
		return 1
	}
	echo "${link##*/}"
}

# group_members BDF: all devices of its group, one a line.
group_members() {
	ls "$sys/$1/iommu_group/devices"
}

# net_of BDF: the name of its network interface.
net_of() {
	local net
	for net in "$sys/$1"/net/*; do
		[ ! -e "$net" ] || echo "${net##*/}"
	done
}

# disk: the NVMe disk's node. A disk that comes back while its former self is still
# in use gets another name.
disk() {
	find /dev -maxdepth 1 -name 'nvme*n*' -type b | sort | tail -n 1
}

# disk_mount: its file system on /srv, where it is in the beginning. A disk that has
# just come back has a node when udev says so.
disk_mount() {
	udevadm wait --timeout=60 /dev/disk/by-label/lab-data && mount "$(disk)" /srv
}

# disk_mounted: the disk as it is now, not what was taken from under a mount.
disk_mounted() {
	[ "$(mountpoint -d /srv)" = "$(mountpoint -x "$(disk)")" ] && grep -q NVMe /srv/README
}

# carrier_wait NET SECONDS: until the interface has a carrier. The monitor starts
# first, then the present state is asked, so no change is missed between them.
carrier_wait() {
	local net=$1 line monitor fd status=1
	coproc ip -o monitor link dev "$net"
	monitor=$COPROC_PID
	fd=${COPROC[0]}
	if [ "$(cat "/sys/class/net/$net/carrier" 2>/dev/null)" = 1 ]; then
		status=0
	else
		while IFS= read -r -t "$2" -u "$fd" line; do
			[[ $line != *LOWER_UP* ]] || {
				status=0
				break
			}
		done
	fi
	kill "$monitor"
	wait "$monitor" 2>/dev/null || true
	return "$status"
}

# vfs_up: seven VFs with igbvf on each. igbvf is loaded and the PF has a link before
# the VFs are made, so the store below returns only when each has been probed, and
# probed at once: with the PF down every probe waits a second, and with igbvf not
# yet loaded udev would bind it some time later, behind the test's back.
vfs_up() {
	local net
	modprobe igb && modprobe igbvf || return
	net=$(net_of "$PF")
	[ -n "$net" ] || {
		echo "igb has made no interface on $PF" >&2
		return 1
	}
	ip link set "$net" up || return
	carrier_wait "$net" 60 || {
		echo "$net has no carrier" >&2
		return 1
	}
	echo 7 >"$sys/$PF/sriov_numvfs" || return
	[ "$(driver_of "$VF")" = igbvf ] || {
		echo "igbvf is not on $VF" >&2
		return 1
	}
	# The PF restarts for its VFs, and udev renames their interfaces.
	carrier_wait "$net" 60 && udevadm settle --timeout=60
}
