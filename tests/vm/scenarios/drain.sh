#!/bin/bash
# drain: closing the lease is a promise, not a proof. A client that keeps a VFIO fd
# keeps the device draining, named in the log, and nobody else gets it.
# shellcheck source-path=SCRIPTDIR source=../scenario.sh
. "$(dirname "${BASH_SOURCE[0]}")/../scenario.sh"

tools=$(dirname "${BASH_SOURCE[0]}")/../tools
V2=0000:01:10.2
chmod 755 "$scenario_tmp" /run/lab
policy <<-END
	allow user alice use $VF managed
	allow user alice use $V2 managed
	limit user alice devices 1
	allow user bob use $VF managed
END
broker_start || exit
group=$(group_of "$VF")
state() {
	vfiobroker show "$VF" --json | jq -r .state
}
is() {
	[ "$(state)" = "$1" ]
}
home() {
	[ "$(driver_of "$VF")" = igbvf ] && ! [ -e "/run/vfiobroker/devices/$VF" ]
}

spawn alice "$scenario_tmp/cheat.log" vfiobroker exec --device "$VF" -- \
	"$tools/close-lease" sleep 1000
cheat=$spawned
wait_for 15 "the device drains" is draining
check_match "/dev/vfio/$group" "a group fd is kept" ls -l "/proc/$cheat/fd"
wait_for 10 "the log names the holder" broker_log_match "still held by pid $cheat \(sleep\)"
check_match "pid $cheat" "so does show" vfiobroker show "$VF"
check_match "^device +$VF draining: held by pid $cheat \\(sleep\\), uid 1000" \
	"and status, with whom it waits for" as bob vfiobroker status
check_exit 75 "nobody else gets it" as bob vfiobroker exec --device "$VF" --no-wait -- true
check "it stays on vfio-pci" test "$(driver_of "$VF")" = vfio-pci
check_exit 75 "nor does she get another beyond her limit" \
	as alice vfiobroker exec --device "$V2" --no-wait -- true
check_match "$VF of your lease [0-9]+, which is over, still counts" "since this one counts" \
	as alice vfiobroker exec --device "$V2" --no-wait -- true
spawn alice "$scenario_tmp/second.log" vfiobroker exec --device "$V2" -- true
second=$spawned
kill -9 "$cheat"
wait_for 5 "it comes home when the fd is closed" home
check "and who waited gets the other one" wait "$second"

# Of the device alone, which the kernel does not name: whoever has some is named.
spawn alice "$scenario_tmp/device.log" vfiobroker exec --device "$VF" -- \
	"$tools/vfio-hold" --device-only "$VF"
cheat=$spawned
wait_for 15 "the device alone is kept" grep -q '^held 8086:10ca' "$scenario_tmp/device.log"
wait_for 15 "it drains" is draining
check_not "no group fd is kept" sh -c "ls -l /proc/$cheat/fd | grep /dev/vfio"
wait_for 10 "the log names the holder" broker_log_match "$VF is still held by pid $cheat \("
check_match "^device +$VF draining: held by pid $cheat \(" "so does status" \
	as bob vfiobroker status
check_exit 75 "nobody else gets it" as bob vfiobroker exec --device "$VF" --no-wait -- true
check_match "draining.*pid $cheat" "and is told why" \
	as bob vfiobroker exec --device "$VF" --no-wait -- true
check "it stays on vfio-pci" test "$(driver_of "$VF")" = vfio-pci
kill -9 "$cheat"
wait_for 5 "it comes home when the device is closed" home

# The same across a restart.
spawn alice "$scenario_tmp/cheat.log" vfiobroker exec --device "$VF" -- \
	"$tools/close-lease" sleep 1000
wait_for 15 "draining again" is draining
broker_kill
broker_start
wait_for 10 "and still after a restart" is draining
check_exit 75 "and counts" as alice vfiobroker exec --device "$V2" --no-wait -- true
kill -9 "$spawned"
wait_for 5 "home" home

# A copy of the lease in another process keeps it, whatever became of the first.
cat >"$scenario_tmp/leave" <<'END'
sleep 1000 &
END
chmod 644 "$scenario_tmp/leave"
check "the manager leaves, its child stays" as alice vfiobroker exec --device "$VF" -- \
	sh "$scenario_tmp/leave"
check "the lease lives" is leased
pkill -9 -u alice sleep
wait_for 10 "until the child is gone" home
broker_stop
rm -rf /run/vfiobroker
