#!/usr/bin/env bash
# tools: policy check, show and generate, explain, watch, and what only admins
# may do.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$INT_SRC/lib.sh"
# shellcheck source-path=SCRIPTDIR source=fake.sh
. "$INT_SRC/fake.sh"

vf=0000:01:10.0
nic=0000:02:00.0
fake_machine
fake_device 0000:00:01.0 060400 pcieport 4003 8086:1234
fake_device $vf 020000 igbvf 4002
fake_device $nic 020000 vfio-pci 4003
fake_device 0000:02:00.1 020000 - 4003

# ---- policy check, which needs no broker

file=$dir/new.conf
cat >"$file" <<-END
	# a comment
	allow uid $USER1 use $vf managed memlock 1G
	deny any use class 06
	limit any devices 4 requests 100/s
END
check "a good policy" vb $USER1 policy check --elsewhere "$file"
check_says '^1 file, no errors, 0 warnings$' "is called so"
printf '\tallow user nobody-of-that-name use %s\nlimit any\n' $vf >"$dir/bad.conf"
check_exit 78 "a bad policy: 78" vb $USER1 policy check "$file" "$dir/bad.conf"
check_says "^$dir/bad.conf:1:13: there is no user nobody-of-that-name$" "file, line and column"
check_says $'^    \tallow user nobody-of-that-name use' "and the line itself"
check_says $'^    \t           \\^$' "with a caret under the column, behind the tab"
check_says "^$dir/bad.conf:2:" "and the next error too"
check_exit 78 "as JSON" vb $USER1 policy check --json "$dir/bad.conf"
cp "$out" "$dir/json"
check_equal $'vfiobroker.policy-check/1\n2\n1\n13\n0' \
	"$(pick "$dir/json" schema errors.# errors.0.line errors.0.column warnings.#)" \
	"has the same"
printf 'allow\0 any use all\nadmin \033[2Jany\r\n' >"$dir/control.conf"
check_exit 78 "control characters in a policy: 78" vb $USER1 policy check "$dir/control.conf"
check_says '^    allow\? any use all$' "a NUL does not end the line that is shown"
check_says '^    admin \?\[2Jany\?$' "and the terminal sees none of them"
strange=$dir/$'stra\xffnge-\xc3\xbc.conf'
cp "$dir/bad.conf" "$strange"
check_exit 78 "a file's name need not be UTF-8" vb $USER1 policy check --json "$strange"
cp "$out" "$dir/json"
check_equal "$dir/stra\\xffnge-"$'\xc3\xbc.conf\n2' "$(pick "$dir/json" errors.0.file errors.#)" \
	"in JSON a byte that is none can be seen"
printf 'claim all\nclaim all\n' >"$strange"
check "nor where it has but warnings" vb $USER1 policy check --json --elsewhere "$strange"
cp "$out" "$dir/json"
check_equal $'1\ndoes nothing: '"$dir/stra\\xffnge-"$'\xc3\xbc.conf:1 says as much or more' \
	"$(pick "$dir/json" warnings.# warnings.0.text)" "they are not lost"
truncate -s 1M "$dir/large.conf"
check_exit 78 "a file that is too large for the broker: 78" vb $USER1 policy check "$dir/large.conf"
check_says "large.conf: the broker refuses it: File too large$" "is told of"
echo "allow uid $USER1 use $vf" >>"$file"
check "a line that does nothing is no error" vb $USER1 policy check --elsewhere "$file"
check_says "^$file:5: warning: " "but a warning"
check_exit 66 "a file that is not there: 66" vb $USER1 policy check "$dir/none.conf"
check_exit 66 "a directory: 66" vb $USER1 policy check "$dir"
install -m 600 "$file" "$dir/secret.conf"
check_exit 66 "a file one may not read: 66" vb $USER1 policy check "$dir/secret.conf"
check "from a pipe" vb 0 policy check --elsewhere /dev/stdin
check "a policy for this machine" vb $USER1 policy generate
cp "$out" "$dir/generated.conf"
check_silent '^ *[^# ]' "allows nothing: each line is a comment"
check "is a policy" vb $USER1 policy check "$dir/generated.conf"
check_says '^1 file, no errors, 0 warnings$' "without a warning"
sed -n 's/^#\(deny\|limit\|tolerate\|claim\) /\1 /p' "$dir/generated.conf" >"$dir/taken.conf"
check "and its lines are, when taken" vb $USER1 policy check "$dir/taken.conf"
generate() {
	vb $USER1 policy generate >/dev/full
}
check_exit 71 "a full disk is noticed: 71" generate

