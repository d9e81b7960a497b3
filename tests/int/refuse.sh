#!/usr/bin/env bash
# refuse: what is refused ends with its status, says why, and how to mend it.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$INT_SRC/lib.sh"
# shellcheck source-path=SCRIPTDIR source=fake.sh
. "$INT_SRC/fake.sh"

vf=0000:01:10.0
nic=0000:02:00.0
fake_machine
fake_device 0000:00:01.0 060400 pcieport - 8086:1234
fake_device 0000:01:00.0 020000 igb 4001
fake_device $vf 020000 igbvf 4002
fake_vf 0000:01:00.0 $vf 0
fake_device $nic 020000 vfio-pci 4003
fake_device 0000:03:00.0 020000 vfio-pci 4004
fake_device 0000:03:00.1 020000 e1000 4004
fake_device 0000:03:00.2 020000 igb 4004
fake_device 0000:04:00.0 020000 e1000 -
fake_device 0000:05:00.0 020000 e1000 4005 1234:5678
fake_device 0000:06:00.0 020000 e1000 4006
fake_device 0000:07:00.0 020000 vfio-pci 4007
echo vfio-noiommu >"$fake/sys/kernel/iommu_groups/4007/name"
policy <<-END
	allow uid $USER1 use $vf managed memlock 1G
	allow uid $USER1 use $nic
	allow uid $USER1 use 0000:03:00.0
	allow uid $USER1 use 0000:04:00.0 managed
	allow uid $USER1 use 0000:07:00.0
	allow uid $USER1 use 0000:05:00.0 managed expect 8086:10d3
	allow uid $USER1 use class 06 managed
	allow gid 62001 use $vf managed
	deny uid $USER3 use $vf
	allow uid $USER3 use all managed
	limit uid $USER2 devices 0
	allow uid $USER2 use all managed
	admin uid $ADMIN
END

# ---- without a broker

check_exit 69 "no broker: 69" vb $USER1 list
check_says "^vfiobroker: cannot connect to $sock: No such file" "it says where it looked"
check_says '^vfiobroker: +start it: systemctl start vfiobrokerd.socket$' "and how to start it"
for command in status groups "show 01:10.0" "exec --device 01:10.0 -- true" watch \
	"explain --device 01:10.0" "release 1" "revoke 1" "recover 01:10.0" "policy show"; do
	# shellcheck disable=SC2086 # words
	check_exit 69 "no broker for $command: 69" vb $USER1 $command
done
: >"$dir/file"
VFIOBROKER_SOCKET=$dir/file check_exit 69 "a file is no broker: 69" vb $USER1 list
mkdir -m 700 "$dir/closed"
VFIOBROKER_SOCKET=$dir/closed/sock check_exit 69 "where one may not look: 69" vb $USER1 list
VFIOBROKER_SOCKET=/$(printf %0200d 0) \
	check_exit 64 "a path that no socket can have: 64" vb $USER1 list

# ---- by another name, which is for libvirt

for program in echo no-such-program '' qemu; do
	ln -s "$bin/vfiobroker" "$dir/vfiobroker-$program"
done
check "without a device it is the program" as $USER1 "$dir/vfiobroker-echo" -m 1G --version run
check_equal "-m 1G --version run" "$(<"$out")" "with all its arguments"
PATH=/usr/bin:/bin check_exit 127 "there may be none: 127" \
	as $USER1 "$dir/vfiobroker-no-such-program"
check_says "cannot find the program 'no-such-program'" "it says which"
check_exit 64 "without a name it is itself" as $USER1 "$dir/vfiobroker-"
check_exit 69 "with a device it asks the broker" \
	as $USER1 "$dir/vfiobroker-echo" -device '{"driver":"vfio-pci","host":"0000:01:10.0"}'
check_says "^vfiobroker: cannot connect to $sock: " "which is not there"
check "what can not be read, and is none of its business, is passed on" \
	as $USER1 "$dir/vfiobroker-echo" -m banana -device '{"driver":"scsi-hd","wwn":18446744073709551615}'
check_exit 64 "what can not be read, and is, is refused: 64" \
	as $USER1 "$dir/vfiobroker-qemu" -device pci-assign,host=01:10.0

