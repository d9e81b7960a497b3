# shellcheck shell=bash disable=SC2034,SC2154 # names for, and of, who sources this
# guest.sh: QEMU in L1, as an ordinary user starts it, for the scenarios about
# "vfiobroker run" and for the demo: the closed host, QEMU's arguments, its QMP socket,
# and what a device looks like that has come home. Sourced, after lib.sh.

# Unmodified, and locked in: what it forks or opens is its own doing.
vmm=(qemu-system-x86_64 -accel kvm -cpu host -nodefaults -no-user-config -no-reboot
	-display none -sandbox "on,spawn=deny")
# L2. On the serial line it says what it sees; see initrd/l2-init.
linux=(-m 256 -kernel /lab/l2/vmlinuz -initrd /lab/l2/initrd -serial stdio)
linux_line="console=ttyS0 quiet panic=-1"
# No guest, but a machine that has all its devices. Its slots are PCI Express ones
# and without power, so a device leaves at once and no guest is asked.
paused=(-S -m 64 -machine q35 -global "ICH9-LPC.acpi-pci-hotplug-with-bridge-support=off"
	-device "pcie-root-port,id=slot1,chassis=1" -device "pcie-root-port,id=slot2,chassis=2")

# kvm_module: the one for the CPU that L1 has.
kvm_module() {
	if grep -qw vmx /proc/cpuinfo; then echo kvm-intel; else echo kvm-amd; fi
}

# host_close: a host where nobody but root gets at VFIO: every node is root's alone,
# the container too (udev opens that to all), and Yama lets no process read another.
host_close() {
	modprobe -a vfio-pci "$(kvm_module)" || return
	udevadm settle --timeout=60 || return
	find /dev/vfio -type c -exec chmod 0600 {} + || return
	[ ! -e /proc/sys/kernel/yama ] || sysctl -qw kernel.yama.ptrace_scope=1
}

# device_home BDF: igbvf has it, and nothing tells that it was away.
device_home() {
	[ "$(driver_of "$1")" = igbvf ] && ! [ -e "/run/vfiobroker/devices/$1" ] &&
		[ "$(sed 's/^(null)$//' "$sys/$1/driver_override")" = "" ]
}

# holds PID BDF: does the process have the device's group open?
holds() {
	[ -n "$(find "/proc/$1/fd" -lname "/dev/vfio/$(group_of "$2")" 2>/dev/null)" ]
}

# open_files PID: where each of its descriptors leads, one a line.
open_files() {
	find "/proc/$1/fd" -mindepth 1 -printf '%l\n'
}

# supervisors: the pids of the processes behind "vfiobroker run".
supervisors() {
	pgrep -x vfio-supervisor
}

# qmp_open SOCKET: one monitor at a time. The descriptors are copies of our own, since
# bash forgets those of a coprocess that has ended.
qmp_open() {
	qmp_events=
	coproc qmp_peer { exec socat - "UNIX-CONNECT:$1"; }
	exec {qmp_in}<&"${qmp_peer[0]}" {qmp_out}>&"${qmp_peer[1]}"
	read -r -t 60 -u "$qmp_in" _ && qmp '{"execute":"qmp_capabilities"}'
}

# qmp COMMAND: prints the answer, which is in $qmp_answer too; fails when it is an
# error. Events are kept.
qmp() {
	printf '%s\n' "$1" >&"$qmp_out"
	while read -r -t 60 -u "$qmp_in" qmp_answer; do
		case $qmp_answer in
		*'"event": '*) qmp_events+=$qmp_answer$'\n' ;;
		*)
			printf '%s\n' "$qmp_answer"
			[[ $qmp_answer == '{"return": '* ]]
			return
			;;
		esac
	done
	return 1
}

# qmp_event REGEX: until such an event has come.
qmp_event() {
	local line
	until [[ $qmp_events =~ $1 ]]; do
		read -r -t 60 -u "$qmp_in" line || return
		qmp_events+=$line$'\n'
	done
	printf '%s' "$qmp_events"
}

# qmp_quit: QEMU may be gone before it has answered.
qmp_quit() {
	qmp '{"execute":"quit"}' || true
	exec {qmp_in}<&- {qmp_out}>&-
}

# plug ID BDF [BUS], unplug ID: at run time. Unplugging ends when the device is out.
plug() {
	qmp "{\"execute\":\"device_add\",\"arguments\":{\"driver\":\"vfio-pci\",\"id\":\"$1\",
		\"host\":\"$2\"${3:+,\"bus\":\"$3\"}}}"
}

unplug() {
	qmp_events=
	qmp "{\"execute\":\"device_del\",\"arguments\":{\"id\":\"$1\"}}" &&
		qmp_event "DEVICE_DELETED\", \"data\": \{\"device\": \"$1\""
}

# plugged ID: has the guest given the device its addresses?
plugged() {
	qmp '{"execute":"query-pci"}' && jq -e --arg id "$1" '[.return[].devices[] |
		select(.qdev_id == $id).regions[].address |
		select(. > 0 and . < 18446744073709551615)] | length > 0' <<<"$qmp_answer"
}
