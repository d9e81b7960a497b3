#!/bin/bash
# hotplug: devices vanish and appear while they are the host's, resting, leased or on
# their way, alone, with the PF's driver and with all VFs. Every end is a clean record,
# an event and no crash.
# shellcheck source-path=SCRIPTDIR source=../scenario.sh
. "$(dirname "${BASH_SOURCE[0]}")/../scenario.sh"

tools=$(dirname "${BASH_SOURCE[0]}")/../tools
chmod 755 "$scenario_tmp" /run/lab
V2=0000:01:10.2
V3=0000:01:10.4
LAST=0000:01:11.4
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
none_left() {
	! compgen -G "/run/vfiobroker/devices/*" >/dev/null
}
state_is() {
	vfiobroker show "$1" --json | jq -e --arg is "$2" '.state == $is'
}
leases_are() {
	vfiobroker status --json | jq -e "$1"
}
events() {
	jq -se "$1" "$scenario_tmp/events"
}
# went BDF FROM TO: a watcher has been told so. FROM is a regular expression.
went() {
	events "any(.[]; .device == \"$1\" and (.from | test(\"^($2)\$\")) and .to == \"$3\")"
}
# A command that watches does not say when it does; a reload that it tells of does.
watches() {
	kill -HUP "$broker_pid"
	events 'length > 0'
}
# alice_holds BDF COMMAND...: $holder is its pid.
alice_holds() {
	local bdf=$1
	shift
	spawn alice "$scenario_tmp/holder.$bdf.log" vfiobroker exec --device "$bdf" -- "$@"
	holder=$spawned
}
end() {
	kill -KILL "$@"
	wait "$@"
} 2>/dev/null

spawn alice "$scenario_tmp/events" vfiobroker watch --json
watcher=$spawned
wait_for 10 "alice watches" watches

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
check "its lease is empty" leases_are '[.leases[].devices] == [[]]'
end "$holder"
rescan
wait_for 10 "edu is back" known "$EDU"
wait_for 10 "and the lease is over" leases_are '.leases == []'

# The PF's driver goes, and the VFs with it, one of which rests and one is leased.
{ lines; echo "claim $V2"; } | policy
kill -HUP "$broker_pid"
wait_for 20 "a VF rests on vfio-pci" resting "$V2"
alice_holds "$VF" sleep 1000
wait_for 20 "alice holds another" state_is "$VF" leased
check "PF driver unloaded" sh -c "echo $PF >/sys/bus/pci/drivers/igb/unbind"
wait_for 20 "no VF is listed" unknown '0000:01:1[01]'
wait_for 10 "no record stays" none_left
check "the PF is listed" known "$PF"
check "the holder lives" kill -0 "$holder"
check "its lease is empty" leases_are '[.leases[].devices] == [[]]'
end "$holder"
wait_for 10 "and over with its holder" leases_are '.leases == []'
check "PF driver loaded" sh -c "echo $PF >/sys/bus/pci/drivers/igb/bind && udevadm settle"
check "VFs are made" vfs_up
wait_for 20 "and listed" known "$LAST"
wait_for 20 "the claim line takes its VF again" resting "$V2"
check "another can be had" as alice vfiobroker exec --device "$VF" -- true
lines | policy
kill -HUP "$broker_pid"
wait_for 20 "and goes home" home "$VF" igbvf
wait_for 20 "so does the claimed one" home "$V2" igbvf

# VFs destroyed while one is leased, one drains, and the last is used by what does as
# a VMM does. For that one the kernel waits, and asks.
alice_holds "$VF" sleep 1000
holders=("$holder")
alice_holds "$V2" "$tools/close-lease" sleep 1000
holders+=("$holder")
alice_holds "$LAST" "$tools/vfio-hold" "$LAST"
wait_for 20 "alice holds a VF" state_is "$VF" leased
wait_for 20 "another drains" state_is "$V2" draining
wait_for 20 "the last is in use" grep -q '^held' "$scenario_tmp/holder.$LAST.log"
echo 0 >"$sys/$PF/sriov_numvfs" &
store=$!
wait_for 20 "VFs destroyed: the leased one is no more" unknown "$VF"
wait_for 20 "nor is the one that drained" unknown "$V2"
wait_for 20 "nor one that was at home" unknown "$V3"
wait_for 20 "the holder of the last is asked" grep -q '^asked' "$scenario_tmp/holder.$LAST.log"
check "the kernel waits for it" kill -0 "$store"
check "so it is still leased" state_is "$LAST" leased
check "and the broker gives other devices" as alice vfiobroker exec --device "$NIC" -- true
end "$holder"
wait_for 20 "then it is gone too" unknown "$LAST"
check "all are destroyed" wait "$store"
end "${holders[@]}"
wait_for 20 "no record stays" none_left
wait_for 10 "no lease either" leases_are '.leases == []'

# And in the middle of their way out, wherever each is.
check "VFs are made again" sh -c "echo 7 >$sys/$PF/sriov_numvfs"
wait_for 20 "and listed" known "$LAST"
for i in 0 2 4; do
	spawn alice "$scenario_tmp/vf$i.log" vfiobroker exec --device "0000:01:10.$i" -- true
done
echo 0 >"$sys/$PF/sriov_numvfs"
wait_for 20 "VFs destroyed: none is listed" unknown '0000:01:1[01]'
wait_for 20 "no record stays" none_left
check "VFs are made once more" sh -c "echo 7 >$sys/$PF/sriov_numvfs"
wait_for 20 "and listed" known "$V2"
wait_for 20 "with their driver" test "$(driver_of "$VF")" = igbvf
check "one can be had" as alice vfiobroker exec --device "$VF" -- true
wait_for 20 "home" home "$VF" igbvf

# What the watcher saw. The kernel tells first that a driver is off, which sends what
# rested there home, if it is not gone by then; and a user who ends closes his lease.
check "gone from the host" went "$NIC" host gone
check "gone from its rest" went "$NIC" 'ready|restoring' gone
check "gone while leased" went "$EDU" leased gone
check "appeared" went "$NIC" gone host
check "appeared after a lease" went "$EDU" gone host
check "gone with the PF's driver: while resting" went "$V2" 'ready|restoring' gone
check "while leased" went "$VF" leased gone
check "at home" went "$V3" host gone
check "gone while draining" went "$V2" draining gone
check "gone behind its user" went "$LAST" '[^h].*' gone
check "all VFs appeared" events '[.[] | select(.from == "gone" and
	(.device // "" | startswith("0000:01:1"))).device] | unique | length == 7'
check "numbers have no gap" events '[.[].number] | . == [range(.[0]; .[0] + length)]'
end "$watcher"

check "it is one broker all the time" kill -0 "$pid"
check_not "which never stumbled" broker_log_match '^<2>'
broker_stop
rm -rf /run/vfiobroker
