#!/bin/bash
# revoke: an administrator asks a lease back. The holder is told; a VMM that listens
# gives the device back by itself, one that does not is asked by the kernel; nobody is
# killed, and what is still held is reported. And watch, which tells of all of it.
# shellcheck source-path=SCRIPTDIR source=../scenario.sh
. "$(dirname "${BASH_SOURCE[0]}")/../scenario.sh"

chmod 755 "$scenario_tmp" /run/lab
policy <<-END
	allow user alice use $VF managed
	admin user bob
END
broker_start --worker-timeout 3 || exit
leased() {
	grep -qs '^step leased' "/run/vfiobroker/devices/$VF"
}
home() {
	[ "$(driver_of "$VF")" = igbvf ] && ! [ -e "/run/vfiobroker/devices/$VF" ]
}
lease_id() {
	as alice vfiobroker status --json | jq -r '.leases[0].id'
}
events() {
	jq -se "$1" "$scenario_tmp/events"
}

spawn bob "$scenario_tmp/events" vfiobroker watch --json
watcher=$spawned
spawn mallory "$scenario_tmp/mallory" vfiobroker watch --json
poll 10 sh -c "[ \$(vfiobroker status --json >/dev/null; pgrep -c -f 'vfiobroker watch') -ge 2 ]"

# A holder that gives up when it is told: it watches, and ends.
cat >"$scenario_tmp/good" <<'END'
vfiobroker watch --json | while read -r line; do
	case $line in
	*'"lease"'*asked*back*) exit 0 ;;
	esac
done
END
chmod 644 "$scenario_tmp/good"
spawn alice "$scenario_tmp/good.log" vfiobroker exec --device "$VF" -- \
	sh "$scenario_tmp/good"
wait_for 15 "alice holds it" leased
check_exit 77 "mallory may not revoke" as mallory vfiobroker revoke "$(lease_id)"
check_exit 66 "no such lease" as bob vfiobroker revoke 424242
poll 10 sh -c "pgrep -u alice -f 'vfiobroker watch' >/dev/null"
check "a willing holder gives it back in the grace time" \
	as bob vfiobroker revoke "$(lease_id)" --grace 30
wait_for 15 "it comes home" home

# A holder of the group alone: the kernel needs no consent to unbind.
spawn alice "$scenario_tmp/holder.log" vfiobroker exec --device "$VF" -- sleep 1000
holder=$spawned
wait_for 15 "alice holds it again" leased
check "without grace the kernel is asked" as bob vfiobroker revoke "$(lease_id)" --grace 0
check "the holder was not killed" kill -0 "$holder"
wait_for 15 "the device is home" home
check_match '"leases": ?\[\]' "the lease is over" as alice vfiobroker status --json
kill -9 "$holder"

# What the watchers saw.
wait_for 5 "an event says revoked" events 'any(.[]; .lease != null and (.text | test("revoked")))'
check "numbers have no gap" events '[.[].number] | . == [range(.[0]; .[0] + length)]'
check "states are told" events 'any(.[]; .from == "ready" and .to == "leased")'
check "with durations" events 'any(.[]; .to == "ready" and .duration_us > 0)'
check_match '"to": ?"leased"' "mallory sees states" cat "$scenario_tmp/mallory"
check_not "but not whose lease it is" grep -q '"owner": *1000' "$scenario_tmp/mallory"
check_not "nor who asked" grep -q 'uid 1000' "$scenario_tmp/mallory"
policy <<-END
	allow user alice use $VF
END
kill -HUP "$broker_pid"
wait_for 5 "a reload is an event" events 'any(.[]; .kind == "policy")'
kill "$watcher"
pkill -u mallory vfiobroker
check_exit 77 "without an admin line bob may not" as bob vfiobroker revoke 1
check_exit 77 "and without managed alice gets nothing" \
	as alice vfiobroker exec --device "$VF" -- true
broker_stop
rm -rf /run/vfiobroker
