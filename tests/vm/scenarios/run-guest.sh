#!/bin/bash
# run-guest: two users start real guests with "vfiobroker run", an unmodified QEMU each
# and the RFC's devices in them, on a host where VFIO is root's alone. Alice's guest
# powers off by itself; bob's gets and loses devices while it runs, and under it the
# broker dies and is replaced by another build.
# shellcheck source-path=SCRIPTDIR source=../scenario.sh
. "$(dirname "${BASH_SOURCE[0]}")/../scenario.sh"
# shellcheck source-path=SCRIPTDIR source=../guest.sh
. "$(dirname "${BASH_SOURCE[0]}")/../guest.sh"

V2=0000:01:10.2
V3=0000:01:10.4
V4=0000:01:10.6
chmod 755 "$scenario_tmp" /run/lab
mkdir -m 777 "$scenario_tmp/bob"
yama=$(sysctl -n kernel.yama.ptrace_scope)
policy <<-END
	allow user alice use $VF managed memlock 2G
	allow user bob use vf-of $PF managed memlock 2G count 3
	deny user bob use $VF
	deny any use $V4
END
check "the host's VFIO is closed" host_close
check_match '^1$' "Yama is strict" sysctl -n kernel.yama.ptrace_scope
broker_start || exit

alice_starts() {
	spawn alice "$scenario_tmp/alice.log" vfiobroker run -- "${vmm[@]}" "${linux[@]}" \
		-append "$linux_line" -device vfio-pci,host=01:10.0,id=net0
	alice=$spawned
}
alice_starts
bob_starts() {
	spawn bob "$scenario_tmp/bob.log" vfiobroker run -- "${vmm[@]}" "${linux[@]}" \
		-append "$linux_line l2.wait" \
		-qmp "unix:$scenario_tmp/bob/qmp,server=on,wait=off" \
		-device "{\"driver\":\"vfio-pci\",\"host\":\"$V2\",\"id\":\"net0\"}"
	bob=$spawned
}
bob_starts

wait_for 60 "alice's QEMU has its device" holds "$alice" "$VF"
wait_for 60 "bob's, with JSON, too" holds "$bob" "$V2"
check_match '/qemu-system-x86_64$' "the process that was started is QEMU" \
	readlink "/proc/$alice/exe"
check_match "^PPid:[[:space:]]*$$\$" "its parent is the caller's" cat "/proc/$alice/status"
check_match "^Uid:[[:space:]]*1000[[:space:]]*1000[[:space:]]*1000[[:space:]]*1000\$" \
	"its user is alice" cat "/proc/$alice/status"
check_match '^Max locked memory +1342177280 +1342177280 ' "it may lock its RAM and 1 GiB" \
	cat "/proc/$alice/limits"
open_files "$alice" >"$scenario_tmp/files"
check_match '^1$' "it has one container" grep -cx /dev/vfio/vfio "$scenario_tmp/files"
check_match '^1$' "one group" grep -cx '/dev/vfio/[0-9]*' "$scenario_tmp/files"
check_match '^1$' "one lease" grep -c '^/run/vfiobroker/leases/[0-9]*$' "$scenario_tmp/files"
check_not "nothing of the supervisor's" grep -E 'seccomp|pidfd|vfiobroker.sock' \
	"$scenario_tmp/files"
check "and not many in all" test "$(wc -l <"$scenario_tmp/files")" -lt 60
check_match '^2$' "one supervisor each" sh -c "pgrep -cx vfio-supervisor"
check_not "without a VFIO descriptor or a lease" sh -c \
	"ls -l $(supervisors | sed 's|.*|/proc/&/fd|' | xargs) | grep -e /dev/vfio -e leases"
check_match '^(root:0:600 ?)+$' "the nodes are still root's alone" sh -c \
	"stat -c %U:%g:%a /dev/vfio/* | xargs"

