#!/bin/bash
# libvirt: an unmodified libvirt of an ordinary user's session starts guests with PCI
# devices, by an <emulator> that is "vfiobroker run" by another name. Nobody has told
# libvirt of the broker, and VFIO is root's alone.
# shellcheck source-path=SCRIPTDIR source=../scenario.sh
. "$(dirname "${BASH_SOURCE[0]}")/../scenario.sh"
# shellcheck source-path=SCRIPTDIR source=../guest.sh
. "$(dirname "${BASH_SOURCE[0]}")/../guest.sh"

V2=0000:01:10.2
V3=0000:01:10.4
chmod 755 "$scenario_tmp" /run/lab
for user in alice mallory; do
	mkdir -p "$scenario_tmp/$user/run"
	chmod 700 "$scenario_tmp/$user/run"
	chown -R "$user:" "$scenario_tmp/$user"
	usermod -aG kvm "$user"
done
policy <<<"allow user alice use $VF managed memlock 2G"
check "the host's VFIO is closed" host_close
broker_start || exit

# session USER ARGUMENT...: virsh, which starts a daemon of the user's own.
session() {
	local user=$1
	shift
	as "$user" env HOME="$scenario_tmp/$user" XDG_RUNTIME_DIR="$scenario_tmp/$user/run" \
		virsh -q -c qemu:///session "$@"
}

# hostdev BDF: the RFC's element, as libvirt has it today.
hostdev() {
	local dev=${1##*:}
	cat <<-END
		<hostdev mode='subsystem' type='pci' managed='no'>
		  <driver name='vfio'/>
		  <source><address domain='0' bus='0x${1:5:2}' slot='0x${dev%.*}' function='${dev#*.}'/></source>
		</hostdev>
	END
}

# domain USER NAME ARGUMENT: standard input becomes more of its devices. ARGUMENT, where
# there is one, is passed to QEMU behind -device.
domain() {
	local more
	more=$(cat)
	cat >"$scenario_tmp/$1/$2.xml" <<-END
		<domain type='kvm' xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'>
		  <name>$2</name><memory unit='MiB'>256</memory><vcpu>1</vcpu>
		  <os>
		    <type arch='x86_64' machine='pc'>hvm</type>
		    <kernel>/lab/l2/vmlinuz</kernel><initrd>/lab/l2/initrd</initrd>
		    <cmdline>$linux_line l2.wait</cmdline>
		  </os>
		  <features><acpi/></features>
		  <on_poweroff>destroy</on_poweroff><on_reboot>destroy</on_reboot>
		  <devices>
		    <emulator>/usr/bin/vfiobroker-qemu-system-x86_64</emulator>
		    <serial type='file'><source path='$scenario_tmp/$1/$2.serial'/></serial>
		    <memballoon model='none'/>
		    $more
		  </devices>
		  ${3:+<qemu:commandline><qemu:arg value='-device'/><qemu:arg value='$3'/></qemu:commandline>}
		</domain>
	END
}

# Its QEMU, into $pid.
pid_of() {
	pid=$(<"$scenario_tmp/$1/run/libvirt/qemu/run/$2.pid") && [ -e "/proc/$pid/exe" ]
}
# The daemons that sessions have started, of this user or of all. Asked politely they can
# take half a minute, and have nothing to lose here.
daemons_end() {
	pkill -KILL "$@" -x 'libvirtd|virtlogd'
	! pgrep "$@" -x 'libvirtd|virtlogd' >/dev/null
}
says() {
	grep -q "$2" "$scenario_tmp/$1.serial"
}

# ---- by QEMU's own argument: it takes nothing but a line of the policy

domain alice arg "vfio-pci,host=01:10.0,id=net0,bus=pci.0,addr=0x10" </dev/null
check "a guest with a device is started" session alice create "$scenario_tmp/alice/arg.xml"
check "its QEMU has the process that libvirt started" pid_of alice arg
check_match '/qemu-system-x86_64$' "and is Debian's" readlink "/proc/$pid/exe"
check "it has the device" holds "$pid" "$VF"
check_match '^Max locked memory +1342177280 ' "it may lock its memory and 1 GiB" \
	cat "/proc/$pid/limits"
check_match "holder +qemu-system-x86 \(pid $pid\)" "the lease says so" as alice vfiobroker status

# As in run-guest: one that dies while it boots is started again.
booted_or_ended() {
	says alice/arg '^L2: waiting' || ! pid_of alice arg 2>/dev/null
}
for _ in 1 2; do
	poll 150 booted_or_ended
	! pid_of alice arg 2>/dev/null || break
	echo "the guest ended while it booted:"
	find "$scenario_tmp/alice" -path '*/qemu/log/arg.log' -exec tail -n 20 {} +
	tail -n 5 "$scenario_tmp/alice/arg.serial"
	poll 30 device_home "$VF"
	session alice create "$scenario_tmp/alice/arg.xml"
done
wait_for 150 "the guest with the device has booted" says alice/arg '^L2: waiting'
check "with its driver" says alice/arg '^L2: device 8086:10ca driver igbvf'

# One without a device has nothing of the broker's.
domain alice none </dev/null
before=$(supervisors | wc -l)
check "a guest without a device is started" session alice create "$scenario_tmp/alice/none.xml"
check "its QEMU" pid_of alice none
check "needs no supervisor" sh -c "[ \$(pgrep -cx vfio-supervisor) -le $before ]"
check "it ends" session alice destroy none

check "the other one ends" session alice destroy arg
wait_for 30 "and the device is home" device_home "$VF"

# ---- refused: libvirt's error has the broker's words

domain mallory arg "vfio-pci,host=01:10.0,id=net0,bus=pci.0,addr=0x10" </dev/null
check_not "mallory's is not" session mallory create "$scenario_tmp/mallory/arg.xml"
check_match "allow user mallory use $VF managed memlock 1280M" "he is told what line lacks" \
	session mallory create "$scenario_tmp/mallory/arg.xml"
check "nothing was moved" device_home "$VF"

# ---- by <hostdev>: libvirt wants the device on vfio-pci, and a limit of its own

policy <<-END
	allow user alice use vf-of $PF memlock 2G
	claim $V2
	claim $V3
END
kill -HUP "$broker_pid"
on_vfio() {
	[ "$(driver_of "$V2") $(driver_of "$V3")" = "vfio-pci vfio-pci" ]
}
wait_for 20 "two are claimed" on_vfio
wait_for 30 "a daemon without a limit is started anew" daemons_end -u alice
ulimit -l unlimited
domain alice host < <(hostdev "$V2")
check "a guest with <hostdev> is started" session alice create "$scenario_tmp/alice/host.xml"
check "its QEMU" pid_of alice host
check "has the device" holds "$pid" "$V2"
hostdev "$V3" >"$scenario_tmp/alice/second.xml"
check "a second is attached" session alice attach-device host "$scenario_tmp/alice/second.xml"
check "and had by the same QEMU" holds "$pid" "$V3"
check "it ends" session alice destroy host
at_rest() {
	[ "$(vfiobroker list | grep -c 'vfio-pci .* ready ')" = 2 ]
}
wait_for 30 "and both are ready again" at_rest
check_not "nothing is left of them" pgrep -x vfio-supervisor

policy </dev/null
kill -HUP "$broker_pid"
wait_for 30 "without the claim they go home" device_home "$V2"
wait_for 30 "both" device_home "$V3"
wait_for 30 "the sessions' daemons end" daemons_end
broker_stop
rm -rf /run/vfiobroker
