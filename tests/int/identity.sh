#!/usr/bin/env bash
# identity: who connects is the kernel's word, and every list has its JSON.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$INT_SRC/lib.sh"
# shellcheck source-path=SCRIPTDIR source=fake.sh
. "$INT_SRC/fake.sh"

fake_machine
fake_device 0000:00:00.0 060000 - - 8086:0d57
fake_device 0000:01:00.0 020000 igb 4001 8086:10c9
fake_device 0000:01:10.0 020000 igbvf 4002
fake_vf 0000:01:00.0 0000:01:10.0 0
fake_device 0000:02:00.0 020000 vfio-pci 4003 8086:10d3
fake_device 0000:02:00.1 020000 - 4003 8086:10d3
policy <<-END
	allow gid 62001 use 0000:01:10.0 managed
	allow uid $USER1 use 0000:02:00.0
	admin uid $ADMIN
END
broker_start --sysroot "$fake"

# ---- who am I

check "an ordinary user is served" vb $USER1 status
check_says "^you +.* \(uid $USER1\)$" "by the uid that the kernel says"
check_says '^leases +none$' "without leases"
check "root is served" vb 0 status --json
cp "$out" "$dir/json"
check_equal vfiobroker.status/1 "$(pick "$dir/json" schema)" "status has its schema"
check_equal 0 "$(pick "$dir/json" uid)" "status has the uid"
check_equal true "$(pick "$dir/json" admin)" "root is an admin"
check_equal 0 "$(pick "$dir/json" leases.#)" "status has the leases"
check "an admin is served" vb $ADMIN status
check_says "\(uid $ADMIN\), admin$" "the admin line makes an admin"
check_says '^backends +group$' "status says what the kernel can do"
check_equal true "$(pick "$dir/json" vfio)" "and so does its JSON"
mv "$fake/sys/kernel/iommu_groups" "$fake/no-groups"
check "it is asked anew" vb $ADMIN status
check_says '^backends +none: the kernel has no VFIO or no IOMMU$' \
	"status says that the kernel has no IOMMU"
mv "$fake/no-groups" "$fake/sys/kernel/iommu_groups"

# Allowed by a group: the primary one, a supplementary one, and the 65th.
allowed() {
	vb "$1" list --json >"$dir/json" 2>"$out" && pick "$dir/json" devices.1.allowed
}
check_equal false "$(allowed $USER2)" "a group line is not for others"
check_equal true "$(allowed $USER2,62001)" "it is for the primary group"
check_equal true "$(allowed $USER2,1,62001)" "it is for a supplementary group"
many=$(seq -s , 62100 62163)
check_equal true "$(allowed "$USER2,1,$many,62001")" "also for the 65th group"
check_equal false "$(allowed "$USER2,1,$many")" "but not for 64 others"

# ---- lists

check "list" vb $USER1 list
check_says '^0000:01:10\.0 +8086:10ca +ethernet +igbvf +4002 +host +-$' "a VF is listed"
check_says '^0000:02:00\.0 .* vfio-pci +4003 +ready +allowed$' \
	"what is on vfio-pci is ready, and this user's to have"
check_silent '0000:00:00\.0' "a bridge is not"
check "list --all" vb $USER1 list --all
check_says '^0000:00:00\.0 ' "has the bridge"
vb $USER1 list --json >"$dir/json"
check_equal $'vfiobroker.list/1\n4\n0000:01:00.0' \
	"$(pick "$dir/json" schema devices.# devices.0.bdf)" "list --json is by address"
check_equal $'true\n0000:01:00.0\n4002\n8086\n10ca\n020000' \
	"$(pick "$dir/json" devices.0.is_pf devices.1.pf devices.1.group \
		devices.1.vendor devices.1.device devices.1.class)" \
	"and has what sysfs has"
check "show takes the short address" vb $USER1 show 01:10.0
check_says '^kind +VF of 0000:01:00\.0$' "show says whose VF it is"
vb $USER1 show 01:10.0 --json >"$dir/json"
check_equal $'vfiobroker.device/1\n0000:01:10.0' "$(pick "$dir/json" schema bdf)" "show --json"
check "groups" vb $USER1 groups
check_says '^4003 +0000:02:00\.0 ' "a group has its number"
vb $USER1 groups --json >"$dir/json"
check_equal $'vfiobroker.groups/1\n4003\n2' \
	"$(pick "$dir/json" schema groups.2.group groups.2.devices.#)" \
	"groups --json keeps a group together"

# ---- the messages themselves

check "a hello by hand" peer $USER1 hello
check "a second hello on the same connection" peer $USER1 hello hello
check "requests that wait for each other in the socket" peer $USER1 burst=20 drain
check "a request that makes no sense is answered INVALID" \
	peer $USER1 send=08012a00 answer=9 hello
check "so is one with the id 0" peer $USER1 send=12020801 answer=9 hello
check "a client that closes its side is let go" peer $USER1 hello shutdown=write closed
check_equal '' "$(grep -v '^==\|policy loaded\|ready at\|vfio driver already' "$broker_log")" \
	"nothing of all this is worth a log line"

broker_stop
