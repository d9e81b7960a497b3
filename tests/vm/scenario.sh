# shellcheck shell=bash disable=SC2034 # scenarios use the names
# scenario.sh: the vocabulary of scenarios, sourced by each. A scenario is a list of
# checks that goes on when one fails. Every check adds one line to $SCENARIO_RESULTS,
# which is how the runner counts them, whatever becomes of the scenario itself.

# shellcheck source-path=SCRIPTDIR source-path=SCRIPTDIR/.. source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

set -uo pipefail
: "${SCENARIO_RESULTS:=/dev/null}"
scenario_tmp=$(mktemp -d /run/lab/scenario.XXXXXX)
scenario_out=$scenario_tmp/output
trap 'rm -rf "$scenario_tmp"' EXIT

broker_socket=/run/vfiobroker/vfiobroker.sock
broker_log=/run/lab/broker.log
broker_program=/usr/sbin/vfiobrokerd
broker_pid=

pass() {
	echo "ok $*" | tee -a "$SCENARIO_RESULTS"
}

# fail WHAT [WHY]: WHY and what the last command printed follow as comments.
fail() {
	{
		echo "not ok $1"
		[ $# -lt 2 ] || echo "# $2"
		[ ! -s "$scenario_out" ] || head -c 4000 "$scenario_out" | sed 's/^/# | /'
	} | tee -a "$SCENARIO_RESULTS"
}

# attempt COMMAND...: its output into $scenario_out, its status into $status.
attempt() {
	"$@" >"$scenario_out" 2>&1 </dev/null
	status=$?
}

# check WHAT COMMAND...: it must succeed.
check() {
	local what=$1 status
	shift
	attempt "$@"
	if [ "$status" = 0 ]; then
		pass "$what"
	else
		fail "$what" "exit status $status of: $*"
	fi
}

# check_not WHAT COMMAND...: it must fail by its own decision; a command that does
# not exist or dies of a signal does not count.
check_not() {
	local what=$1 status
	shift
	attempt "$@"
	if [ "$status" -ge 1 ] && [ "$status" -lt 126 ]; then
		pass "$what"
	else
		fail "$what" "exit status $status, a failure was expected, of: $*"
	fi
}

# check_exit CODE WHAT COMMAND...
check_exit() {
	local code=$1 what=$2 status
	shift 2
	attempt "$@"
	if [ "$status" = "$code" ]; then
		pass "$what"
	else
		fail "$what" "exit status $status instead of $code of: $*"
	fi
}

# check_match REGEX WHAT COMMAND...: what it prints, on either channel, must match
# the extended regular expression in some line. The exit status does not matter.
check_match() {
	local regex=$1 what=$2 status
	shift 2
	attempt "$@"
	if grep -Eq -e "$regex" "$scenario_out"; then
		pass "$what"
	else
		fail "$what" "no line matches $regex in what this printed (status $status): $*"
	fi
}

# wait_for SECONDS WHAT COMMAND...: it must succeed within that time.
wait_for() {
	local seconds=$1 what=$2
	shift 2
	if poll "$seconds" "$@"; then
		pass "$what"
	else
		fail "$what" "not within $seconds s: $*"
	fi
}

# poll SECONDS COMMAND...: the same without being an assertion.
poll() {
	local end=$((${EPOCHREALTIME/./} + $1 * 1000000)) status
	shift
	while attempt "$@"; [ "$status" != 0 ]; do
		[ "${EPOCHREALTIME/./}" -lt "$end" ] || return 1
		sleep 0.05
	done
}

# as USER COMMAND...: in the user's home, with nothing of our environment.
as() {
	local user=$1
	shift
	setpriv --reuid="$user" --regid="$user" --init-groups --reset-env \
		env -C "/home/$user" "$@"
}

# spawn USER LOG COMMAND...: in the background; $spawned is the command's own pid.
spawn() {
	local user=$1 log=$2 home
	shift 2
	home=$(getent passwd "$user" | cut -d: -f6)
	setpriv --reuid="$user" --regid="$user" --init-groups --reset-env \
		env -C "$home" "$@" </dev/null >"$log" 2>&1 &
	spawned=$!
}

# policy: standard input becomes the policy.
policy() {
	mkdir -p /etc/vfiobroker
	rm -f /etc/vfiobroker/policy.conf
	install -o root -g root -m 0644 /dev/stdin /etc/vfiobroker/policy.conf
}

# broker_listens: the kernel's own word, so that asking leaves no trace in the broker.
broker_listens() {
	awk -v path="$broker_socket" '$NF == path && $4 == "00010000" { found = 1 }
		END { exit !found }' /proc/net/unix
}

# broker_start [ARGS]: runs $broker_program, and waits until it can be connected to. Its
# output is added to $broker_log.
# shellcheck disable=SC2120 # arguments are optional
broker_start() {
	"$broker_program" "$@" </dev/null >>"$broker_log" 2>&1 &
	broker_pid=$!
	poll 20 broker_listens_or_dead
	: >"$scenario_out"
	if ! kill -0 "$broker_pid" 2>/dev/null || ! broker_listens; then
		tail -n 20 "$broker_log" >"$scenario_out"
		fail "the broker starts" "arguments: $*"
		return 1
	fi
}

broker_listens_or_dead() {
	broker_listens || ! kill -0 "$broker_pid" 2>/dev/null
}

# broker_stop: politely. It must go within 20 seconds and say 0.
broker_stop() {
	local status
	kill -TERM "$broker_pid" 2>/dev/null
	poll 20 broker_gone
	if ! broker_gone; then
		fail "the broker stops on SIGTERM"
		broker_kill
		return 1
	fi
	wait "$broker_pid"
	status=$?
	broker_pid=
	: >"$scenario_out"
	[ "$status" = 0 ] || fail "the broker stops on SIGTERM" "exit status $status"
}

# broker_kill: the way a bug would.
broker_kill() {
	kill -KILL "$broker_pid" 2>/dev/null
	wait "$broker_pid" 2>/dev/null
	broker_pid=
}

# Gone, or dead and not yet waited for.
broker_gone() {
	local state
	state=$(sed -n 's/^State:[[:space:]]*//p' "/proc/$broker_pid/status" 2>/dev/null)
	[[ -z $state || $state == Z* ]]
}

# broker_log_match REGEX: has the broker said so since the scenario began?
broker_log_match() {
	grep -Eq -e "$1" "$broker_log"
}
