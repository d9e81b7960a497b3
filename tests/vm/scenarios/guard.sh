#!/bin/bash
# guard: the host is never sawed off. Each reason that the lab can have refuses by
# name, is granted where a tolerate line lifts it, and leaves the host intact.
# shellcheck source-path=SCRIPTDIR source=../scenario.sh
. "$(dirname "${BASH_SOURCE[0]}")/../scenario.sh"

ROOTDISK=0000:00:03.0
nic=$(net_of "$NIC")
lines() {
	cat <<-END
		allow user alice use $NVME managed reset none
		allow user alice use $NIC managed reset none
		allow user alice use $PF managed reset none
		allow user alice use $ROOTDISK managed reset none siblings take
		allow user alice use $BRIDGE managed
	END
}
reload() {
	local was
	was=$(grep -c 'policy loaded' "$broker_log")
	{ lines; cat; } | policy
	kill -HUP "$broker_pid"
	poll 10 more_loads "$was" || fail "the policy is reloaded"
}
more_loads() {
	[ "$(grep -c 'policy loaded' "$broker_log")" -gt "$1" ]
}
take() {
	as alice vfiobroker exec --device "$1" -- true
}
on() {
	[ "$(driver_of "$1")" = "$2" ] && ! [ -e "/run/vfiobroker/devices/$1" ]
}
# refused BDF DRIVER REASON...: by each of the names, and nothing is moved.
refused() {
	local bdf=$1 driver=$2 reason
	shift 2
	check_exit 77 "$bdf is refused" take "$bdf"
	for reason; do
		check_match "$reason" "because of $reason" take "$bdf"
	done
	check "$bdf stays with $driver" on "$bdf" "$driver"
}
# granted BDF DRIVER: it is lent and comes home.
granted() {
	check "$1 is given" take "$1"
	wait_for 20 "$1 is home with $2" on "$1" "$2"
}

lines | policy
broker_start || exit

# A mounted disk.
refused "$NVME" nvme MOUNTED
check_match 'on /srv' "where it is mounted is said" take "$NVME"
check_match "tolerate mounted on $NVME" "and which line would lift it" take "$NVME"
check "the file is still there" grep -q NVMe /srv/README
ask() {
	as alice vfiobroker explain --device "$NVME" "$@"
}
check_exit 77 "explain says the same to alice" ask
check_match 'MOUNTED.*/srv' "with the reason" ask
ask --json >"$scenario_tmp/explained"
check "as JSON too, among the reasons" \
	jq -e '.reasons | any(test("MOUNTED.*/srv"))' "$scenario_tmp/explained"
reload <<-END
	claim $NVME
END
wait_for 10 "a claim line does not take it either" \
	broker_log_match "$NVME is not claimed: MOUNTED"
check "it stays with nvme" on "$NVME" nvme
reload </dev/null
umount /srv
granted "$NVME" nvme

# An interface in use.
ip link set "$nic" up
ip addr add 192.0.2.1/24 dev "$nic"
refused "$NIC" e1000e NET_ADDRESS
ip route add default via 192.0.2.254 dev "$nic"
refused "$NIC" e1000e NET_ADDRESS NET_ROUTE
reload <<-END
	tolerate net-address on $NIC
END
refused "$NIC" e1000e NET_ROUTE
reload <<-END
	tolerate net-address on $NIC
	tolerate net-route on $NIC
END
granted "$NIC" e1000e
wait_for 10 "its interface is back" test -d "/sys/class/net/$nic"

# A bridge port.
ip link set "$nic" down
ip link add guardbr type bridge
ip link set "$nic" master guardbr
reload </dev/null
refused "$NIC" e1000e NET_MASTER
reload <<-END
	tolerate net-master on $NIC
END
granted "$NIC" e1000e
ip link del guardbr
reload </dev/null
granted "$NIC" e1000e

# A PF whose VFs are in use.
refused "$PF" igb VFS_IN_USE
check_match 'igbvf' "the VFs' driver is named" take "$PF"
reload <<-END
	tolerate vfs-in-use on $PF
	tolerate net-address on $PF
	tolerate net-route on $PF
