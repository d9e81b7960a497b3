#!/usr/bin/env bash
# life: how the broker starts and ends, wherever and by whom it is started.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$INT_SRC/lib.sh"
# shellcheck source-path=SCRIPTDIR source=fake.sh
. "$INT_SRC/fake.sh"

fake_machine
fake_device 0000:02:00.0 020000 vfio-pci 4003
policy <<-END
	admin uid $ADMIN
END
daemon=$bin/vfiobrokerd

# ---- the command line

check "--help" "$daemon" --help
check_says '^usage: vfiobrokerd' "is no error"
check_says '^  --worker-timeout .*\[10\]$' "and says how long a worker may take"
check "--version" "$daemon" --version
check_exit 64 "an unknown option: 64" "$daemon" --frob
check_exit 64 "a word too many: 64" "$daemon" frob
check_exit 64 "no seconds: 64" "$daemon" --worker-timeout 0
check_exit 77 "not as an ordinary user: 77" as $USER1 "$daemon" "${broker_args[@]}"
check_exit 67 "no such user for the sessions: 67" "$daemon" "${broker_args[@]}" --user nobody-of-that-name
check_says 'user of the sessions: ' "says what is wrong"
check_exit 73 "no run directory: 73" "$daemon" "${broker_args[@]}" --run-dir /nowhere/at/all
check_exit 73 "no place for the socket: 73" "$daemon" "${broker_args[@]}" --socket /nowhere/sock
check_exit 73 "a name too long for a socket: 73" \
	"$daemon" "${broker_args[@]}" --socket "$dir/$(printf %0200d 0)"
: >"$dir/plain"
check_exit 73 "a file where the socket is to be: 73" "$daemon" "${broker_args[@]}" --socket "$dir/plain"
check "the file stays" test -f "$dir/plain"

# ---- starting, twice, and ending

broker_start --sysroot "$fake"
check_exit 73 "a second one on the same run directory: 73" "$daemon" "${broker_args[@]}"
check_says 'run directory: .*busy' "says why"
check "the first one is still there" vb $USER1 list
check_equal "666 0" "$(stat -c '%a %u' "$sock")" "everybody may connect"
check_equal "755 0" "$(stat -c '%a %u' "$run_dir")" "and look into the run directory"
check_equal "700 0" "$(stat -c '%a %u' "$run_dir/leases")" "but not at leases"
check_equal "700 0" "$(stat -c '%a %u' "$run_dir/devices")" "nor at records"
check_equal "600" "$(stat -c %a "$run_dir/lock")" "nor hold the lock"
check_equal '' "$(ls -A "$run_dir/empty")" "the sessions' root is empty"
# The list of devices is kept, and changes by the kernel's events only.
listed() {
	vb $USER1 list --all | grep -q "^$1"
}
check "a device is listed" listed 0000:02:00.0
fake_device 0000:03:00.0 020000 vfio-pci 4004
check_not "one that came without an event is not" listed 0000:03:00.0
check_exit 66 "nor can it be had" vb $USER1 exec --device 03:00.0 -- true
check_not "nor is it looked for then" listed 0000:03:00.0
spawn watch $USER1 watch
hold open $USER1 hello
poll quiet 2
broker_stop
log_news >"$out"
check_says '^vfiobrokerd: ending on Terminated; leases go on$' "SIGTERM ends it, with a word"
check_exit 69 "a watcher is told" ended watch
check "the other one too" release open
broker_start --sysroot "$fake"
check "the next one lists what there is by then" listed 0000:03:00.0
broker_stop
rm "$fake_pci/devices/0000:03:00.0"
for signal in INT TERM; do
	broker_start --sysroot "$fake"
	kill -$signal "$broker_pid"
	wait "$broker_pid"
	check_equal 0 $? "SIG$signal: 0"
done

# SIGHUP and SIGTERM at once, with a load under way.
broker_start --sysroot "$fake"
kill -HUP "$broker_pid"
broker_stop
pass "SIGTERM behind SIGHUP"

# A stale socket of a killed one is replaced.
broker_start --sysroot "$fake"
broker_kill
check "killed, it leaves its socket" test -S "$sock"
broker_start --sysroot "$fake"
check "the next one replaces it" vb $USER1 list
broker_stop

# ---- started in odd ways

