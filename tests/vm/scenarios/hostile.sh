#!/bin/bash
# hostile: a client that breaks the protocol while others have leases and connections:
# it loses its connection, and they notice nothing. tests/int/hostile.sh has more ways
# to break it, on a machine where nothing can be lent.
# shellcheck source-path=SCRIPTDIR source=../scenario.sh
. "$(dirname "${BASH_SOURCE[0]}")/../scenario.sh"

peer=/lab/build/tests/int/peer
chmod 755 "$scenario_tmp" /run/lab
policy <<-END
	allow user alice use $VF managed
	allow user bob use $VF managed
	limit any requests 100000/s
END
broker_start || exit
pid=$broker_pid
leased() {
	grep -qs '^step leased' "/run/vfiobroker/devices/$VF"
}
home() {
	[ "$(driver_of "$VF")" = igbvf ] && ! [ -e "/run/vfiobroker/devices/$VF" ]
}
spawn alice "$scenario_tmp/holder.log" vfiobroker exec --device "$VF" -- sleep 1000
holder=$spawned
wait_for 20 "alice holds a device" leased
spawn bob "$scenario_tmp/watch.log" vfiobroker watch --json
watcher=$spawned
fds() {
	find "/proc/$pid/fd" -mindepth 1 | wc -l
}
# Bob's connection and a spare session: its end is that of the broker's children too.
calm() {
	[ "$(pgrep -c -P "$pid")" = 2 ] && [ "$(fds)" = "$1" ]
}
poll 10 sh -c "[ \$(pgrep -c -P $pid) = 2 ]"
before=$(fds)

# breaks WHAT STEP...: see peer.c. And others are served, in a connection of their own.
breaks() {
	local what=$1
	shift
	check "$what: the connection is closed" as mallory "$peer" "$broker_socket" "$@" closed
	check_match "^$VF +8086:10ca" "$what: bob's list goes on" as bob vfiobroker list
	wait_for 10 "$what: nothing of it stays" calm "$before"
}
breaks "garbage" send=ffffffffffffffff
breaks "garbage behind a hello" hello send=deadbeef
breaks "an over-long packet" long=9000
breaks "a descriptor" fds=1
breaks "a packet of nothing" empty
breaks "nothing at all" shutdown=write
check_match '^5$' "the log has a line about each that sent something" \
	grep -c 'closed the connection of uid 1002, pid [0-9]*: it sent ' "$broker_log"

check "bob's connection is still there" kill -0 "$watcher"
check "alice has her device" leased
check "and lives" kill -0 "$holder"
check_exit 75 "which is not given to bob" as bob vfiobroker exec --device "$VF" --no-wait -- true
check "the broker is the same process" kill -0 "$pid"
kill "$watcher"
kill -9 "$holder"
wait_for 20 "the device comes home" home
broker_stop
rm -rf /run/vfiobroker
