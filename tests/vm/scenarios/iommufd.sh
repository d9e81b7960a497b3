#!/bin/bash
# iommufd: the same devices by the kernel's other door: an iommufd and a cdev for each
# device instead of container and groups. A cdev opens as often as one likes, so nothing
# is given again before a rebind has proven that nobody has it.
# lab: alone --kernel iommufd
# shellcheck source-path=SCRIPTDIR source=../scenario.sh
. "$(dirname "${BASH_SOURCE[0]}")/../scenario.sh"
# shellcheck source-path=SCRIPTDIR source=../guest.sh
. "$(dirname "${BASH_SOURCE[0]}")/../guest.sh"

tools=$(dirname "${BASH_SOURCE[0]}")/../tools
hold=$tools/cdev-hold
V2=0000:01:10.2
chmod 755 "$scenario_tmp" /run/lab
mkdir -m 777 "$scenario_tmp/alice"
policy <<-END
	allow user alice use $VF managed memlock 2G
	allow user alice use $V2 managed memlock 2G
	allow user alice use ${SHARED[0]} managed siblings take reset none
	allow user alice use ${SHARED[1]} managed siblings take reset none
	allow user bob use $VF managed
	allow user bob use $V2 managed
	admin user bob
END
host_close
broker_start --worker-timeout 3 || exit

cdev_of() {
	basename "$(compgen -G "$sys/$1/vfio-dev/vfio*")"
}
state() {
	vfiobroker show "$VF" --json | jq -r .state
}
is() {
	[ "$(state)" = "$1" ]
}
# held_by NAME ARGS: alice's cdev-hold with the VF; its pid into $spawned.
held_by() {
	local name=$1
	shift
	spawn alice "$scenario_tmp/$name.log" vfiobroker exec --iommufd --device "$VF" \
		--memlock 64M -- "$hold" "$@"
	poll 20 grep -qs '^\(ready\|error\)' "$scenario_tmp/$name.log"
}
let_go() {
	kill -KILL "$1"
	wait "$1" 2>/dev/null
}
refused_to_bob() {
	check_exit 75 "nobody else gets it" \
		as bob vfiobroker exec --iommufd --device "$VF" --no-wait -- true
	check_exit 75 "nor by its group" \
		as bob vfiobroker exec --device "$VF" --no-wait -- true
}

# ---- what is handed over
cat >"$scenario_tmp/fds" <<'END'
echo "names $LISTEN_FDNAMES"
i=3
while [ $i -lt $((3 + LISTEN_FDS)) ]; do
	echo "fd $i $(readlink /proc/$$/fd/$i)"
	i=$((i + 1))
done
END
chmod 644 "$scenario_tmp/fds"
check_match '^backends +group, iommufd' "status names both doors" as alice vfiobroker status
attempt as alice vfiobroker exec --iommufd --device "$VF" --device "$V2" -- \
	sh "$scenario_tmp/fds"
cp "$scenario_out" "$scenario_tmp/said"
said() {
	grep -Eq -e "$1" "$scenario_tmp/said"
}
check "an iommufd and two cdevs, by name" \
	said '^names lease:iommufd:device-0000.01.10.0:device-0000.01.10.2$'
check "the iommufd" said '^fd 4 /dev/iommu$'
check "the cdevs" said '^fd 6 /dev/vfio/devices/vfio[0-9]+$'
wait_for 20 "the first goes home" device_home "$VF"
wait_for 20 "and the second" device_home "$V2"
check "after a rebind" broker_log_match "$VF: rebind: prove .*rebind-unbind .*rebind-bind"
check "and a reset" broker_log_match "$VF: resetting -> ready \(reset\)"

# ---- in use
held_by user --mib 16
user=$spawned
check_match '^held 8086:10ca' "a program uses it as a VMM does" cat "$scenario_tmp/user.log"
check_match '^  backend iommufd' "status tells the backend" as alice vfiobroker status
check_match '"backend": ?"iommufd"' "as JSON too" as alice vfiobroker status --json
open_nodes() {
	open_files "$1" >"$scenario_tmp/nodes" && grep -E '/dev/(vfio/|iommu)' "$scenario_tmp/nodes"
}
check_match '/dev/vfio/devices/vfio' "the program has the nodes open" open_nodes "$user"
check_exit 1 "the broker has none" open_nodes "$broker_pid"
refused_to_bob
broker_kill
broker_start --worker-timeout 3
check "the lease outlives the broker" is leased
check "the program goes on" kill -0 "$user"
let_go "$user"
wait_for 20 "its end brings the device home" device_home "$VF"

# What one may lock is one's own, not that of all of the user's programs.
held_by first --mib 40
first=$spawned
spawn alice "$scenario_tmp/second.log" vfiobroker exec --iommufd --device "$V2" \
	--memlock 64M -- "$hold" --mib 40