# ---- explain: about oneself

policy <<-END
	allow uid $USER1 use $vf managed memlock 1G
	allow user daemon use $vf
	allow gid 62001 use pool nics
	pool nics { $nic }
	limit any devices 4 leases 2 connections 50
	admin uid $ADMIN
	allow any use pool nics memlock 1G
	deny gid 62002 use class 02
	deny uid $USER3 use $vf
	limit gid 62001 leases 9 connections 9
END
broker_start --sysroot "$fake"

# section HEADING: the lines of one section of $dir/kept, without the names of users.
section() {
	sed -E -n "/^$1( |\$)/,/^[a-z]/ { /^$1\$/d; /^[a-z]/ { /^$1( |\$)/!d; s/^[a-z]+ +/  /; }
		s/^ +//; s/(uid [0-9]+) \([^)]*\)/\1/g; p; }" "$dir/kept"
}

check "what may be had" vb $USER1 explain --device 01:10.0 --memlock 512M
check_says "^decision +uid $USER1.* may have $vf now$" "decision"
check_says "^rule +$policy_conf:1: allow uid $USER1 use $vf managed memlock 1G" "the line"
cp "$out" "$dir/kept"
steps="record what to put back for $vf: driver igbvf and its override
set driver_override of $vf to vfio-pci
unbind $vf from igbvf
probe $vf and verify that vfio-pci has it
open /dev/vfio/vfio and /dev/vfio/4002, check their numbers and that the group is viable
raise the limit of locked memory to at least 536870912 bytes
make the lease, hand over its fds, and keep none"
numbered() {
	cat -n <<<"$1" | sed -E 's/^ +([0-9]+)\t/\1. /'
}
check_equal "$(numbered "$steps")" "$(section steps)" "the steps, in order"
mv "$fake_pci/drivers/vfio-pci" "$dir/vfio-pci"
vb $USER1 explain --device $vf --memlock 512M >"$dir/kept"
mv "$dir/vfio-pci" "$fake_pci/drivers/vfio-pci"
check_equal "$(numbered $'load vfio-pci by modprobe\n'"$steps")" "$(section steps)" \
	"and its module first, where that is not loaded"
check_equal igbvf "$(basename "$(readlink "$fake_pci/devices/$vf/driver")")" "nothing is changed"
check_exit 77 "too much memory" vb $USER1 explain --device 01:10.0 --memlock 2G
check_says 'memlock 2G' "says so"
check_exit 77 "what may not be had: 77" vb $USER2 explain --device $vf
check_says "^decision +uid $USER2.* may not have $vf now$" "decision"
check_says "^fix +.*add to $policy_conf: allow uid $USER2 use $vf managed$" "the line to add"
cp "$out" "$dir/kept"
p=$policy_conf
check_equal "$p:7: allow any use pool nics memlock 1G: is for another device" \
	"$(section 'near misses')" "near misses: lines about the user"
vb $ADMIN explain --device $vf --user nobody >"$dir/kept" 2>&1
check_equal "$p:1: allow uid $USER1 use $vf managed memlock 1G: is for another subject
$p:2: allow user daemon use $vf: is for another subject
$p:7: allow any use pool nics memlock 1G: is for another device" \
	"$(section 'near misses' | sort)" "and for an administrator all about the device"
check_exit 66 "what is not there: 66" vb $USER1 explain --device 09:00.0
check "a group" vb $USER2,62001 explain --device $nic
check_says '0000:00:01\.0, pcieport, host, a bridge: ignored$' "the bridge in it is ignored"
check_says '0000:02:00\.1, no driver, host$' "a sibling without driver does no harm"
cp "$out" "$dir/kept"
check_equal "$p:7: allow any use pool nics memlock 1G: covers the request
$p:3: allow gid 62001 use pool nics: covers the request" \
	"$(section rule)" "the line that decides, and the other one that covers it"
check_equal '' "$(section 'near misses')" "no near misses: none is for the device or the user"
check_equal "$p:5: limit any devices 4 leases 2 connections 50: in force: devices 4 leases 2
$p:10: limit gid 62001 leases 9 connections 9: in force: connections 9" \
	"$(section limits)" "the limits, with their lines"
