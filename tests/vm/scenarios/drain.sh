#!/bin/bash
# drain: closing the lease is a promise, not a proof. A client that keeps a VFIO fd
# keeps the device draining, named in the log, and nobody else gets it.
# shellcheck source-path=SCRIPTDIR source=../scenario.sh
. "$(dirname "${BASH_SOURCE[0]}")/../scenario.sh"

chmod 755 "$scenario_tmp" /run/lab
policy <<-END
	allow user alice use $VF managed
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

# The lease is the first of LISTEN_FDNAMES, wherever it stands: close it, keep all else.
cat >"$scenario_tmp/cheat" <<'END'
i=3
for name in $(echo "$LISTEN_FDNAMES" | tr : ' '); do
	[ "$name" = lease ] && eval "exec $i<&-"
	i=$((i + 1))
done
exec sleep 1000
END
chmod 644 "$scenario_tmp/cheat"
spawn alice "$scenario_tmp/cheat.log" vfiobroker exec --device "$VF" -- \
	sh "$scenario_tmp/cheat"
cheat=$spawned
wait_for 15 "the device drains" is draining
check_match "/dev/vfio/$group" "a group fd is kept" ls -l "/proc/$cheat/fd"
wait_for 10 "the log names the holder" broker_log_match "still held by pid $cheat \(sleep\)"
check_match "pid $cheat" "so does show" vfiobroker show "$VF"
check_exit 75 "nobody else gets it" as bob vfiobroker exec --device "$VF" --no-wait -- true
check "it stays on vfio-pci" test "$(driver_of "$VF")" = vfio-pci
kill -9 "$cheat"
wait_for 5 "it comes home when the fd is closed" home

# The same across a restart.
spawn alice "$scenario_tmp/cheat.log" vfiobroker exec --device "$VF" -- \
	sh "$scenario_tmp/cheat"
wait_for 15 "draining again" is draining
broker_kill
broker_start
wait_for 10 "and still after a restart" is draining
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
