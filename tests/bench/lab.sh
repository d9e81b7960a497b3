#!/bin/bash
# lab.sh: the figures of the broker on a real device, in the lab: make bench-lab.
# Ratios of things measured one after another in one run; TCG makes absolute times
# meaningless.
# shellcheck source-path=SCRIPTDIR source-path=SCRIPTDIR/../vm source=../vm/scenario.sh
. "$(dirname "${BASH_SOURCE[0]}")/../vm/scenario.sh"

V2=0000:01:10.2
V3=0000:01:10.4
rounds=${1:-15}
chmod 755 "$scenario_tmp" /run/lab

now() {
	echo "${EPOCHREALTIME/./}"
}
# median_of FILE: of numbers, one a line.
median_of() {
	sort -n "$1" | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'
}
# time_into FILE COMMAND...
time_into() {
	local file=$1 start
	shift
	start=$(now)
	"$@" >/dev/null 2>&1
	echo $(($(now) - start)) >>"$file"
}
ratio() {
	local a b
	a=$(median_of "$2")
	b=$(median_of "$3")
	awk -v w="$1" -v a="$a" -v b="$b" \
		'BEGIN { printf "%-34s %9.1f ms against %9.1f ms: %.2f x\n", w, a / 1000, b / 1000, a / b }'
}

bare_out() {
	echo vfio-pci >"$sys/$1/driver_override"
	echo "$1" >"$sys/$1/driver/unbind"
	echo "$1" >/sys/bus/pci/drivers_probe
}
bare_home() {
	echo igbvf >"$sys/$1/driver_override"
	echo "$1" >"$sys/$1/driver/unbind"
	echo "$1" >/sys/bus/pci/drivers_probe
	echo >"$sys/$1/driver_override"
}
home() {
	[ "$(driver_of "$VF")" = igbvf ] && ! [ -e "/run/vfiobroker/devices/$VF" ]
}
out_and_home() {
	vfiobroker exec --device "$VF" -- true
	until home; do :; done
}
virsh_both() {
	virsh -q nodedev-detach "$1" && virsh -q nodedev-reattach "$1"
}

modprobe vfio-pci
policy <<-END
	allow uid 0 use $VF managed
	allow uid 0 use $V2
	claim $V2
	limit uid 0 connections 2000 requests 100000/s
END
broker_start || exit 1
poll 20 sh -c "[ \$(basename \$(readlink $sys/$V2/driver)) = vfio-pci ]"
bare_out "$V3"

/lab/build/tests/bench_broker ask 2000
/lab/build/tests/bench_broker hot "$V2" "$(group_of "$V3")" "$rounds"
bare_home "$V3"

for _ in $(seq "$rounds"); do
	time_into "$scenario_tmp/list" vfiobroker list
	time_into "$scenario_tmp/lspci" lspci -nn
done
ratio "list / lspci -nn" "$scenario_tmp/list" "$scenario_tmp/lspci"

# Cold: the way out alone, from the broker's own log against the bare stores.
for _ in $(seq 5); do
	time_into "$scenario_tmp/both" out_and_home
	time_into "$scenario_tmp/bare_out" bare_out "$V3"
	time_into "$scenario_tmp/bare_home" bare_home "$V3"
done
grep -o "$VF: claiming -> ready .* after [0-9.]* s" "$broker_log" |
	awk '{ print $(NF - 1) * 1000000 }' >"$scenario_tmp/cold"
ratio "cold claim / bare stores" "$scenario_tmp/cold" "$scenario_tmp/bare_out"
paste "$scenario_tmp/bare_out" "$scenario_tmp/bare_home" | awk '{ print $1 + $2 }' \
	>"$scenario_tmp/bare_both"
ratio "out and home / bare stores" "$scenario_tmp/both" "$scenario_tmp/bare_both"

if command -v virsh >/dev/null; then
	systemctl unmask libvirtd.service libvirtd.socket virtlogd.service virtlogd.socket \
		>/dev/null 2>&1
	systemctl start libvirtd >/dev/null 2>&1
	node=pci_$(echo "$V3" | tr ':.' __)
	if virsh -q nodedev-info "$node" >/dev/null 2>&1; then
		for _ in $(seq 5); do
			time_into "$scenario_tmp/virsh" virsh_both "$node"
			time_into "$scenario_tmp/vlist" virsh nodedev-list --cap pci
		done
		ratio "out and home / virsh" "$scenario_tmp/both" "$scenario_tmp/virsh"
		ratio "list / virsh nodedev-list" "$scenario_tmp/list" "$scenario_tmp/vlist"
	else
		echo "virsh: no libvirtd here, no figure"
	fi
fi
awk '/VmRSS/ { print "monitor resident:", $2, "KiB" }' "/proc/$broker_pid/status"
broker_stop
rm -rf /run/vfiobroker
