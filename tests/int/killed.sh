#!/usr/bin/env bash
# killed: sessions, workers and the broker itself die at bad moments.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$INT_SRC/lib.sh"
# shellcheck source-path=SCRIPTDIR source=fake.sh
. "$INT_SRC/fake.sh"

vf=0000:01:10.0
fake_machine
fake_device 0000:01:00.0 020000 igb 4001
fake_device $vf 020000 igbvf 4002
fake_vf 0000:01:00.0 $vf 0
policy <<-END
	allow uid $USER1 use $vf managed
END
broker_start --sysroot "$fake" --worker-timeout 60
poll quiet 0
calm=$(fds "$broker_pid")

# ---- sessions

hold victim $USER2 hello ask=1
hold bystander $USER3 hello
poll quiet 2
mapfile -t clients < <(sessions)
check_equal 2 "${#clients[@]}" "two clients have two sessions"
check "a session can be killed" kill -KILL "${clients[@]}"
wait_for "and both are gone" quiet 0
check "their clients are told, and end as they like" release victim
check "each" release bystander
wait_for "no descriptor is left" has_fds "$broker_pid" "$calm"
check "and the next client is served" peer $USER2 hello ask=1
poll quiet 0

# The library's user sees it, and can ask again on a new connection.
start lib $USER2 "$bin/libuser"

# lib_says N REGEX: the Nth answer.
lib_says() {
	sed -n "$1p" <(grep -E '^[0-9]+ ' "$dir/lib.out") | grep -Eq "$2"
}
tell lib
wait_for "a program of the library lists" lib_says 1 '^0 ok'
kill -KILL "$(sessions)"
poll quiet 0
tell lib
wait_for "with its session dead it gets 69" lib_says 2 '^69 .*closed the connection'
tell lib
wait_for "and by a new connection all is well" lib_says 3 '^0 ok'

# ---- the spare

poll quiet 1
kill -KILL "$(sessions spare)"
no_spare() {
	[ -z "$(sessions spare)" ]
}
wait_for "the spare session is dead" no_spare
check "the next client is served without" peer $USER2 hello ask=1
wait_for "and there is a new spare" quiet 1

# ---- in the middle of a request

log_skip
spawn acquire $USER1 exec --device $vf -- true
wait_for "a device is on its way" is_state $vf claiming
tell lib
wait_for "others are answered meanwhile" lib_says 4 '^0 ok'
mapfile -t clients < <(sessions)
kill -KILL "${clients[@]}"
check_exit 69 "the session dies during the request: 69" ended acquire
cp "$dir/acquire.out" "$out"
check_says 'closed the connection' "with what happened"
check "the device is still claimed" is_state $vf claiming
kernel_binds $vf vfio-pci
kernel_binds $vf igbvf home
wait_for "nobody wants it any more: it goes home" is_state $vf host
check_equal igbvf "$(basename "$(readlink "$fake_pci/devices/$vf/driver")")" "to its driver"
check_equal '' "$(fake_file $vf driver_override)" "without an override"
check_equal '' "$(recorded)" \
	"and nothing is recorded any more"
tell lib
wait_for "the library's user was cut off too" lib_says 5 '^69 '
tell lib
wait_for "and is back" lib_says 6 '^0 ok'

# The client dies: the same.
spawn acquire $USER1 exec --device $vf -- true
wait_for "once more on its way" is_state $vf claiming
kill -KILL "${held_pid[acquire]}"
ended acquire 2>/dev/null
kernel_binds $vf vfio-pci
kernel_binds $vf igbvf home
wait_for "the device goes home" is_state $vf host

# ---- the broker

hold open $USER2 hello
spawn acquire $USER1 exec --device $vf -- true
wait_for "a third time on its way" is_state $vf claiming
worker=$(pgrep -P "$broker_pid" -x vfiobroker-work)
check_equal 1 "$(wc -w <<<"$worker")" "with one worker"
pids=$(children "$broker_pid")
broker_kill
for pid in $pids; do
	poll gone "$pid" || fail "process $pid ends with the broker"
done
wait_for "its worker ends with it" gone "${worker:-0}"
check_exit 69 "the request ends with 69" ended acquire
check "a client that waits for nothing" release open
check_exit 69 "nobody there: 69" vb $USER1 list
check_says 'cannot connect to .*: Connection refused' "with the reason"
check_says 'systemctl start vfiobrokerd' "and the remedy"
check_equal "step bind" "$(grep '^step' "$run_dir/devices/$vf")" "the record tells how far it came"
check_equal "driver igbvf" "$(grep '^driver' "$run_dir/devices/$vf")" "and what to put back"
check_equal vfio-pci "$(fake_file $vf driver_override)" "the override is still set"
tell lib
wait_for "the library's user finds it gone" lib_says 7 '^69 .*closed the connection'
tell lib
wait_for "and not there" lib_says 8 '^69 .*cannot connect'
fake_bind $vf vfio-pci # what the kernel was asked for last
broker_start --sysroot "$fake" --worker-timeout 60
tell lib
wait_for "and finds the next one" lib_says 9 '^0 ok'
kernel_binds $vf igbvf home
wait_for "which has given the device back" is_state $vf host
check_equal '' "$(fake_file $vf driver_override)" "without an override"
check_equal '' "$(recorded)" "and without a record"
check "the library's user ends" release lib

# A restart on SIGTERM, under a live connection.
hold open $USER2 hello
spawn watch $USER2 watch
poll quiet 2
broker_stop
check_exit 69 "a watcher ends with 69" ended watch
cp "$dir/watch.out" "$out"
check_says 'closed the connection' "and says that the broker has gone"
check "the open connection ends" release open
check_exit 69 "a stopped broker: 69" vb $USER1 status

# ---- a worker that the kernel does not let go of

broker_start --sysroot "$fake" --worker-timeout 1
spawn acquire $USER1 exec --device $vf -- true
check_exit 75 "a device that gets stuck on its way: 75" ended acquire
cp "$dir/acquire.out" "$out"
check_says "$vf is wedged: claim does not return from the kernel" "by name"
check_exit 75 "also for the next who asks" vb $USER1 exec --device $vf -- true
check "status has it" vb 0 status
check_says "^device +$vf wedged: " "with the reason"
kernel_binds $vf vfio-pci
kernel_binds $vf igbvf home
wait_for "when the kernel lets go it comes home" is_state $vf host
broker_stop