booted_or_ended() {
	grep -q '^L2: waiting' "$scenario_tmp/bob.log" || ! [ -e "/proc/$bob/exe" ]
}
# A guest in a guest that is emulated dies while it boots, once in some twenty times:
# its own last words are shown, and it is started again.
for _ in 1 2; do
	poll 150 booted_or_ended
	! [ -e "/proc/$bob/exe" ] || break
	echo "bob's guest ended while it booted:"
	tail -n 20 "$scenario_tmp/bob.log"
	poll 20 device_home "$V2"
	bob_starts
done
poll 150 booted_or_ended
check "bob's guest has booted" sh -c "grep -q '^L2: waiting' $scenario_tmp/bob.log ||
	{ tail -n 40 $scenario_tmp/bob.log; exit 1; }"
check_match '^L2: device 8086:10ca driver igbvf' "with its driver" cat "$scenario_tmp/bob.log"

# Devices come and go while bob's guest runs.
check "QMP" qmp_open "$scenario_tmp/bob/qmp"
check "a second device is plugged" plug net1 "$V3"
wait_for 60 "the guest takes it" plugged net1
check_match '"error".*/dev/vfio/.*: Permission denied' "a forbidden one is not" plug net2 "$V4"
check_match "vfiobroker: .*group.*$V4.*denied by" "and QEMU's stderr says why" \
	cat "$scenario_tmp/bob.log"
check "nor has it been moved" device_home "$V4"
check_match 'No such' "one that does not exist is not" plug net2 0000:77:00.0
check "the guest gives one back" unplug net1
check "and gets it again" plug net1 "$V3"
wait_for 60 "the guest takes it again" plugged net1
check_not "the supervisor keeps no group" sh -c \
	"ls -l $(supervisors | sed 's|.*|/proc/&/fd|' | xargs) | grep '/dev/vfio/[0-9]'"
broker_kill
check_match '"error"' "without a broker nothing is plugged" plug net2 0000:01:11.0
check_match '"running": true' "the guest goes on" qmp '{"execute":"query-status"}'
broker_program=/lab/build/faults/vfiobrokerd
broker_start
check_match "^$broker_program\$" "another build is started" readlink "/proc/$broker_pid/exe"
check_match "lease .* of uid 1001 goes on" "it knows of the lease" cat "$broker_log"
check "and plugs" plug net2 0000:01:11.0
wait_for 60 "the guest takes that too" plugged net2
broker_stop
check_match '"running": true' "it stops, and the guest goes on" \
	qmp '{"execute":"query-status"}'
broker_program=/usr/sbin/vfiobrokerd
broker_start
check_match "^$broker_program\$" "and the first build comes back" \
	readlink "/proc/$broker_pid/exe"
check_match "0000:01:11.0" "the lease has what the other one gave" \
	as bob vfiobroker status
qmp_quit >/dev/null
wait "$bob"
check_match '^0$' "it ends well" echo $?

# Her guest can have died while it booted as well.
alice_ends() {
	wait "$alice"
	alice_status=$?
	grep -q '^L2: power off' "$scenario_tmp/alice.log"
}
tries=0
until alice_ends || [ "$((tries += 1))" = 3 ]; do
	echo "alice's guest ended while it booted:"
	tail -n 20 "$scenario_tmp/alice.log"
	poll 20 device_home "$VF"
	alice_starts
done
check_match '^0$' "alice's ends well" echo "$alice_status"
check_match '^L2: .* class 0200 device 8086:10ca driver igbvf' "her guest saw the RFC's device" \
	cat "$scenario_tmp/alice.log"
check_match '^L2: .* net eth[0-9] mac .* up' "brought its interface up" \
	cat "$scenario_tmp/alice.log"
check_match '^L2: power off' "and powered off" cat "$scenario_tmp/alice.log"
for bdf in "$VF" "$V2" "$V3" 0000:01:11.0; do
	wait_for 20 "$bdf is home" device_home "$bdf"
done
check_not "no supervisor is left" supervisors
sysctl -qw "kernel.yama.ptrace_scope=$yama"
broker_stop
rm -rf /run/vfiobroker