check_exit 77 "as if it had to be taken" vb $USER2,62001 explain --device $nic --managed
check "as JSON" vb $USER1 explain --device $vf --json
cp "$out" "$dir/json"
check_equal $'vfiobroker.explain/1\ntrue\n0' \
	"$(pick "$dir/json" schema granted exit)" "with the decision"
check_least 4 "$(pick "$dir/json" steps.#)" "and the steps"
check_exit 77 "refused, as JSON" vb $USER2 explain --device $vf --json
cp "$out" "$dir/json"
check_equal $'false\n77' "$(pick "$dir/json" granted exit)" "it says so too"

# ---- about others

check_exit 77 "about others only admins" vb $USER1 explain --device $vf --user daemon
check_says 'only administrators may ask about other users' "it says so"
check_says 'ask about yourself' "and what helps"
check_exit 77 "about root either" vb $USER1 explain --device $vf --user root
check_exit 77 "an admin about daemon" vb $ADMIN explain --device $vf --user daemon
check_says '^decision +uid [0-9]+.* may not have' "who may not: it lacks managed"
check_says ":2: allow user daemon use $vf: .*managed" "by that line"
daemon=$(id -u daemon)
check_exit 77 "about oneself by name: everybody" vb "$daemon" explain --device $vf --user daemon
check_says "^decision +uid $daemon.* may not have $vf now$" "who may not: the same"
check_silent 'only administrators' "without being an admin"
check "what any user may have" vb "$daemon" explain --device $nic --user daemon
check_exit 77 "the groups are the process's" vb "$daemon,62002" explain --device $nic --user daemon
check_says "^rule +$policy_conf:8: deny gid 62002" "though the user is in no such group"
check_exit 66 "nobody of that name: 66" vb $ADMIN explain --device $vf --user nobody-of-that-name

# ---- for admins

admins() {
	local what=$1 code=$2
	shift 2
	check_exit 77 "$what: not for ordinary users" vb $USER1 "$@"
	check_says 'only administrators may .*no .admin. line for uid' "$what: and why"
	check_says 'add to .*: admin uid' "$what: and what helps"
	check_exit "$code" "$what: for an admin" vb $ADMIN "$@"
	check_exit "$code" "$what: for root" vb 0 "$@"
}
admins "policy show" 0 policy show
admins "policy show --json" 0 policy show --json
admins "revoke" 66 revoke 1
admins "recover" 66 recover $vf
check_exit 66 "release: one's own only, and there is none" vb $ADMIN release 1
check_equal '' "$(log_news | grep -v 'policy loaded\|ready at\|vfio driver already')" \
	"nothing of this is worth a log line"

# ---- watch

spawn watch $USER2 watch --json
spawn watch2 $USER2 watch

# The command does not say when it watches, so reload until it tells.
told() {
	kill -HUP "$broker_pid"
	[ -s "$dir/watch.out" ] && [ -s "$dir/watch2.out" ]
}
wait_for "watchers hear of a reload" told
poll log_has 'policy loaded'
"$bin/pick" schema kind device text <"$dir/watch.out" >"$out"
check_equal $'vfiobroker.event/1\npolicy\nnull\nloaded' "$(head -n 4 "$out")" \
	"one JSON object a line"
echo frob >>"$policy_conf"
reload
refused() {
	"$bin/pick" text <"$dir/watch.out" | grep -qx 'refused: the running one stays'
}
wait_for "of one that is refused too" refused
sed -i '$d' "$policy_conf"
reload
spawn exec $USER1 exec --device $vf -- true
kernel_binds $vf vfio-pci
kernel_binds $vf igbvf home
ended exec
moved() {
	"$bin/pick" kind device from to <"$dir/watch.out" | paste -d' ' - - - - |
		grep -qx "device $vf $1 $2"
}
wait_for "of a device that leaves" moved host claiming
wait_for "and comes home" moved restoring host
numbers=$("$bin/pick" number <"$dir/watch.out")
first=$(head -n 1 <<<"$numbers")
check_equal "$(seq "$first" "$((first + $(wc -l <<<"$numbers") - 1))")" "$numbers" \
	"the numbers have no gap"
cp "$dir/watch2.out" "$out"
check_says '^[0-9:.]+ policy: loaded$' "in words as well"
check_says "^[0-9:.]+ device $vf host -> claiming" "of devices too"
kill -INT "${held_pid[watch]}" "${held_pid[watch2]}"
ended watch 2>/dev/null
ended watch2 2>/dev/null
wait_for "watchers that go leave nothing" quiet 0
broker_stop
