#!/bin/bash
# exec: an ordinary user gets the RFC's device as file descriptors, and it goes home
# when the last of them is closed. Every refusal that needs no second device.
# shellcheck source-path=SCRIPTDIR source=../scenario.sh
. "$(dirname "${BASH_SOURCE[0]}")/../scenario.sh"

home() {
	[ "$(driver_of "$VF")" = igbvf ] && [ -z "$(override_of "$VF")" ] &&
		! [ -e "/run/vfiobroker/devices/$VF" ]
}

override_of() {
	sed 's/^(null)$//' "$sys/$1/driver_override"
}

policy <<-END
	allow user alice use $VF managed memlock 1G
	allow user bob use $VF managed
	allow user bob use $EDU managed
END
broker_start || exit
group=$(group_of "$VF")

check_match "^$VF +8086:10ca" "alice lists the device" as alice vfiobroker list
check_match '"schema": ?"vfiobroker.list/1"' "as JSON too" as alice vfiobroker list --json
check_match 'leases?' "status answers" as alice vfiobroker status

# The descriptors, by name and by what they are.
cat >"$scenario_tmp/fds" <<'END'
echo "pid $LISTEN_PID is $$"
echo "names $LISTEN_FDNAMES"
i=3
while [ $i -lt $((3 + LISTEN_FDS)) ]; do
	echo "fd $i $(readlink /proc/$$/fd/$i)"
	i=$((i + 1))
done
find /proc/$$/fd -lname '/*' -printf 'open %l\n' | grep -v -e /dev/null -e '/output$' -e "$0"
ulimit -l
END
chmod 644 "$scenario_tmp/fds"
chmod 755 "$scenario_tmp" /run/lab
attempt as alice vfiobroker exec --device 01:10.0 --memlock 512M -- sh "$scenario_tmp/fds"
cp "$scenario_out" "$scenario_tmp/said"
chmod 644 "$scenario_tmp/said"
said() {
	grep -Eq -e "$1" "$scenario_tmp/said"
}
check "exec gives a lease" said '^fd [0-9] /run/vfiobroker/leases/[0-9]+$' ||
	cat "$scenario_tmp/said"
check "and a container" said '^fd [0-9] /dev/vfio/vfio$'
check "and the group" said "^fd [0-9] /dev/vfio/$group$"
check "by LISTEN_FDNAMES, in this order" said "^names lease:container:group-$group$"
check "LISTEN_PID is the program" sh -c "awk '/^pid/ { exit \$2 != \$4 }' $scenario_tmp/said"
check_match "^3$" "nothing else is inherited" sh -c "grep ^open $scenario_tmp/said >&2; grep -c ^open $scenario_tmp/said"
check "the limit of locked memory is raised" said '^524288$'
wait_for 15 "the device goes home" home
check_match 'leased -> draining' "the log tells the way" cat "$broker_log"
check "a reset lies between" broker_log_match 'resetting -> ready \(reset\)'

# What it says when it is refused, and with which code.
check_exit 77 "mallory is refused" as mallory vfiobroker exec --device 01:10.0 -- true
check_match "allow .*use $VF managed" "and told what line to add" \
	as mallory vfiobroker exec --device 01:10.0 -- true
check_exit 77 "more memory than allowed is refused" \
	as alice vfiobroker exec --device 01:10.0 --memlock 2G -- true
check_match '1G' "and the ceiling is named" \
	as alice vfiobroker exec --device 01:10.0 --memlock 2G -- true
check_exit 66 "no such device" as alice vfiobroker exec --device 77:00.0 -- true
check_exit 64 "no device at all" as alice vfiobroker exec -- true
check_exit 64 "not an address" as alice vfiobroker exec --device 01:1x.0 -- true
check_exit 127 "no such program" as alice vfiobroker exec --device 01:10.0 -- /no/such
wait_for 15 "the device is home after that too" home
check_exit 7 "the program's status is ours" \
	as alice vfiobroker exec --device 01:10.0 -- sh -c 'exit 7'
wait_for 15 "and home again" home

# Busy: with the holder's name.
mkfifo -m 666 "$scenario_tmp/hold"
spawn alice "$scenario_tmp/holder.log" vfiobroker exec --device 01:10.0 -- \
	sh -c "read x <$scenario_tmp/hold"
holder=$spawned
wait_for 15 "alice holds it" sh -c "grep -q '^lease [1-9]' /run/vfiobroker/devices/$VF &&
	grep -q '^step leased' /run/vfiobroker/devices/$VF"
check_exit 75 "her second try is told busy" \
	as alice vfiobroker exec --device 01:10.0 --no-wait -- true