second=$spawned
wait_for 20 "two programs of one user lock 40 of 64 MiB each" \
	grep -q '^held' "$scenario_tmp/second.log"
let_go "$first"
let_go "$second"
held_by greedy --mib 100
check_match '^error map' "but none more than its limit" cat "$scenario_tmp/greedy.log"
wait_for 20 "home" device_home "$VF"
wait_for 20 "both" device_home "$V2"

# ---- proof before reuse: who closes the lease and keeps the device
held_by bound --drop lease --drop iommufd
cheat=$spawned
wait_for 10 "a cdev in use: the device drains" is draining
wait_for 10 "the log names the holder" broker_log_match "$VF is still held by pid $cheat \("
check_match "draining: held by pid $cheat \(" "so does status" as bob vfiobroker status
refused_to_bob
let_go "$cheat"
wait_for 10 "home when it is closed" device_home "$VF"

held_by unbound --unbound --drop lease
cheat=$spawned
wait_for 10 "a cdev that is only open: the device drains" is draining
wait_for 10 "the log names the holder" broker_log_match "$VF is still held by pid $cheat \("
refused_to_bob
check "and no worker is stuck over it" is draining
let_go "$cheat"
wait_for 10 "home when it is closed" device_home "$VF"

# The same over a restart, and with a record that nobody can read: then it takes an
# administrator, and still a proof.
held_by unbound --unbound --drop lease
cheat=$spawned
wait_for 10 "it drains again" is draining
broker_kill
broker_start --worker-timeout 3
wait_for 10 "and after a restart" is draining
refused_to_bob
broker_kill
echo garbage >"/run/vfiobroker/devices/$VF"
broker_start --worker-timeout 3
check "its record is not readable: quarantine" is quarantined
check "an administrator has it tried again" as bob vfiobroker recover "$VF"
wait_for 10 "it drains as before" is draining
refused_to_bob
let_go "$cheat"
wait_for 10 "and is free when the cdev is closed" is ready
check "nobody knew where it had come from" test "$(driver_of "$VF")" = vfio-pci
echo >"$sys/$VF/driver_override"
echo "$VF" >"/sys/bus/pci/drivers/vfio-pci/unbind"
echo "$VF" >/sys/bus/pci/drivers_probe
wait_for 10 "the administrator has put it back" device_home "$VF"

# A group put on an iommufd is closed while its device is open.
spawn alice "$scenario_tmp/group.log" vfiobroker exec --iommufd --device "$V2" -- \
	bash -c "exec 20<&4; exec vfiobroker exec --device $VF -- $tools/group-on-iommufd 20 $VF"
cheat=$spawned
wait_for 20 "a device opened by a group on an iommufd" grep -q '^held' "$scenario_tmp/group.log"
check_not "the group is closed" sh -c "ls -l /proc/$cheat/fd | grep /dev/vfio/[0-9]"
wait_for 15 "it is not proven free" is draining
wait_for 15 "the log names the holder" broker_log_match "$VF is still held by pid $cheat \("
check "and no worker is stuck over it" is draining
refused_to_bob
let_go "$cheat"
wait_for 15 "home when the device is closed" device_home "$VF"
wait_for 15 "and the other" device_home "$V2"

# Nobody is seen to have what lies in a socket: the rebind waits for it in the kernel.
held_by hidden --unbound --drop lease --hide
cheat=$spawned
wait_for 10 "a cdev in a socket: the device is wedged" is wedged
check_match 'wedged: rebind does not return from the kernel' "and why" \
	as bob vfiobroker status
refused_to_bob
check "others do not wait for it" as bob vfiobroker exec --device "$V2" -- true
wait_for 20 "and come home" device_home "$V2"
broker_kill
broker_start --worker-timeout 3
check "it is wedged after a restart, too" is wedged
refused_to_bob
let_go "$cheat"
wait_for 10 "home when the kernel lets go, without a restart" device_home "$VF"

# ---- groups
check_exit 0 "with siblings taken along" as alice vfiobroker exec --iommufd \
	--device "${SHARED[0]}" -- sh -c 'echo "$LISTEN_FDNAMES" >&2'
check_match '^lease:iommufd:device-0000.03.01.0$' "these are not passed" \
	as alice vfiobroker exec --iommufd --device "${SHARED[0]}" -- \
	sh -c 'echo "$LISTEN_FDNAMES"'
group_home() {
	[ "$(driver_of "${SHARED[0]}")$(driver_of "${SHARED[1]}")" = e1000e1000 ]
}
wait_for 20 "both are home" group_home

# Who keeps one of a group could keep the host's driver from the other.
shared_state() {
	[ "$(vfiobroker show "$1" --json | jq -r .state)" = "$2" ]
}
spawn alice "$scenario_tmp/shared.log" vfiobroker exec --iommufd --device "${SHARED[0]}" \
	--device "${SHARED[1]}" -- "$hold" --unbound --drop lease \
	--drop "device-${SHARED[1]//:/.}"