# ---- something else at the socket: 76

# answers HEX: what the command ends with when it hears that.
"$bin/fakebroker" "$dir/other" 0a00 080112 08021000 0801 "" >"$dir/other.out" 2>&1 &
other=$!
poll grep -q waiting "$dir/other.out"
export VFIOBROKER_SOCKET=$dir/other
check_exit 76 "what is no reply: 76" vb $USER1 list
check_says "the broker at $dir/other sent " "it says who sent what"
check_says "is this the broker's socket, and of the same version" "and what to look at"
check_exit 76 "a reply cut short: 76" vb $USER1 list
check_exit 76 "an answer to another question: 76" vb $USER1 list
check_exit 76 "a hello without a welcome: 76" vb $USER1 list
check_exit 69 "a broker that hangs up: 69" vb $USER1 list
export VFIOBROKER_SOCKET=$sock
wait $other

# ---- usage: 64, with the word that is wrong

usage() {
	local what=$1 regex=$2
	shift 2
	check_exit 64 "$what: 64" vb $USER1 "$@"
	check_says "$regex" "$what: it says what is wrong"
	check_says "^vfiobroker: +'vfiobroker.* --help' shows how it is used$" \
		"$what: and where to read on"
}

usage "no command" 'a command is missing'
usage "an unknown command" "there is no command 'frobnicate'" frobnicate
usage "an unknown option" 'there is no option --frob' list --frob
usage "half a command" 'check, show or generate' policy
usage "no device" '--device is missing' exec -- true
usage "no program" 'the program is missing' exec --device $vf
usage "a bad address" '--device 01:99.0' exec --device 01:99.0 -- true
usage "a bad size" '--memlock 12q' exec --device $vf --memlock 12q -- true
usage "too many arguments" 'too many' status now
usage "no lease" "'x' is no lease" release x
usage "an empty address" '' show ''
check "help" vb $USER1 --help
check_says '^usage: vfiobroker ' "is no error"
check "the version" vb $USER1 --version
check "help of a command" vb $USER1 exec --help

# ---- the broker refuses

broker_start --sysroot "$fake"

# The program must not have run in any of these.
no=(-- touch "$dir/ran")
log_skip
check_exit 77 "no line of the policy: 77" vb $USER1 exec --device 06:00.0 "${no[@]}"
check_says "does not let uid $USER1 use 0000:06:00.0" "with user and device"
check_says "add to $policy_conf: allow uid $USER1 use 0000:06:00.0 managed$" \
	"and the line to add"
line=$(sed -n 's/.*add to [^ ]*: \(allow .*\)/\1/p' "$out")
log_news >"$out"
check_says "uid $USER1, pid [0-9]+ \(vfiobroker\): acquire refused: DENIED" "the log has it too"
cp "$policy_conf" "$dir/kept"
echo "$line" >>"$policy_conf"
reload
check "that line is what it takes" vb $USER1 explain --device 06:00.0
cp "$dir/kept" "$policy_conf"
reload
check_exit 77 "without it, it is as before" vb $USER1 explain --device 06:00.0
check_exit 77 "a deny line: 77" vb $USER3 exec --device $vf "${no[@]}"
check_says "$policy_conf:9: deny uid $USER3 use $vf" "with file, line and text"
check_says "can change line 9 of $policy_conf" "and where that can be changed"
check_exit 77 "too much memory: 77" vb $USER1 exec --device $vf --memlock 2G "${no[@]}"
check_says "memlock 2G" "it says what is lacking"
check_exit 77 "another card at the address: 77" vb $USER1 exec --device 05:00.0 "${no[@]}"
check_says '8086:10d3' "it says which was meant"
check_says '1234:5678' "and which is there"
log_news >"$out"
check_says 'acquire refused: IDENTITY_CHANGED' "and the log has it by name"
check_exit 75 "a limit: 75" vb $USER2 exec --device $vf "${no[@]}"
check_says 'limit' "it says which"
check_exit 66 "no such device: 66" vb $USER1 exec --device 09:00.0 "${no[@]}"
check_says '0000:09:00\.0' "by its full name"
check_says 'see: vfiobroker list' "and where to look"
check_exit 66 "one of two: 66" vb $USER1 exec --device $vf --device 09:00.0 "${no[@]}"
check_exit 66 "show: 66" vb $USER1 show 09:00.0
check_exit 77 "a bridge: 77" vb $USER1 exec --device 00:01.0 "${no[@]}"
check_says 'NOT_ENDPOINT' "by the reason's name"
check_exit 77 "half a group: 77" vb $USER1 exec --device 03:00.0 "${no[@]}"
check_says '0000:03:00\.1, which the host uses by e1000' "it names sibling and driver"
check_says '0000:03:00\.2, which the host uses by igb' "and the other one"
check_says 'siblings take' "and what would help"
check_exit 66 "a lease that is not there: 66" vb $USER1 release 7