END
granted "$PF" igb
# Its interface is down then, so that igbvf takes a second for each VF, and the store
# returns when all are probed.
vfs_back() {
	[ "$(<"$sys/$PF/sriov_numvfs")" = 7 ] && [ "$(driver_of "$VF")" = igbvf ] &&
		! pgrep -x vfiobroker-work >/dev/null
}
wait_for 60 "its seven VFs are made again, with their driver" vfs_back
reload </dev/null

# Never tolerated.
refused "$BRIDGE" none NOT_ENDPOINT
vfiobroker explain --device "$BRIDGE" --user alice >"$scenario_tmp/explained"
check "explain has the reason" grep -q NOT_ENDPOINT "$scenario_tmp/explained"
check_not "but no line to tolerate it" grep -q 'tolerate not-endpoint' "$scenario_tmp/explained"
{ lines; echo "tolerate not-endpoint on $BRIDGE"; } | policy
kill -HUP "$broker_pid"
wait_for 10 "a policy that would is refused whole, with its place" \
	broker_log_match 'policy.conf:[0-9]+:[0-9]+: .*not-endpoint'
granted "$NIC" e1000e

# A policy that alice could have written is none.
lines | policy
chown alice /etc/vfiobroker/policy.conf
kill -HUP "$broker_pid"
wait_for 10 "a policy that is not root's is refused" \
	broker_log_match 'policy.conf.*does not belong to root'
granted "$NIC" e1000e

# From here on each reason is lifted by its name while it holds, so that the disk
# leaves under its users. It comes back by another name, and is whole.
disk_is_back() {
	[ "$(driver_of "$NVME")" = nvme ] && [ -b "$(disk)" ]
}
file_is_there() {
	local status
	mount -o ro "$(disk)" /mnt || return
	grep -q NVMe /mnt/README
	status=$?
	umount /mnt && return "$status"
}
disk_is_whole() {
	wait_for 10 "the disk is back" disk_is_back
	check "with its file" file_is_there
}

# A mounted one, read-only, so that it lives.
disk_is_whole
mount -o ro "$(disk)" /mnt
reload <<-END
	tolerate mounted on $NVME
END
granted "$NVME" nvme
umount /mnt
disk_is_whole

# Mounted on /: over the root that everybody has and nobody leaves for it.
mount -o ro "$(disk)" /
reload <<-END
	tolerate mounted on $NVME
END
refused "$NVME" nvme ROOT_FS
reload <<-END
	tolerate root-fs on $NVME
END
granted "$NVME" nvme
umount /
disk_is_whole

# A stacked device, which has swap on its last 4 MiB.
stack=/dev/mapper/guardtest
modprobe dm-mod
sectors=$(blockdev --getsz "$(disk)")
dmsetup create guardtest --table "0 8192 linear $(disk) $((sectors - 8192))"
refused "$NVME" nvme DM_MEMBER
check_match "guardtest" "the holder is named" take "$NVME"
mkswap -q "$stack" && swapon "$stack"
reload <<-END
	tolerate dm-member on $NVME
END
refused "$NVME" nvme SWAP
reload <<-END
	tolerate swap on $NVME
END
refused "$NVME" nvme DM_MEMBER
reload <<-END
	tolerate dm-member on $NVME
	tolerate swap on $NVME
END
granted "$NVME" nvme
check "nothing had been swapped out" swapoff "$stack"
dmsetup remove guardtest
disk_is_whole

# The root disk: refused whatever the policy lifts but its own name.
refused "$ROOTDISK" virtio-pci ROOT_FS
check_match "tolerate root-fs on $ROOTDISK" "the line that would lift it is named" \
	take "$ROOTDISK"
check "the root file system lives" touch /root/alive
reload <<-END
	tolerate root-fs on $ROOTDISK
	tolerate mounted on $ROOTDISK
END
check "with these lines it would be given: explained, not tried" \
	vfiobroker explain --device "$ROOTDISK" --user alice
broker_stop
disk_mount
rm -rf /run/vfiobroker
