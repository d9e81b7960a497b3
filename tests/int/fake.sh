# shellcheck shell=bash
# fake.sh: a machine with PCI devices in a directory, for --sysroot; sourced by
# the scripts that need one.  It binds nothing by itself: drivers_probe is a
# fifo, and a worker of the broker waits at it until the test plays the kernel.

: "${dir:?}" "${run_dir:?}"
fake=$dir/fake
fake_pci=$fake/sys/bus/pci

fake_machine() {
	mkdir -p "$fake_pci/devices" "$fake_pci/drivers/vfio-pci" \
		"$fake/sys/kernel/iommu_groups" "$fake/sys/class/net" \
		"$fake/sys/class/block" "$fake/sys/class/drm" \
		"$fake/proc/self" "$fake/proc/net"
	echo '22 27 0:21 / /proc rw - proc proc rw' >"$fake/proc/self/mountinfo"
	printf 'Iface\tDestination\n' >"$fake/proc/net/route"
	: >"$fake/proc/net/if_inet6"
	: >"$fake/proc/net/ipv6_route"
	printf 'Filename\n' >"$fake/proc/swaps"
	: >"$fake_pci/drivers/vfio-pci/unbind"
	mkfifo "$fake_pci/drivers_probe"
}

# fake_device BDF CLASS DRIVER GROUP [IDS]: DRIVER and GROUP may be "-".
fake_device() {
	local bdf=$1 class=$2 driver=$3 group=$4 ids=${5-8086:10ca}
	local at=$fake/sys/devices/pci0000:00/$bdf

	mkdir -p "$at"
	ln -s "../../../devices/pci0000:00/$bdf" "$fake_pci/devices/$bdf"
	echo "0x$class" >"$at/class"
	echo "0x${ids%:*}" >"$at/vendor"
	echo "0x${ids#*:}" >"$at/device"
	echo -1 >"$at/numa_node"
	echo '(null)' >"$at/driver_override"
	echo flr >"$at/reset_method"
	: >"$at/reset"
	[ "$driver" = - ] || fake_bind "$bdf" "$driver"
	[ "$group" = - ] || {
		mkdir -p "$fake/sys/kernel/iommu_groups/$group"
		ln -s "../../../kernel/iommu_groups/$group" "$at/iommu_group"
	}
}

# fake_bind BDF DRIVER
fake_bind() {
	mkdir -p "$fake_pci/drivers/$2"
	: >"$fake_pci/drivers/$2/unbind"
	ln -sfn "../../../bus/pci/drivers/$2" "$fake/sys/devices/pci0000:00/$1/driver"
}

# fake_vf PF VF N
fake_vf() {
	local devices=$fake/sys/devices/pci0000:00

	echo 7 >"$devices/$1/sriov_totalvfs"
	ln -s "../$2" "$devices/$1/virtfn$3"
	ln -s "../$1" "$devices/$2/physfn"
}

# fake_file BDF NAME: what a sysfs file of the device has now.  Unlike the
# kernel's, a file keeps what is behind the end of a shorter text.
fake_file() {
	head -n 1 "$fake/sys/devices/pci0000:00/$1/$2"
}

# kernel_binds BDF DRIVER [home]: plays the kernel for a worker that has come
# to the probe, on its way out or home; the device is on the driver then.
kernel_binds() {
	local step=${3:+home-}bind

	poll at_step "$1" "$step" || fail "$1 comes to $step"
	fake_bind "$1" "$2"
	poll left_step "$1" "$step" || fail "$1 goes on after $step"
}

# kernel_refuses BDF: whatever the worker tries, no driver takes the device from the one
# it has.
kernel_refuses() {
	poll at_step "$1" bind || fail "$1 comes to bind"
	poll given_up "$1" || fail "$1 is given up"
}

given_up() {
	at_step "$1" bind || return 0
	left_step "$1" bind
	return 1
}

# at_step BDF STEP: a worker says so right before it does it.
at_step() {
	grep -qx "step $2" "$run_dir/devices/$1" 2>/dev/null
}

# left_step BDF STEP: lets go a worker that waits at drivers_probe, once: the next
# store may be that of the way home.  One that finds the device where it is to be
# does not ask.
left_step() {
	at_step "$1" "$2" || return 0
	[ -n "$(timeout 0.05 head -c "${#1}" "$fake_pci/drivers_probe")" ]
}

# state_of BDF: as root sees it.
state_of() {
	vb 0 show "$1" --json >"$dir/state.json" && pick "$dir/state.json" state
}

# is_state BDF STATE
is_state() {
	[ "$(state_of "$1")" = "$2" ]
}

# has_iommu: the machine under us.
has_iommu() {
	[ -n "$(ls -A /sys/kernel/iommu_groups 2>/dev/null)" ]
}
