# shellcheck shell=bash disable=SC2034 # scripts use the names
# lib.sh: the vocabulary of the integration tests, sourced by each.  A script is
# a list of checks that goes on when one fails; each check adds one line to
# $INT_RESULTS, which is how the runner counts.  Whatever takes time is polled
# for, never slept for.

set -uo pipefail
shopt -s inherit_errexit

: "${INT_DIR:?is set by tests/int/run}" "${INT_BIN:?}" "${INT_SRC:?}"
: "${INT_RESULTS:=/dev/null}"

dir=$INT_DIR # this script's own, gone when it ends
bin=$INT_BIN # the programs under test and the helpers
out=$dir/output # of the command under check
sock=$dir/sock
run_dir=$dir/run
policy_conf=$dir/etc/policy.conf
policy_d=$dir/etc/policy.d
broker_log=$dir/log
broker_pid=
deadline=20 # seconds, for anything that is to happen "at once"

# Users by number: nobody has to exist.  ADMIN has an admin line in most tests.
USER1=61001
USER2=61002
USER3=61003
ADMIN=61009

export VFIOBROKER_SOCKET=$sock
export LC_ALL=C
unset JOURNAL_STREAM NOTIFY_SOCKET LISTEN_PID LISTEN_FDS LISTEN_FDNAMES

# ---- checks

pass() {
	echo "ok $*" >>"$INT_RESULTS"
}

