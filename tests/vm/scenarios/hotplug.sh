#!/bin/bash
# hotplug: devices vanish and appear while they are the host's, resting, leased or on
# their way. Every end is a clean record, an event and no crash.
# shellcheck source-path=SCRIPTDIR source=../scenario.sh
. "$(dirname "${BASH_SOURCE[0]}")/../scenario.sh"

chmod 755 "$scenario_tmp" /run/lab
V2=0000:01:10.2
lines() {
	cat <<-END
		allow user alice use $NIC managed
		allow user alice use vf-of $PF managed
		allow user alice use $EDU managed reset none
	END
}
lines | policy
broker_start || exit
pid=$broker_pid
known() {
	vfiobroker list --all | grep -q "^$1"
}
unknown() {
	! known "$1"
}
record() {
	[ -e "/run/vfiobroker/devices/$1" ]
}
no_record() {
	! record "$1"
}
rescan() {
	echo 1 >/sys/bus/pci/rescan
}

# While it is the host's.
check "the NIC is listed" known "$NIC"
echo 1 >"$sys/$NIC/remove"
wait_for 10 "removed, it is no more" unknown "$NIC"
check_exit 66 "and can not be had" as alice vfiobroker exec --device "$NIC" -- true
rescan
wait_for 10 "found again, it is listed at once" known "$NIC"
wait_for 20 "its driver too" test "$(driver_of "$NIC")" != ""
poll 20 sh -c "[ -d $sys/$NIC/driver ]"
check "it can be had" as alice vfiobroker exec --device "$NIC" -- true
wait_for 20 "and comes home" no_record "$NIC"

# While it rests on vfio-pci.
{ lines; echo "claim $NIC"; } | policy
kill -HUP "$broker_pid"
resting() {
	[ "$(driver_of "$1")" = vfio-pci ] && grep -qs '^step ready' "/run/vfiobroker/devices/$1"
}
wait_for 20 "a claim line takes it" resting "$NIC"
echo 1 >"$sys/$NIC/remove"
wait_for 10 "removed while resting: no record stays" no_record "$NIC"
rescan
wait_for 20 "back, it is claimed again" resting "$NIC"
lines | policy
kill -HUP "$broker_pid"
home() {
	[ "$(driver_of "$1")" = "$2" ] && no_record "$1" &&
		[ "$(sed 's/^(null)$//' "$sys/$1/driver_override")" = "" ]
}
wait_for 20 "without the line it goes home" home "$NIC" e1000e

# While it is leased: the kernel waits for the holder of a device, not of a group.
spawn alice "$scenario_tmp/holder.log" vfiobroker exec --device "$EDU" -- sleep 1000
holder=$spawned
wait_for 15 "alice holds edu" grep -qs '^step leased' "/run/vfiobroker/devices/$EDU"
echo 1 >"$sys/$EDU/remove"
wait_for 10 "removed while leased: no record stays" no_record "$EDU"
check "the holder lives" kill -0 "$holder"
check_match '"devices": ?\[\]' "its lease is empty" as alice vfiobroker status --json
kill -9 "$holder"
rescan
wait_for 10 "edu is back" known "$EDU"
wait_for 10 "and the lease is over" sh -c \
	'vfiobroker status --json | jq -e ".leases == []"'

# VFs destroyed under the broker, in the middle of their way out.
check_match "$V2" "the VFs are listed" vfiobroker list --all
for i in 0 2 4; do
	spawn alice "$scenario_tmp/vf$i.log" vfiobroker exec --device "0000:01:10.$i" -- true
done
echo 0 >"$sys/$PF/sriov_numvfs"
wait_for 20 "VFs destroyed: none is listed" unknown "$VF"
none_left() {
	! compgen -G "/run/vfiobroker/devices/*" >/dev/null
}
wait_for 20 "no record stays" none_left
check "VFs are made again" sh -c "echo 7 >$sys/$PF/sriov_numvfs"
wait_for 20 "and listed" known "$V2"
wait_for 20 "with their driver" test "$(driver_of "$VF")" = igbvf
check "one can be had" as alice vfiobroker exec --device "$VF" -- true
wait_for 20 "home" home "$VF" igbvf

check "it is one broker all the time" kill -0 "$pid"
check_not "which never stumbled" broker_log_match '^<2>'
broker_stop
rm -rf /run/vfiobroker