cheat=$spawned
wait_for 15 "one of a group is kept: it drains" shared_state "${SHARED[0]}" draining
wait_for 15 "the other is free, and waits with going home" \
	shared_state "${SHARED[1]}" ready
wait_for 10 "the log names the holder" \
	broker_log_match "${SHARED[0]} is still held by pid $cheat \("
check "it still waits" shared_state "${SHARED[1]}" ready
let_go "$cheat"
wait_for 20 "both are home then" group_home

# ---- asked back
held_by asked
asked=$spawned
lease=$(as bob vfiobroker status --json | jq -r '.leases[0].id')
check_exit 75 "an administrator asks for it, and waits in vain" \
	as bob vfiobroker revoke "$lease" --grace 0
wait_for 20 "the program is told" grep -q '^asked' "$scenario_tmp/asked.log"
check "and not killed" kill -0 "$asked"
let_go "$asked"
wait_for 20 "home" device_home "$VF"
held_by idle --unbound
lease=$(as bob vfiobroker status --json | jq -r '.leases[0].id')
check_exit 75 "nobody can be asked who has it open only" \
	as bob vfiobroker revoke "$lease" --grace 0
wait_for 10 "nothing waits for him in the kernel" is draining
let_go "$spawned"
wait_for 20 "home" device_home "$VF"

# ---- an unmodified QEMU
cdev_held() {
	[ -n "$(find "/proc/$1/fd" -lname "/dev/vfio/devices/$(cdev_of "$VF")" 2>/dev/null)" ]
}
iommufd=(-object "iommufd,id=i0")
spawn alice "$scenario_tmp/qemu.log" vfiobroker run -- "${vmm[@]}" "${paused[@]}" \
	"${iommufd[@]}" -device vfio-pci,host=01:10.0,iommufd=i0
qemu=$spawned
wait_for 60 "QEMU with iommufd=" cdev_held "$qemu"
check_match 'Permission denied' "the kernel refuses others" \
	as mallory sh -c "exec 5<>/dev/vfio/devices/$(cdev_of "$VF")"
let_go "$qemu"
wait_for 20 "the device is home" device_home "$VF"

# Out and in again: what QEMU has closed comes from the broker once more.
plug_iommufd() {
	qmp "{\"execute\":\"device_add\",\"arguments\":{\"driver\":\"vfio-pci\",\"id\":\"net0\",
		\"host\":\"$VF\",\"bus\":\"$1\",\"iommufd\":\"i0\"}}"
}
spawn alice "$scenario_tmp/again.log" vfiobroker run --iommufd --device 01:10.0 -- "${vmm[@]}" \
	"${paused[@]}" "${iommufd[@]}" -qmp "unix:$scenario_tmp/alice/qmp,server=on,wait=off"
qemu=$spawned
wait_for 60 "a machine without a device" test -S "$scenario_tmp/alice/qmp"
check "QMP" qmp_open "$scenario_tmp/alice/qmp"
check "the device is plugged" plug_iommufd slot1
check "in it" cdev_held "$qemu"
check "and unplugged" unplug net0
check_not "it is closed" cdev_held "$qemu"
check "and plugged again" plug_iommufd slot2
check "from the broker" cdev_held "$qemu"
qmp_quit >/dev/null
wait "$qemu"
check_match '^0$' "QEMU ends well" echo $?
wait_for 20 "the device is home" device_home "$VF"
check_exit 64 "with iommufd= for one device only" as alice vfiobroker run -- "${vmm[@]}" \
	-m 64 "${iommufd[@]}" -device vfio-pci,host=01:10.0,iommufd=i0 \
	-device vfio-pci,host=01:10.2
broker_stop
rm -rf /run/vfiobroker

# ---- the unit lets the broker at these nodes, too
check "the unit starts" systemctl start vfiobrokerd.service
check "and its broker lends a cdev" as alice vfiobroker exec --iommufd --device "$VF" -- true
wait_for 20 "home" device_home "$VF"
mkfifo -m 666 "$scenario_tmp/line"
spawn alice "$scenario_tmp/restart.log" vfiobroker exec --iommufd --device "$VF" -- \
	sh -c "exec $hold --unbound --later lease <>$scenario_tmp/line"
cheat=$spawned
wait_for 20 "a cdev is open" grep -q '^ready' "$scenario_tmp/restart.log"
check "the unit is restarted, with a /dev of its own" systemctl restart vfiobrokerd.service
echo >"$scenario_tmp/line"
wait_for 15 "its holder is seen all the same" sh -c \
	"vfiobroker show $VF --json | jq -e '.state == \"draining\" and (.why | test(\"pid $cheat \"))'"
let_go "$cheat"
wait_for 20 "home" device_home "$VF"
systemctl stop vfiobrokerd.service vfiobrokerd.socket
rm -rf /run/vfiobroker
