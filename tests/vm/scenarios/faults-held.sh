#!/bin/bash
# faults-held: the deaths of faults and faults-more, while another device is in a machine
# of QEMU's all the time, and with clients that hold what they were granted, if they were.
# After each death the holders still have their leases and their devices; these come home
# when the holders end, and not before.
# shellcheck source-path=SCRIPTDIR source=../guest.sh
. "$(dirname "${BASH_SOURCE[0]}")/../guest.sh"
# shellcheck source-path=SCRIPTDIR source=../tools/faults.sh
. "$(dirname "${BASH_SOURCE[0]}")/../tools/faults.sh" # whose holds() is another

V2=0000:01:10.2
[ -x "$faulty" ] || {
	fail "there is a broker with fault points" "make faults"
	exit
}
policy <<-END
	allow user alice use $VF managed
	allow user alice use $EDU managed
	allow user bob use $V2 managed memlock 2G
END
kinds=(plain quarantine ask holders) # not start: nobody is in it who could hold
keeper_has() {
	[ "$(find "/proc/$keeper/fd" -lname "/dev/vfio/$(group_of "$V2")" | wc -l)" = 1 ]
}
mkdir -m 777 "$scenario_tmp/bob"
check "the host has KVM" modprobe "$(kvm_module)"

disarm
start
spawn bob "$scenario_tmp/keeper.log" vfiobroker run -- "${vmm[@]}" "${paused[@]}" \
	-device "vfio-pci,host=$V2" -qmp "unix:$scenario_tmp/bob/qmp,server=on,wait=off"
keeper=$spawned
wait_for 60 "QEMU is up" test -S "$scenario_tmp/bob/qmp"
check "and answers" qmp_open "$scenario_tmp/bob/qmp"
check "it has the device" keeper_has
keeper_id=$(lease_of "$V2")
stop

all_deaths plain quarantine ask holders
# How many is a race: between a grant on its way and a death that takes the sessions along.
echo "clients that had been granted theirs kept it too: $kept"
check "QEMU still has its device" keeper_has
check_match '"status": "prelaunch"' "and answers" qmp '{"execute":"query-status"}'

broker_start || exit
check_match '"leased"' "after all that it is leased" vfiobroker show "$V2" --json
kill -KILL "$keeper"
wait "$keeper" 2>/dev/null
keeper=
wait_for 20 "it comes home when its holder ends" home "$V2" igbvf
wait_for 20 "and all is home" all_home
broker_stop
rm -rf /run/vfiobroker