check_match "held by .*alice.*pid $holder" "and by whom" \
	as alice vfiobroker exec --device 01:10.0 --no-wait -- true
check_exit 75 "so is another who may have it" \
	as bob vfiobroker exec --device 01:10.0 --no-wait -- true
check_match "$VF is held by uid 1000 \(alice\), pid $holder \(sh\), lease [0-9]+" \
	"with user, pid and command" as bob vfiobroker exec --device 01:10.0 --no-wait -- true
check_match "$VF" "status shows the lease" as alice vfiobroker status
check_not "bob does not see it" sh -c \
	"setpriv --reuid=bob --regid=bob --init-groups vfiobroker status | grep -q $VF"

# It is the lease that counts, not the process that asked.
echo >"$scenario_tmp/hold"
wait_for 15 "she ends, it goes home" home

# However it is ended. (^C on a terminal is in run-ends.sh: bash has its
# background ignore it.)
for signal in TERM HUP KILL; do
	spawn alice "$scenario_tmp/holder.log" vfiobroker exec --device 01:10.0 -- sleep 1000
	wait_for 15 "alice holds it again" grep -q '^step leased' "/run/vfiobroker/devices/$VF"
	kill -$signal "$spawned"
	wait_for 15 "home after SIG$signal" home
done

# A device without a driver.
check_match '^none$' "edu has no driver" driver_of "$EDU"
check "bob takes edu" as bob vfiobroker exec --device "$EDU" -- true
edu_home() {
	[ "$(driver_of "$EDU")" = none ] && ! [ -e "/run/vfiobroker/devices/$EDU" ]
}
poll 10 edu_home || true
check_match 'quarantined|host' "edu is home, or in quarantine for lack of a reset" \
	sh -c "vfiobroker show $EDU"
vfiobroker recover "$EDU" >/dev/null 2>&1
wait_for 10 "and home in the end" edu_home

# A node that is not what the kernel says it is is not passed on.
hide() {
	mount --bind /dev/zero "$1"
}
check "something else is mounted on the container's node" hide /dev/vfio/vfio
check_exit 69 "then nothing is given" as alice vfiobroker exec --device 01:10.0 -- true
check_match 'cannot open /dev/vfio/vfio: Bad file descriptor' "and why" \
	as alice vfiobroker exec --device 01:10.0 -- true
umount /dev/vfio/vfio
wait_for 15 "the device goes home without it" home
policy <<-END
	claim $VF
	allow user alice use $VF
END
kill -HUP "$broker_pid"
wait_for 15 "a device rests on vfio-pci" grep -qs '^step ready' "/run/vfiobroker/devices/$VF"
check "something else is mounted on its group's node" hide "/dev/vfio/$group"
check_exit 71 "then it is not given either" as alice vfiobroker exec --device 01:10.0 -- true
check_match "cannot open /dev/vfio/$group: Bad file descriptor" "and why" \
	as alice vfiobroker exec --device 01:10.0 -- true
umount "/dev/vfio/$group"
check "with the right node it is" as alice vfiobroker exec --device 01:10.0 -- true
policy <<-END
	allow user bob use $VF managed
	allow user bob use $EDU managed
END
kill -HUP "$broker_pid"
wait_for 15 "and home when nothing claims it" home

# A host without VFIO: no node, or no driver.
mv /dev/vfio/vfio /dev/vfio/away
check_exit 69 "without the container's node nothing is given" \
	as bob vfiobroker exec --device 01:10.0 -- true
check_match 'load the vfio module, and have an IOMMU on' "and what to enable is said" \
	as bob vfiobroker exec --device 01:10.0 -- true
mv /dev/vfio/away /dev/vfio/vfio
wait_for 15 "the device goes home without it" home
modprobe=$(realpath /sbin/modprobe)
check "the driver is unloaded" modprobe -r vfio-pci
mount --bind /bin/false "$modprobe"
check_exit 69 "without it nothing is given" as bob vfiobroker exec --device 01:10.0 -- true
check_match 'the kernel has no vfio-pci driver' "which is said" \
	as bob vfiobroker exec --device 01:10.0 -- true
umount "$modprobe"
wait_for 15 "the device never left" home
check "with all of it, it is given" as bob vfiobroker exec --device 01:10.0 -- true
wait_for 15 "home again" home

check_match '^0$' "the broker keeps no VFIO fd" \
	sh -c "ls -l /proc/$broker_pid/fd | grep -c /dev/vfio || true"
broker_stop
check_exit 69 "no broker" as alice vfiobroker list
check_match 'systemctl start' "and how to start it" as alice vfiobroker list
rm -rf /run/vfiobroker