# fail WHAT [WHY]: WHY and what the last command printed follow as comments.
fail() {
	{
		echo "not ok $1"
		[ $# -lt 2 ] || echo "# $2"
		[ ! -s "$out" ] || head -c 4000 "$out" | sed 's/^/# | /'
		grep -v '^== mark ' "$broker_log" | tail -n 6 | sed 's/^/# log: /'
	} | tee -a "$INT_RESULTS"
}

# note TEXT: for the reader; no check.
note() {
	echo "# $*"
}

# attempt COMMAND...: its output into $out, its status into $status.
attempt() {
	"$@" >"$out" 2>&1 </dev/null
	status=$?
}

# check WHAT COMMAND...: it must succeed.
check() {
	check_exit 0 "$@"
}

# check_not WHAT COMMAND...: it must fail by its own decision.
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

# check_says REGEX WHAT: the output of the command checked last has a line that
# matches the extended regular expression.
check_says() {
	if grep -Eq -e "$1" "$out"; then
		pass "$2"
	else
		fail "$2" "no line matches: $1"
	fi
}

# check_silent REGEX WHAT: it has none.
check_silent() {
	if grep -Eq -e "$1" "$out"; then
		fail "$2" "a line matches: $1"
	else
		pass "$2"
	fi
}

# check_equal WANTED GOT WHAT
check_equal() {
	: >"$out"
	if [ "$1" = "$2" ]; then
		pass "$3"
	else
		fail "$3" "$2 instead of $1"
	fi
}

# check_most LIMIT GOT WHAT: a number that must not be larger.
check_most() {
	: >"$out"
	if [[ $2 =~ ^[0-9]+$ ]] && [ "$2" -le "$1" ]; then
		pass "$3"
	else
		fail "$3" "$2, at most $1"
	fi
}

# check_least LIMIT GOT WHAT
check_least() {
	: >"$out"
	if [[ $2 =~ ^[0-9]+$ ]] && [ "$2" -ge "$1" ]; then
		pass "$3"
	else
		fail "$3" "$2, at least $1"
	fi
}

# wait_for WHAT COMMAND...: it must succeed within $deadline seconds.
wait_for() {
	local what=$1
	shift
	if poll "$@"; then
		pass "$what"
	else
		fail "$what" "not within $deadline s: $*"
	fi
}

# poll COMMAND...: the same without being a check.
poll() {
	local end=$((${EPOCHREALTIME/./} + deadline * 1000000)) status
	while
		attempt "$@"
		[ "$status" != 0 ]
	do
		[ "${EPOCHREALTIME/./}" -lt "$end" ] || return 1
		sleep 0.01
	done
}

# ---- users

# as UID[,GID...] COMMAND...: with nothing of our environment.  The gids are
# the primary group and the supplementary ones; without them the group is UID.
as() {
	(become "$@")
}

# shed: closes what is only ours, in a subshell that becomes another program.
shed() {
	local fd
	for fd in "${held_fd[@]}" "$log_fd"; do
		exec {fd}>&-
	done
}

# become: as, in place of this shell.
become() {
	local uid=${1%%,*} gids=${1#*,} groups=--clear-groups
	shift
	[[ $gids != *,* ]] || groups=--groups=${gids#*,}
	shed
	exec setpriv --reuid="$uid" --regid="${gids%%,*}" "$groups" \
		env -i PATH="$PATH" LC_ALL=C VFIOBROKER_SOCKET="$VFIOBROKER_SOCKET" "$@"
}

# vb UID[,GID...] ARGUMENT...: the vfiobroker command of that user.
vb() {
	local who=$1
	shift
	as "$who" "$bin/vfiobroker" "$@"
}

# peer UID[,GID...] STEP...: the raw client (tests/int/peer.c) of that user.
peer() {
	local who=$1
	shift
	as "$who" "$bin/peer" "$sock" "$@"
}

# pick FILE PATH...: values of a JSON file (tests/int/pick.c).
pick() {
	local file=$1
	shift
	"$bin/pick" "$@" <"$file"
}

# ---- the broker

# policy: standard input becomes the policy.
policy() {
	mkdir -p "$policy_d"
	chmod 755 "$dir/etc" "$policy_d"
	cat >"$policy_conf"
	chmod 644 "$policy_conf"
}

# listens: the kernel's own word, so that asking leaves no trace.
listens() {
	awk -v path="$sock" '$NF == path && $4 == "00010000" { found = 1 }
		END { exit !found }' /proc/net/unix
}

broker_is_dead() {
	! kill -0 "$broker_pid" 2>/dev/null || is_zombie "$broker_pid"
}

is_zombie() {
	grep -q '^State:[[:space:]]*Z' "/proc/$1/status" 2>/dev/null
}

ready_or_dead() {
	{ log_has "ready at" && listens; } || broker_is_dead
}

# broker_args: what every broker of these tests is started with.
broker_under=() # what it is executed by
broker_args=(--socket "$sock" --run-dir "$run_dir" --policy "$policy_conf"
	--policy-dir "$policy_d" --session "$bin/vfiobroker-session"
	--policy-program "$bin/vfiobroker-policy" --guard-program "$bin/vfiobroker-guard"
	--user nobody)

# broker_start [ARGUMENT...]: and wait until it is ready.
broker_start() {
	local status
	log_skip
	(
		shed
		exec "${broker_under[@]}" "$bin/vfiobrokerd" "${broker_args[@]}" "$@"
	) </dev/null >&"$log_fd" 2>&1 &
	broker_pid=$!
	poll ready_or_dead
	if broker_is_dead || ! listens; then
		: >"$out"
		fail "the broker starts" "arguments: $*"
		return 1
	fi
}

# broker_stop: politely; it must end with 0.
broker_stop() {
	local status
	kill -TERM "$broker_pid"
	poll broker_is_dead || kill -KILL "$broker_pid"
	wait "$broker_pid"
	status=$?
	broker_pid=
	: >"$out"
	[ "$status" = 0 ] || fail "the broker ends well on SIGTERM" "exit status $status"
}

# broker_kill: the way a bug would.
broker_kill() {
	kill -KILL "$broker_pid"
	wait "$broker_pid" 2>/dev/null
	broker_pid=
}

# ---- the log
#
# The broker writes into a pipe, as it does under systemd, and lines of several
# processes are in the order they were written.

log_open() {
	mkfifo "$dir/log.pipe"
	: >"$broker_log"
	cat "$dir/log.pipe" >>"$broker_log" &
	log_cat=$!
	exec {log_fd}>"$dir/log.pipe"
}

# log_sync: all that was written is in the file.
log_marks=0
log_sync() {
	log_marks=$((log_marks + 1))
	echo "== mark $log_marks" >&"$log_fd"
	poll grep -qx "== mark $log_marks" "$broker_log"
}

# log_skip: what the log has now is of no more interest.
log_mark=0
log_skip() {
	log_sync
	log_mark=$(stat -c %s "$broker_log")
}

# log_has REGEX: since the last log_skip.
log_has() {
	tail -c +"$((log_mark + 1))" "$broker_log" | grep -v '^== mark ' | grep -Eq -e "$1"
}

# log_news: what came since.
log_news() {
	log_sync
	tail -c +"$((log_mark + 1))" "$broker_log" | grep -v '^== mark '
}

# reload: SIGHUP, and wait for the broker's word on it.
reload() {
	log_skip
	kill -HUP "$broker_pid"
	poll log_has 'policy loaded|policy not loaded'
}

# sanitized: the programs are built with one, and need other amounts of memory.
sanitized() {
	grep -q __asan_init "$bin/vfiobrokerd"
}

# recorded: the files of devices and leases that the broker has on disk.
recorded() {
	local path
	for path in "$run_dir"/{devices,leases}/*; do
		[ ! -e "$path" ] || [ "${path##*/}" = sequence ] || echo "${path##*/}"
	done
}

# children PID: its child processes.
children() {
	cat "/proc/$1/task/$1/children" 2>/dev/null
}

# fds PID: how many descriptors it has open.
fds() {
	local -a open=("/proc/$1/fd"/*)
	echo "${#open[@]}"
}

# has_fds PID N: if not, it prints what is open.
has_fds() {
	[ "$(fds "$1")" = "$2" ] || {
		ls -l "/proc/$1/fd"
		return 1
	}
}

# sessions [spare]: the pids of the sessions that have a client, or of the one
# that waits for the next.  The client's socket is the fifth descriptor.
sessions() {
	local pid comm kind
	for pid in $(children "$broker_pid"); do
		read -r comm 2>/dev/null <"/proc/$pid/comm" || continue
		[ "$comm" = vfiobroker-sess ] || continue
		kind=spare
		[ ! -e "/proc/$pid/fd/4" ] || kind=
		[ "$kind" != "${1-}" ] || echo "$pid"
	done
}

# quiet N: N clients, a spare session, and nothing else goes on.
quiet() {
	local -a all clients spare
	read -ra all <<<"$(children "$broker_pid")"
	mapfile -t clients < <(sessions)
	mapfile -t spare < <(sessions spare)
	[ "${#all[@]} ${#clients[@]} ${#spare[@]}" = "$(($1 + 1)) $1 1" ]
}

gone() {
	[ ! -e "/proc/$1" ] || is_zombie "$1"
}

# ---- clients in the background

# start NAME UID[,GID...] COMMAND...: reads a pipe of ours, which ends with
# `release NAME`; its output is in $dir/NAME.out.
declare -A held_pid held_fd
start() {
	local name=$1 fd
	shift
	rm -f "$dir/$name.in"
	mkfifo "$dir/$name.in"
	become "$@" <"$dir/$name.in" >"$dir/$name.out" 2>&1 &
	held_pid[$name]=$!
	exec {fd}>"$dir/$name.in"
	held_fd[$name]=$fd
}

# tell NAME: a line on its standard input.
tell() {
	echo >&"${held_fd[$1]}"
}

# release NAME: no more input; its status when it has ended.
release() {
	local fd=${held_fd[$1]}
	exec {fd}>&-
	unset "held_fd[$1]"
	ended "$1"
}

# ended NAME: its status; it must end within the deadline.
ended() {
	local pid=${held_pid[$1]}
	unset "held_pid[$1]"
	poll gone "$pid" || kill -KILL "$pid"
	wait "$pid"
}

# hold NAME UID[,GID...] STEP...: a raw client that does the steps and then
# keeps its connection until `release NAME`.  Waits until the steps are done.
hold() {
	local name=$1 who=$2
	shift 2
	start "$name" "$who" "$bin/peer" "$sock" "$@" wait
	poll grep -q '^waiting$' "$dir/$name.out" || {
		cp "$dir/$name.out" "$out"
		fail "client $name gets through its steps" "steps: $*"
	}
}

# spawn NAME UID[,GID...] ARGUMENT...: a vfiobroker command in the background.
spawn() {
	local name=$1 who=$2
	shift 2
	become "$who" "$bin/vfiobroker" "$@" >"$dir/$name.out" 2>&1 </dev/null &
	held_pid[$name]=$!
}

# ---- the end

finish() {
	local pid
	[ -z "$broker_pid" ] || kill -KILL "$broker_pid" 2>/dev/null
	for pid in "${held_pid[@]}"; do
		kill -KILL "$pid" 2>/dev/null
	done
	kill "$log_cat" 2>/dev/null
	wait
}
trap finish EXIT
log_open
