#!/bin/bash
# stress: 500 rounds of four users on six VFs in random order, four of which stay on
# vfio-pci between leases and two go home each time. Clients are killed while they
# wait and what they run while it holds, which now and then is QEMU with the device in a
# machine, sessions are killed, and in the first part the broker is, again and again.
# Nothing may be lost; then the same broker does the
# rest, and needs no more fds and memory at its end than after its first rounds.
# STRESS_SEED=N repeats the dice, though not the race.
# shellcheck source-path=SCRIPTDIR source=../scenario.sh
. "$(dirname "${BASH_SOURCE[0]}")/../scenario.sh"
# shellcheck source-path=SCRIPTDIR source=../guest.sh
. "$(dirname "${BASH_SOURCE[0]}")/../guest.sh"

seed=${STRESS_SEED:-$((SRANDOM % 100000))}
echo "seed $seed"
RANDOM=$seed
parts=(30 13 82) # rounds of each user: with broker kills, to warm up, to the end
uids=(1000 1001 1002 2001) # alice, bob, mallory and one without a name
vfs=("$sys"/0000:01:1[01].*) vfs=("${vfs[@]##*/}") vfs=("${vfs[@]:0:6}")
kvm=$(getent group kvm | cut -d: -f3)
declare -A groups
for vf in "${vfs[@]}"; do
	groups[$vf]=$(group_of "$vf")
done
first_fds=0 first_rss=0 last_fds=0 last_rss=0
mkfifo "$scenario_tmp/nap"
exec {nap}<>"$scenario_tmp/nap"

rules() {
	local uid
	for uid in "${uids[@]}"; do
		echo "allow uid $uid use vf-of $PF managed memlock 2G"
	done
}
nap() {
	local s
	printf -v s '%d.%03d' $(($1 / 1000)) $(($1 % 1000))
	read -r -t "$s" -u "$nap" _ || :
}
serves() {
	local line
	while read -r line; do
		[[ $line != *" 00010000 "*"$broker_socket" ]] || return 0
	done </proc/net/unix
	return 1
}

