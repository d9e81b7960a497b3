#!/bin/bash
# lab-self: the lab is what the other scenarios take it for. No broker in it.
# shellcheck source-path=SCRIPTDIR source=../scenario.sh
. "$(dirname "${BASH_SOURCE[0]}")/../scenario.sh"

check "this is Debian 13" grep -qx 'VERSION_ID="13"' /etc/os-release
if grep -qx kernel=stock /lab/run/command; then
	check_match '^6\.12\.' "with its own kernel" uname -r
fi
check "the broker installed in it is the present build" \
	cmp /usr/sbin/vfiobrokerd /lab/build/vfiobrokerd

check_match '^igbvf$' "igbvf owns the RFC's device" driver_of "$VF"
check_match '^0x10ca$' "it is an 82576 VF" cat "$sys/$VF/device"
check_match "^1$" "its group has one device" sh -c "ls $sys/$VF/iommu_group/devices | wc -l"
check_match '^7$' "there are seven VFs" cat "$sys/$PF/sriov_numvfs"
vf_net=$(net_of "$VF")
check "the VF goes up" ip link set "$vf_net" up
check "and has a link" carrier_wait "$vf_net" 20
check "and goes down" ip link set "$vf_net" down

check_match '^3$' "the two NICs behind the bridge share its group" \
	sh -c "ls $sys/${SHARED[0]}/iommu_group/devices | wc -l"
check_match "^$BRIDGE$" "the bridge is in it" group_members "${SHARED[1]}"
check_match '^1$' "the third NIC is alone" sh -c "ls $sys/$NIC/iommu_group/devices | wc -l"
check_match '^e1000e$' "and has its driver" driver_of "$NIC"
check_match '^none$' "edu has no driver" driver_of "$EDU"
check_match '^nvme$' "the NVMe disk has one" driver_of "$NVME"

check "its file system is mounted, with its file" disk_mounted
check_match "^$(disk) /srv ext4 rw," "on /srv" grep ' /srv ' /proc/mounts

check_match '^alice bob mallory$' "the users are there" \
	sh -c "getent passwd 1000 1001 1002 | cut -d: -f1 | paste -sd' '"
check_match '\bvms\b' "bob is in vms" id -Gn bob
check_match 'uid=1000\(alice\).*\(kvm\)' "as gives alice's groups" as alice id
check_match '^HOME=/home/alice$' "as gives alice's environment" as alice env
check_match '^/home/alice$' "as works in alice's home" as alice pwd

modprobe vfio-pci
to_vfio() {
	echo vfio-pci >"$sys/$VF/driver_override" &&
		echo "$VF" >"$sys/$VF/driver/unbind" &&
		echo "$VF" >/sys/bus/pci/drivers_probe
	[ "$(driver_of "$VF")" = vfio-pci ]
}
to_host() {
	echo >"$sys/$VF/driver_override" &&
		echo "$VF" >"$sys/$VF/driver/unbind" &&
		echo "$VF" >/sys/bus/pci/drivers_probe
	[ "$(driver_of "$VF")" = igbvf ]
}
open_node() {
	python3 -c 'import os, sys; os.open(sys.argv[1], os.O_RDWR)' "$1"
}
check "the VF goes to vfio-pci" to_vfio
node=/dev/vfio/$(group_of "$VF")
check_match '^600 root:root$' "its group node is root's" stat -c '%a %U:%G' "$node"
check "root can open it" open_node "$node"
check_match 'PermissionError' "alice can not" as alice python3 -c "open('$node', 'r+b')"
check "the VF goes home" to_host

check "alice can use KVM" as alice test -w /dev/kvm
check_match '^L2: power off' "L2 boots under KVM" \
	as alice timeout 120 qemu-system-x86_64 -accel kvm -cpu host -m 256 -nodefaults \
	-display none -no-reboot -serial stdio -kernel /lab/l2/vmlinuz \
	-initrd /lab/l2/initrd -append "console=ttyS0 quiet panic=-1"
