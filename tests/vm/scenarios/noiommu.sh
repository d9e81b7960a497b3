#!/bin/bash
# noiommu: a host whose IOMMU is off, as most are before somebody thinks of it. All is
# answered, nothing is lent, and what to enable is said; also where somebody has VFIO do
# without one.
# lab: alone --no-iommu --kernel iommufd
# shellcheck source-path=SCRIPTDIR source=../scenario.sh
. "$(dirname "${BASH_SOURCE[0]}")/../scenario.sh"

policy <<-END
	allow user alice use all managed
	admin user bob
END
home() {
	[ "$(driver_of "$VF")" = igbvf ] && ! [ -e "/run/vfiobroker/devices/$VF" ]
}
take() {
	as alice vfiobroker exec --device "$VF" -- true
}
check_not "nothing is in an IOMMU group" group_of "$VF"
broker_start || exit

check_match "^$VF +8086:10ca" "the device is listed" as alice vfiobroker list
check_match '^backends +none: the kernel has no VFIO or no IOMMU' "status says what is missing" \
	as alice vfiobroker status
check_exit 69 "nothing is given" take
check_match 'no IOMMU at work' "and why" take
check_match 'intel_iommu=on' "and what to enable" take
check_exit 69 "run says the same" as alice vfiobroker run --device "$VF" -- true
check_match 'intel_iommu=on' "all of it" as alice vfiobroker run --device "$VF" -- true
check_exit 69 "and explain" as alice vfiobroker explain --device "$VF"
check_match 'NO_IOMMU_GROUP' "to an administrator with the guard's reason" \
	as bob vfiobroker explain --device "$VF" --user alice
check "the device stays where it is" home

# VFIO without an IOMMU, which taints the kernel and protects nobody. Debian's kernel
# has no such thing, so this is the other one of the lab.
unsafe=/sys/module/vfio/parameters/enable_unsafe_noiommu_mode
rebind() {
	echo "$1" >"$sys/$VF/driver_override"
	echo "$VF" >"$sys/$VF/driver/unbind"
	echo "$VF" >/sys/bus/pci/drivers_probe
}
modprobe vfio-pci
check "VFIO can do without an IOMMU" test -e "$unsafe"
echo 1 >"$unsafe"
rebind vfio-pci
check "vfio-pci takes the device all the same, by root's hand" \
	test -e "/dev/vfio/noiommu-$(group_of "$VF")"
broker_stop
broker_start
check_exit 77 "the broker does not pass it on" take
check_match 'NOIOMMU' "and says what is wrong with it" take
rebind ''
wait_for 20 "by the same hand it goes home" home
broker_stop
rm -rf /run/vfiobroker