# qemu_has PID NODE: without a fork. The command that becomes QEMU has it too.
qemu_has() {
	local fd
	[[ /proc/$1/exe -ef /usr/bin/${vmm[0]} ]] || return
	for fd in "/proc/$1/fd"/*; do
		[[ ! $fd -ef $2 ]] || return 0
	done
	return 1
}
# user_runs COMMAND...: as the user, $pid is the command's.
user_runs() {
	setpriv --reuid="$uid" --regid="$uid" --groups "$kvm" "$@" &
	pid=$!
}
# user_kills WORD: whoever it is by then; $status is the word, or how it ended before.
user_kills() {
	if kill -KILL "$pid"; then
		status=$1
		wait "$pid"
	else
		wait "$pid"
		status=$?
	fi
}
# Half of the machines are killed when they have the device, by when the rest of QEMU
# may be made or not, and half at any time.
user_runs_qemu() {
	local tries=0 word="killed QEMU"
	user_runs vfiobroker run -- "${vmm[@]}" "${paused[@]}" -device "vfio-pci,host=$vf"
	if [ $((RANDOM % 2)) = 0 ]; then
		until qemu_has "$pid" "/dev/vfio/${groups[$vf]}" || [ $((tries++)) = 400 ] ||
			! kill -0 "$pid"; do
			nap 20
		done
	fi
	nap $((RANDOM % 400))
	! qemu_has "$pid" "/dev/vfio/${groups[$vf]}" || word="killed QEMU with the device"
	user_kills "$word"
}
# One user, in a process of its own. Its statuses go to a file, one a line: the exit
# status, or "killed ...".
user() {
	local uid=$1 rounds=$2 vf pid status
	exec 2>/dev/null # bash tells of each kill
	RANDOM=$((seed + uid + rounds))
	while [ "$rounds" -gt 0 ]; do
		vf=${vfs[RANDOM % ${#vfs[@]}]}
		case $((RANDOM % 16)) in
		0) user_runs_qemu ;;
		[1-4])
			user_runs vfiobroker exec --device "$vf" -- sleep 1000
			nap $((RANDOM % 400))
			user_kills killed
			;;
		*)
			user_runs vfiobroker exec --device "$vf" -- true
			wait "$pid"
			status=$?
			;;
		esac </dev/null >/dev/null
		echo "$status" >>"$scenario_tmp/statuses.$uid"
		rounds=$((rounds - 1))
		until serves; do
			nap 20
		done
	done
}

# Its file ends without a newline, at which read is not content.
children_of_broker() {
	children=()
	{ read -r -a children <"/proc/$broker_pid/task/$broker_pid/children"; } 2>/dev/null || :
}

# Kills a session, any of them: the spare one and busy ones.
session_kill() {
	local pid comm
	children_of_broker
	[ ${#children[@]} -gt 0 ] || return
	pid=${children[RANDOM % ${#children[@]}]}
	{ read -r comm <"/proc/$pid/comm"; } 2>/dev/null || return
	[[ $comm != vfiobroker-ses* ]] || ! kill -KILL "$pid" 2>/dev/null ||
		session_kills=$((session_kills + 1))
}

# all_users ROUNDS [broker]: they run, and meanwhile sessions, or the broker, die.
all_users() {
	local uid pids=() turn=0
	for uid in "${uids[@]}"; do
		user "$uid" "$1" &
		pids+=($!)
	done
	while [ "$(jobs -r | grep -c 'user ')" -gt 0 ]; do
		nap $((RANDOM % 700 + 100))
		if [ $# -gt 1 ] && [ $((turn++ % 3)) = 2 ]; then
			broker_kill
			broker_kills=$((broker_kills + 1))
			broker_start || return
		else
			session_kill
		fi
	done
	wait "${pids[@]}"
}

# Nobody holds anything, and nothing is on its way.
settled() {
	local file
	for file in /run/vfiobroker/leases/[0-9]*; do
		[ ! -e "$file" ] || return 1
	done
	for file in /run/vfiobroker/devices/*; do
		[ ! -e "$file" ] || grep -q '^step ready' "$file" || return 1
	done
	children_of_broker
	# The spare session, which a client brings back if it was killed.
	[ ${#children[@]} -gt 0 ] || vfiobroker status >/dev/null
	[ ${#children[@]} = 1 ]
}
home() {
	local vf override
	for vf in "${vfs[@]}"; do
		[ "$sys/$vf/driver" -ef /sys/bus/pci/drivers/igbvf ] &&
			read -r override <"$sys/$vf/driver_override" && [ "$override" = "(null)" ] &&
			[ ! -e "/run/vfiobroker/devices/$vf" ] || return
	done
}
# sample NAME: the monitor's fds and memory, when all is quiet.
sample() {
	wait_for 30 "all is quiet" settled
	printf -v "$1_fds" %s "$(find "/proc/$broker_pid/fd" -mindepth 1 | wc -l)"
	printf -v "$1_rss" %s "$(sed -n 's/^VmRSS:[^0-9]*\([0-9]*\) kB/\1/p' "/proc/$broker_pid/status")"
}

{
	rules
	printf 'claim %s\n' "${vfs[@]:0:4}"
} | policy
session_kills=0 broker_kills=0 children=()
# how_many [-v] REGEX: rounds that ended so.
how_many() {
	grep -Ec "$@" "$scenario_tmp/all"
}

check "the host has KVM" modprobe "$(kvm_module)"
broker_start || exit
all_users "${parts[0]}" broker
wait_for 30 "all is quiet after $broker_kills deaths of the broker" settled
check "it died now and then" [ "$broker_kills" -ge 3 ]

broker_kill
broker_start || exit
all_users "${parts[1]}"
sample first
all_users "${parts[2]}"
sample last
cat "$scenario_tmp"/statuses.* >"$scenario_tmp/all"
rounds=$(wc -l <"$scenario_tmp/all")
given=$(how_many '^0$') asked=$(how_many -v '^killed') vmms=$(how_many 'with the device$')
echo "$rounds rounds: $(sort "$scenario_tmp/all" | uniq -c | sort -rn |
	sed -E 's/^ *([0-9]+) (.*)/\1 \2/' | paste -sd, | sed 's/,/, /g');" \
	"$session_kills sessions and $broker_kills brokers killed"
echo "monitor after $((4 * parts[1])) rounds: $first_fds fds, $first_rss KiB;" \
	"after $((4 * (parts[1] + parts[2]))): $last_fds fds, $last_rss KiB"
check "sessions died too" [ "$session_kills" -ge 10 ]
check "and QEMUs that had a device" [ "$vmms" -ge 3 ]
check "500 rounds" [ "$rounds" = 500 ]
check "at least half of those that were let ($given of $asked) were given their device" \
	[ $((given * 2)) -ge "$asked" ]
check_not "no user was told a lie" grep -Ev '^(0|killed.*|69|75|76)$' "$scenario_tmp/all"
check "no fd is lost" [ "$last_fds" = "$first_fds" ]
check "memory does not grow" [ $((last_rss - first_rss)) -lt 256 ]
check_not "nothing was quarantined" broker_log_match '-> quarantined'

# Nobody wants them any more.
rules | policy
kill -HUP "$broker_pid"
wait_for 30 "all are home" home
check_match '^sequence$' "no lease is left" ls -A /run/vfiobroker/leases
check_match '^0$' "no record is left" sh -c 'ls -A /run/vfiobroker/devices | wc -l'
broker_stop
rm -rf /run/vfiobroker
