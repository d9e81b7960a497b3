#!/bin/bash
# run-ends: all the ways in which "vfiobroker run" can end or not even begin. The
# machines are paused at their first instruction: QEMU has opened and mapped all of the
# device by then. The device comes home from each.
# shellcheck source-path=SCRIPTDIR source=../scenario.sh
. "$(dirname "${BASH_SOURCE[0]}")/../scenario.sh"
# shellcheck source-path=SCRIPTDIR source=../guest.sh
. "$(dirname "${BASH_SOURCE[0]}")/../guest.sh"

V2=0000:01:10.2
V3=0000:01:10.4
V4=0000:01:10.6
chmod 755 "$scenario_tmp" /run/lab
mkdir -m 777 "$scenario_tmp/alice"
yama=$(sysctl -n kernel.yama.ptrace_scope)
policy <<-END
	allow user alice use $VF managed memlock 2G
	allow user alice use $V2 managed memlock 2G
	allow user alice use $V3 managed memlock 2G
	allow user bob use $V4 managed
	allow user bob use 0000:01:11.0 managed
END
# said REGEX WHAT: the command before this check has said that too.
said() {
	cp "$scenario_out" "$scenario_tmp/said"
	check_match "$1" "$2" cat "$scenario_tmp/said"
}
host_close
broker_start || exit

# Three machines at once: one is terminated, one killed, one has a terminal.
spawn alice "$scenario_tmp/term.log" vfiobroker run -- "${vmm[@]}" "${paused[@]}" \
	-device vfio-pci,host=01:10.0
term=$spawned
spawn alice "$scenario_tmp/kill.log" vfiobroker run -- "${vmm[@]}" "${paused[@]}" \
	-device vfio-pci,host=01:10.2
kill=$spawned
mkfifo "$scenario_tmp/keys"
exec 7<>"$scenario_tmp/keys"
printf -v line '%q ' vfiobroker run -- "${vmm[@]}" "${paused[@]}" -device vfio-pci,host=01:10.4
setpriv --reuid=alice --regid=alice --init-groups --reset-env env --default-signal=INT \
	script -qfec "$line" /dev/null <&7 >"$scenario_tmp/terminal.log" 2>&1 &
terminal=$!
on_terminal() {
	holds "$(pgrep -u alice -f '^qemu.*host=01:10.4')" "$V3"
}
wait_for 60 "the first machine" holds "$term" "$VF"
wait_for 60 "the second" holds "$kill" "$V2"
wait_for 60 "the third" on_terminal
group=$(group_of "$VF")

# What others get of that: the kernel's errors, never a descriptor.
check_match 'Permission denied' "the kernel refuses mallory" \
	as mallory sh -c "exec 5<>/dev/vfio/$group"
check_match 'Permission denied' "a lease of his own does not help bob" \
	as bob vfiobroker run --device "$V4" -- sh -c "exec 5<>/dev/vfio/$group"
check_match "vfiobroker: cannot open group $group: .*uid 1001.*$VF" "and he is told why" \
	as bob vfiobroker run --device "$V4" -- sh -c "exec 5<>/dev/vfio/$group"
check_match 'Permission denied' "nor does a number that is none" \
	as bob vfiobroker run --device "$V4" -- sh -c "exec 5<>/dev/vfio/9999"

kill -TERM "$term"
wait "$term"
check_match '^0$' "QEMU ends well on SIGTERM" echo $?
check_match 'terminating on signal 15' "by its own doing" cat "$scenario_tmp/term.log"
kill -KILL "$kill"
wait "$kill" 2>/dev/null
check_match '^137$' "SIGKILL is seen as such" echo $?
printf '\003' >&7
wait "$terminal"
check_match '^0$' "and ^C" echo $?
exec 7>&-
check_match 'terminating on signal 2' "which is QEMU's signal" cat "$scenario_tmp/terminal.log"
for bdf in "$VF" "$V2" "$V3" "$V4"; do
	wait_for 20 "$bdf is home" device_home "$bdf"
done
check_not "no supervisor is left" supervisors

# The program's stdio and status are its own.
console() {
	echo quit | as alice vfiobroker run -- "${vmm[@]}" "${paused[@]}" -monitor stdio \
		-device vfio-pci,host=01:10.0
}
check "QEMU reads what it is told on stdin" console
said 'QEMU [0-9.]+ monitor' "and answers on stdout"
check_exit 1 "a machine that QEMU does not make" \
	as alice vfiobroker run -- "${vmm[@]}" "${paused[@]}" -device nosuch \
	-device vfio-pci,host=01:10.2
said "'nosuch' is not a valid device" "is QEMU's own error"
check_exit 42 "the status is the program's" \
	as alice vfiobroker run --device "$V3" -- sh -c 'exit 42'

# What is refused before anything is moved.
check_exit 77 "more memory than the policy's ceiling" \
	as alice vfiobroker run -- "${vmm[@]}" -m 1025M -device vfio-pci,host=01:10.2
said '2G' "which is named"
check_exit 77 "somebody else's device" \
	as alice vfiobroker run -- "${vmm[@]}" -m 64 -device vfio-pci,host=01:10.6
check_exit 66 "no device" as alice vfiobroker run -- "${vmm[@]}" -device vfio-pci,host=77:00.0
check_exit 64 "no device in the arguments" as alice vfiobroker run -- "${vmm[@]}" -m 64
check_exit 69 "one run below another" \
	as bob vfiobroker run --device "$V4" -- vfiobroker run --device 01:11.0 -- true
said 'another seccomp listener' "and why"
for bdf in "$VF" "$V2" "$V3" "$V4" 0000:01:11.0; do
	wait_for 20 "$bdf is home" device_home "$bdf"
done

# In the background the program is another process, which a strict Yama keeps to itself.
daemon=(qemu-system-x86_64 -nodefaults -no-user-config -display none -S -m 64
	-daemonize -pidfile "$scenario_tmp/alice/pid" -device "vfio-pci,host=01:10.4")
check_exit 1 "-daemonize with a strict Yama" as alice vfiobroker run -- "${daemon[@]}"
said 'kernel.yama.ptrace_scope=1' "is explained"
wait_for 20 "$V3 is home" device_home "$V3"
sysctl -qw kernel.yama.ptrace_scope=0
check "with a lenient one it works" as alice vfiobroker run -- "${daemon[@]}"
check "QEMU in the background has the device" holds "$(<"$scenario_tmp/alice/pid")" "$V3"
kill "$(<"$scenario_tmp/alice/pid")"
wait_for 20 "$V3 is home when that ends" device_home "$V3"
sysctl -qw kernel.yama.ptrace_scope=1

# The only device, out and in again: the container is closed in between, and the next
# one comes from the broker too.
spawn alice "$scenario_tmp/again.log" vfiobroker run --device 01:10.0 -- "${vmm[@]}" \
	"${paused[@]}" -qmp "unix:$scenario_tmp/alice/qmp,server=on,wait=off"
wait_for 60 "a machine without a device" test -S "$scenario_tmp/alice/qmp"
check "QMP" qmp_open "$scenario_tmp/alice/qmp"
check "the device is plugged" plug net0 "$VF" slot1
check "and unplugged" unplug net0
check_not "it is closed" holds "$spawned" "$VF"
check "and plugged again" plug net0 "$VF" slot2
qmp_quit >/dev/null
wait "$spawned"
check_match '^0$' "QEMU ends well" echo $?
wait_for 20 "the device is home" device_home "$VF"
check_not "no supervisor is left" supervisors
sysctl -qw "kernel.yama.ptrace_scope=$yama"
broker_stop
rm -rf /run/vfiobroker
