#!/bin/bash
# stuck: a holder that has the device itself open lets the kernel's unbind wait for
# ever, and nothing can kill who waits. The kernel asks the holder, the administrator is
# told, that one device is wedged, and everybody else goes on as fast as before. The
# death of the broker changes nothing, and when the holder ends the device comes home
# without anybody's help.
# shellcheck source-path=SCRIPTDIR source=../scenario.sh
. "$(dirname "${BASH_SOURCE[0]}")/../scenario.sh"

tools=$(dirname "${BASH_SOURCE[0]}")/../tools
V2=0000:01:10.2 # on vfio-pci all the time
bound=2         # how much longer it may take others; 1 is usual
chmod 755 "$scenario_tmp" /run/lab
policy <<-END
	allow user alice use $VF managed
	allow user bob use $V2
	allow user bob use $PF managed
	tolerate vfs-in-use on $PF
	tolerate net-address on $PF
	claim $V2
	admin user bob
END

state_is() {
	[ "$(vfiobroker show "$1" --json | jq -r .state)" = "$2" ]
}
# A wedged device's driver_override can not be read: the kernel keeps its lock.
home() {
	[ "$(driver_of "$VF")" = igbvf ] && ! [ -e "/run/vfiobroker/devices/$VF" ]
}
rests() {
	grep -qs '^step ready' "/run/vfiobroker/devices/$V2"
}
alice_holds() {
	: >"$scenario_tmp/holder.log"
	spawn alice "$scenario_tmp/holder.log" vfiobroker exec --device "$VF" -- \
		"$tools/vfio-hold" "$VF"
	holder=$spawned
	wait_for 30 "alice uses the device" grep -q '^held 8086:10ca' "$scenario_tmp/holder.log"
	lease=$(sed -n 's/^lease //p' "/run/vfiobroker/devices/$VF")
}
# revoke: bob asks it back. That takes until the broker gives up, so in the background.
revoke() {
	setpriv --reuid=bob --regid=bob --init-groups vfiobroker revoke "$lease" --grace 0 \
		>"$scenario_tmp/revoke.log" 2>&1 </dev/null &
	revoker=$!
}
# reported: what bob is told while the holder keeps it. Nobody is killed.
reported() {
	wait "$revoker"
	check_match '^75$' "the revoke does not succeed" echo $?
	check_match "$VF: wedged: unbind does not return from the kernel; revoked from uid 1000" \
		"and says what came of it" cat "$scenario_tmp/revoke.log"
	check "the holder is left alone" kill -0 "$holder"
}

# us COMMAND...: how long it takes, into $us.
us() {
	local begin=${EPOCHREALTIME/./}
	"$@" >/dev/null 2>&1 </dev/null || failures=$((failures + 1))
	us=$((${EPOCHREALTIME/./} - begin))
}
median() {
	printf '%s\n' "$@" | sort -n | sed -n "$((($# + 1) / 2))p"
}
# shellcheck disable=SC2034 # by nameref
forget() {
	usual_status=() usual_list=() usual_acquire=()
	meanwhile_status=() meanwhile_list=() meanwhile_acquire=()
}
# measure NAME TIMES: what others do: a new connection each, one acquires. The times are
# added to the arrays NAME_status, NAME_list, NAME_acquire.
measure() {
	local i bob=(setpriv --reuid=bob --regid=bob --init-groups vfiobroker)
	local -n status=$1_status list=$1_list acquire=$1_acquire
	for ((i = 0; i < $2; i++)); do
		us "${bob[@]}" status
		status+=("$us")
		us "${bob[@]}" list
		list+=("$us")
		us "${bob[@]}" exec --device "$V2" -- true
		acquire+=("$us")
		poll 20 rests
	done
}
# ratio WHAT: of the medians, in percent, into $ratio; and says it.
ratio() {
	local old new
	local -n usual=usual_$1 meanwhile=meanwhile_$1
	old=$(median "${usual[@]}") new=$(median "${meanwhile[@]}")
	ratio=$((new * 100 / old))
	printf '%s: usually %d us, meanwhile %d us, ratio %d.%02d\n' "$1" "$old" "$new" \
		$((ratio / 100)) $((ratio % 100))
}
# as_fast: nothing takes others bound times as long.
as_fast() {
	local what ok=0
	for what in status list acquire; do
		ratio "$what"
		[ "$ratio" -lt $((bound * 100)) ] || ok=1
	done
	return "$ok"
}
# after BEGIN LINE: how long since then, in ms, when the log has the line; 20 s at most.
after() {
	local now=$1 log lines=()
	while
		mapfile -t lines <"$broker_log"
		log=${lines[*]} now=${EPOCHREALTIME/./}
		[[ $log != *"$2"* ]] && [ $((now - $1)) -lt 20000000 ]
	do
		read -r -t 0.01 -u "$nap" _ || :
	done
	after=$(((now - $1) / 1000))
}
# unwedges: the holder ends; how long until the broker has taken the device up again,
# and until the host has it?
unwedges() {
	local begin recovered
	: >"$broker_log"
	begin=${EPOCHREALTIME/./}
	{ kill -KILL "$holder" && wait "$holder"; } 2>/dev/null
	after "$begin" "$VF: wedged -> "
	recovered=$after
	after "$begin" "$VF: restoring -> host "
	echo "recovered $recovered ms after its holder's end, home $after ms"
	check "the device is recovered within a second" [ "$recovered" -lt 1000 ]
	check "and home" [ "$after" -lt 1000 ]
	wait_for 20 "with nothing left of it" home
}