# odd WHAT COMMAND...: the daemon, started by that, serves an ordinary user, and
# its log comes to the log.
odd() {
	local what=$1
	shift
	log_skip
	(
		shed
		exec "$@"
	) </dev/null >&"$log_fd" 2>&1 &
	broker_pid=$!
	poll ready_or_dead
	check "$what: is served" vb $USER1 list
	check "$what: and by a session that speaks with the monitor" peer $USER1 hello ask=1
	poll log_has 'ready at'
	log_news >"$out"
	check_says 'ready at' "$what: the log is there"
	broker_stop
}
ordinary=("$daemon" "${broker_args[@]}" --sysroot "$fake")
odd "with umask 077" bash -c 'umask 077; exec "$@"' - "${ordinary[@]}" --run-dir "$dir/run2"
check_equal 755 "$(stat -c %a "$dir/run2")" "the umask does not matter"
odd "without an environment" env -i "${ordinary[@]}"
odd "in a directory that is gone" bash -c 'mkdir gone; cd gone; rmdir ../gone; exec "$@"' - "${ordinary[@]}"
odd "with stdin closed" bash -c 'exec "$@" <&-' - "${ordinary[@]}"
odd "with stdin and stdout closed" bash -c 'exec "$@" <&- >&-' - "${ordinary[@]}"
odd "with a hundred descriptors open" bash -c \
	'for i in {1..100}; do exec {fd}</dev/null; done; exec "$@"' - "${ordinary[@]}"
odd "with SIGCHLD, SIGHUP and SIGTERM ignored" bash -c 'trap "" CHLD HUP TERM; exec "$@"' - "${ordinary[@]}"
odd "with LISTEN_FDS of somebody else" env LISTEN_PID=1 LISTEN_FDS=1 "${ordinary[@]}"

# Nothing to write its log to.
"${ordinary[@]}" <&- >&- 2>&- &
broker_pid=$!
poll listens
check "with all three closed: is served" peer $USER1 hello ask=1
check "and one that breaks the protocol is closed" peer $USER1 send=ffff closed
check "without harm to the others" peer $USER1 hello ask=1
check_equal '' "$(strings -a "$run_dir/lock")" "no log line goes into a file of its own"
broker_stop

# The log in a file.
"${ordinary[@]}" >"$dir/plain.log" 2>&1 </dev/null &
broker_pid=$!
poll listens
check "with the log in a file" peer $USER1 send=ffff closed
wait_for "a session's lines come there too" grep -q 'closed the connection of uid' "$dir/plain.log"
broker_stop
mkfifo "$dir/gone.pipe"
"${ordinary[@]}" >"$dir/gone.pipe" 2>&1 </dev/null &
broker_pid=$!
head -n 1 "$dir/gone.pipe" >/dev/null
poll listens
check "when the log's reader has gone" peer $USER1 send=ffff closed
check "it serves on" peer $USER1 hello ask=1
broker_stop

# Under systemd: a priority instead of the name.
log_skip
JOURNAL_STREAM=1:1 broker_start --sysroot "$fake"
log_news >"$out"
check_says '^<6>ready at' "the journal gets priorities"
broker_stop

# ---- started by a connection

rm -f "$sock"
"$bin/activate" "$sock" "${ordinary[@]}" --socket "$dir/unused" >&"$log_fd" 2>&1 </dev/null &
broker_pid=$!
poll listens
check "a client that comes first is served" vb $USER1 list
check "on the socket it is given" test ! -e "$dir/unused"
inode=$(stat -c %i "$sock")
broker_stop
check_equal "$inode" "$(stat -c %i "$sock")" "which is not its own to remove"

# And says when it is ready.
"$bin/notified" "$dir/notify" >"$dir/notified" &
notified=$!
poll grep -q waiting "$dir/notified"
NOTIFY_SOCKET=$dir/notify broker_start --sysroot "$fake"
check "systemd is told" wait $notified
check_equal READY=1 "$(tail -n 1 "$dir/notified")" "that it is ready"
poll quiet 0
check_equal '' "$(tr '\0' '\n' <"/proc/$(sessions spare)/environ")" "a session has no environment"
broker_stop

# ---- a run directory with a history

mkdir -p "$dir/run3/devices" "$dir/run3/leases"
echo junk >"$dir/run3/devices/junk"
echo junk >"$dir/run3/devices/0000:02:00.0"
echo junk >"$dir/run3/leases/17"
echo junk >"$dir/run3/leases/.new-18"
broker_start --sysroot "$fake" --run-dir "$dir/run3"
check "with junk in its run directory it serves" vb $USER1 list
check "a device whose record is junk is not given out" is_state 0000:02:00.0 quarantined
check "an admin says it is fit" vb $ADMIN recover 02:00.0
wait_for "and it is" is_state 0000:02:00.0 ready
check_equal sequence "$(ls -A "$dir/run3/leases")" "junk is no lease"
broker_stop