# Groups that are none.
check_exit 77 "a device in no group: 77" vb $USER1 exec --device 04:00.0 "${no[@]}"
check_says 'NO_IOMMU_GROUP' "by the reason's name"
check_exit 77 "explain says so too" vb $USER1 explain --device 04:00.0
check_says 'NO_IOMMU_GROUP' "by the same name"
check_exit 77 "a group for want of an IOMMU: 77" vb $USER1 exec --device 07:00.0 "${no[@]}"
check_says 'NOIOMMU' "by the reason's name"
check_exit 77 "explain says that too" vb $USER1 explain --device 07:00.0
check_says 'NOIOMMU' "by the same name"

# Neither IOMMU nor VFIO on the host.
mv "$fake/sys/kernel/iommu_groups" "$fake/no-groups"
check_exit 69 "a device without an IOMMU: 69" vb $USER1 exec --device 04:00.0 "${no[@]}"
check_says 'IOMMU' "it says what is lacking"
check_says 'intel_iommu=on|AMD-Vi' "and what to enable"
mv "$fake/no-groups" "$fake/sys/kernel/iommu_groups"
check_exit 69 "without VFIO: 69" vb $USER1 exec --device $nic "${no[@]}"
check_says 'vfio' "it says what is lacking"
check_says 'intel_iommu=on|AMD-Vi' "and what to enable"
# All the way out, and home again.
spawn exec $USER1 exec --device $vf "${no[@]}"
kernel_binds $vf vfio-pci
kernel_binds $vf igbvf home
check_exit 69 "found out late: 69" ended exec
wait_for "the device is home again" is_state $vf host
mv "$fake_pci/drivers/vfio-pci" "$fake/no-driver"
check_exit 69 "without vfio-pci: 69" vb $USER1 exec --device $vf "${no[@]}"
check_says 'no vfio-pci driver; install its module' "it says what to do"
mv "$fake/no-driver" "$fake_pci/drivers/vfio-pci"
wait_for "the device never left" is_state $vf host
check "no program has run" test ! -e "$dir/ran"
check_equal '' "$(recorded)" "no record is left, and no lease"

# A probe that finds no driver: the kernel refused.
spawn exec $USER1 exec --device $vf "${no[@]}"
kernel_refuses $vf
check_exit 71 "vfio-pci does not take it: 71" ended exec
cp "$dir/exec.out" "$out"
check_says "$vf could not be moved to vfio-pci: bind: igbvf instead of vfio-pci has it" \
	"with the step and the reason"
wait_for "it is home" is_state $vf host

# ---- the machine as it is

broker_stop
policy <<-END
	allow any use all managed
END
real=/sys/bus/pci/devices
if has_iommu || ! ls $real/* >/dev/null 2>&1; then
	note "this machine has an IOMMU or no PCI devices"
else
	broker_start
	vb $USER1 list --json --all >"$dir/json"
	check_equal "$(find $real -mindepth 1 | wc -l)" "$(pick "$dir/json" devices.#)" \
		"the list has this machine's devices"
	path=$(grep -lv 0x06 $real/*/class | head -n 1)
	path=${path%/class}
	before=$(readlink "$path/driver")
	check_not "one of them can not be had" vb $USER1 exec --device "${path##*/}" "${no[@]}"
	check_says 'IOMMU' "for want of an IOMMU"
	check_equal "$before" "$(readlink "$path/driver")" "it stays where it is"
	broker_stop
fi