mkfifo "$scenario_tmp/nap"
exec {nap}<>"$scenario_tmp/nap"
failures=0
forget

broker_start --worker-timeout 2 || exit
wait_for 20 "the claimed device rests on vfio-pci" rests
alice_holds
measure usual 7
revoke
wait_for 20 "the kernel asks the holder" grep -q '^asked' "$scenario_tmp/holder.log"
wait_for 20 "the device is wedged" state_is "$VF" wedged
check_match "$VF.* wedged" "status shows it" as bob vfiobroker status
check_match 'does not return from the kernel' "with what it waits for" as bob vfiobroker status
check_match "; revoked from uid 1000.*pid $holder " "and for whom" as bob vfiobroker status
check_match 'does not return from the kernel' "so does show" as alice vfiobroker show "$VF"
check_exit 75 "nobody is kept waiting for it" as alice vfiobroker exec --device "$VF" -- true
check_match 'wedged' "and is told why" as alice vfiobroker exec --device "$VF" -- true
check_exit 75 "its PF is not taken from under it" as bob vfiobroker exec --device "$PF" -- true
check_match "$VF is wedged" "since that would wait too" \
	as bob vfiobroker exec --device "$PF" -- true
reported
measure meanwhile 15
unwedges
check "the device is given again" as alice vfiobroker exec --device "$VF" -- true
wait_for 20 "and home" home
measure usual 8
as_fast
fast=$?
if [ "$fast" != 0 ]; then
	echo "once more, since the machine may have been busy with other things"
	forget
	measure usual 8
	alice_holds
	revoke
	poll 20 state_is "$VF" wedged
	wait "$revoker"
	measure meanwhile 15
	unwedges
	measure usual 7
	as_fast
	fast=$?
fi
check "nothing took others $bound times as long" [ "$fast" = 0 ]
check "no command of another failed ($failures)" [ "$failures" = 0 ]

# The broker dies while its worker is stuck; the worker can not.
alice_holds
: >"$broker_log"
revoke
wait_for 20 "wedged again" state_is "$VF" wedged
broker_kill
wait "$revoker"
check_match '^69$' "a revoke ends with the broker" echo $?
: >"$broker_log"
broker_start --worker-timeout 2 || exit
check_match 'wedged' "after kill -9 it is still wedged" vfiobroker show "$VF"
check_match 'a worker of the broker before' "and known why" vfiobroker show "$VF"
check_exit 75 "nor is its PF taken" as bob vfiobroker exec --device "$PF" -- true
check_exit 75 "nobody gets it" as alice vfiobroker exec --device "$VF" --no-wait -- true
check "others get theirs" as bob vfiobroker exec --device "$V2" -- true
unwedges
check "and is given again" as alice vfiobroker exec --device "$VF" -- true
wait_for 20 "home" home

policy </dev/null
kill -HUP "$broker_pid"
wait_for 20 "nothing is kept" sh -c '! ls /run/vfiobroker/devices | grep -q .'
broker_stop
rm -rf /run/vfiobroker
