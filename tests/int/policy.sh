#!/usr/bin/env bash
# policy: reloads are all or nothing, only root's files count, and requests see
# the new policy at once.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$INT_SRC/lib.sh"
# shellcheck source-path=SCRIPTDIR source=fake.sh
. "$INT_SRC/fake.sh"

vf=0000:01:10.0
fake_machine
fake_device $vf 020000 igbvf 4002
fake_device 0000:02:00.0 020000 vfio-pci 4003

# may UID: whether the policy lets that user have the VF.
may() {
	vb "$1" explain --device $vf >"$dir/explained" 2>&1
	case $? in
	0) echo yes ;;
	77) echo no ;;
	*) cat "$dir/explained" ;;
	esac
}

# loads WHAT / rejects WHAT REGEX: what a reload comes to.
loads() {
	reload
	log_news >"$out"
	check_says '^vfiobrokerd: policy loaded$' "$1"
	check_equal 1 "$(log_news | wc -l)" "$1: one line"
}
rejects() {
	reload
	log_news >"$out"
	check_says "$2" "$1: it says where and why"
	log_news >"$out"
	check_says 'policy not loaded: .*; the running one stays$' "$1: nothing is loaded"
	check_equal yes "$(may $USER1)" "$1: the running one stays"
}

# ---- without any

broker_start --sysroot "$fake"
check_equal no "$(may $USER1)" "without a policy nobody gets a device"
check "not even root" test "$(may 0)" = no
check "its policy is empty" vb 0 policy show
check_equal '' "$(<"$out")" "with no line"

# ---- good, and at once

policy <<-END
	admin uid $ADMIN
END
hold old $USER1 hello ask=1
# Explain{device 01:10.0} by hand, for a connection that is there already.
ask_again() {
	peer "$1" send=08014a060a0410011810 answer="$2"
}
loads "a first policy"
check_equal no "$(may $USER1)" "it allows nothing yet"
check "asked by hand: denied" ask_again $USER1 2
release old
start both $USER1 "$bin/peer" "$sock" send=08014a060a0410011810 answer=2 wait \
	send=08014a060a0410011810 answer=0
poll grep -q waiting "$dir/both.out"
echo "allow uid $USER1 use $vf managed" >"$policy_d/10-one.conf"
loads "a file in policy.d"
check_equal yes "$(may $USER1)" "allows it"
check_equal no "$(may $USER2)" "to whom it says"
check "a connection from before sees it too" release both
check "the running policy" vb $ADMIN policy show
check_says "^allow uid $USER1 use $vf managed # $policy_d/10-one.conf:1$" "has the line"
vb $ADMIN policy show --json >"$dir/json"
check_equal vfiobroker.policy/1 "$(pick "$dir/json" schema)" "also as JSON"
vb $ADMIN policy show >"$dir/shown"
check "what it shows is a policy" vb $USER1 policy check --elsewhere "$dir/shown"

# ---- bad

echo "allow user nobody-of-that-name use $vf" >"$policy_d/20-bad.conf"
rejects "an unknown user" "^vfiobrokerd: $policy_d/20-bad.conf:1:12: .*nobody-of-that-name"
printf '# fine\n\n  allow uid 7 use 99:99.9 managed\n' >"$policy_d/20-bad.conf"
rejects "a bad address" "^vfiobrokerd: $policy_d/20-bad.conf:3:[0-9]+: "
printf 'allow uid %s use all managed\ndeny any use all\nfrob\n' $USER2 >"$policy_d/20-bad.conf"
rejects "a word that is none" "^vfiobrokerd: $policy_d/20-bad.conf:3:1: "
check_equal no "$(may $USER2)" "the good lines of a bad file are not loaded"
printf 'frob\n' >>"$policy_conf"
reload
check_equal 3 "$(log_news | wc -l)" "every file's errors are told"
sed -i '$d' "$policy_conf"
head -c 3000 /dev/urandom >"$policy_d/20-bad.conf"
rejects "garbage" "^vfiobrokerd: $policy_d/20-bad.conf:1:"
check_equal '' "$(grep -a -n '[^[:print:]]' "$broker_log")" "the log is printable all the same"
: >"$policy_d/20-bad.conf"
head -c 1100000 /dev/zero | tr '\0' '#' >"$policy_d/20-bad.conf"
rejects "a megabyte" "^vfiobrokerd: $policy_d/20-bad.conf: .*File too large"
rm "$policy_d/20-bad.conf"

# ---- whose file?

file=$policy_d/20-else.conf
echo "allow uid $USER2 use $vf managed" >"$file"
chown $USER2 "$file"
rejects "another's file" "^vfiobrokerd: $file: does not belong to root"
chown 0 "$file"
chmod 664 "$file"
rejects "a file that its group can write" "^vfiobrokerd: $file: can be written by others than root"
chmod 646 "$file"
rejects "a file that all can write" "^vfiobrokerd: $file: can be written by others than root"
chmod 644 "$file"
chmod 775 "$policy_d"
rejects "a directory that its group can write" "^vfiobrokerd: $policy_d: can be written"
chmod 755 "$policy_d"
chown $USER2 "$policy_d"
rejects "another's directory" "^vfiobrokerd: $policy_d: does not belong to root"
chown 0 "$policy_d"
chmod 1777 "$dir/etc"
rejects "policy.conf in a directory that all can write" "^vfiobrokerd: $dir/etc: can be written"
chmod 755 "$dir/etc"
mv "$file" "$dir/else"
ln -s "$dir/else" "$file"
rejects "a symbolic link" "^vfiobrokerd: $file: "
rm "$file"
mkfifo "$file"
rejects "a fifo" "^vfiobrokerd: $file: is of the wrong type"
rm "$file"
mkdir "$file"
rejects "a directory for a file" "^vfiobrokerd: $file: "
rmdir "$file"
cp "$dir/else" "$policy_d/.hidden.conf"
cp "$dir/else" "$policy_d/backup.conf~"
loads "other names are no part of it"
check_equal no "$(may $USER2)" "hidden and backup files are not read"
mv "$dir/else" "$file"
chmod 600 "$file"
loads "a file that only root can read"
check_equal yes "$(may $USER2)" "counts"

# ---- order does not matter

answers() {
	local uid
	for uid in $USER1 $USER2 $USER3 61004; do
		may "$uid"
	done
}
lines=("allow uid $USER1 use pool p managed" "allow uid $USER2 use all managed"
	"deny uid $USER2 use $vf" "pool p { $vf }" "limit any devices 4"
	"allow any use group-of $vf" "allow uid 61004 use class 02 managed memlock 1G")
rm "$policy_d"/*
for i in "${!lines[@]}"; do
	echo "${lines[i]}" >"$policy_d/$i.conf"
done
loads "a line in each of many files"
wanted=$(answers)
check_equal $'yes\nno\nno\nyes' "$wanted" "decides as it should"
rm "$policy_d"/*
for i in "${!lines[@]}"; do
	echo "${lines[i]}" >"$policy_d/$((99 - i)).conf"
done
loads "the other way round"
check_equal "$wanted" "$(answers)" "decides alike"
rm "$policy_d"/*
printf '%s\n' "${lines[@]}" | shuf | tee -a "$policy_conf" >"$dir/order"
loads "all in one file, shuffled"
check_equal "$wanted" "$(answers)" "decides alike too"

# ---- many

for i in {0..199}; do
	printf 'allow uid %d use 0000:%02x:00.0 managed\n' \
		$((70000 + i)) $((i % 256)) >"$policy_d/$i.conf"
done
loads "two hundred files"
for i in {200..299}; do
	echo >"$policy_d/$i.conf"
done
reload
log_news >"$out"
check_says 'one file too many' "three hundred are too many, and it says so"
rm "$policy_d"/*

# Ten thousand lines, all of them near $USER3's request, some
# longer than a record; limits and lines that say the same are as many.
many=10000
for ((i = 0; i < many; i++)); do
	case $((i % 4)) in
	0) echo "allow uid $USER3 use 0000:77:00.0 managed memlock $((2 * i + 1))M" ;;
	1) echo "allow uid $USER3 use $vf managed memlock $((2 * i + 1))M" ;;
	2) echo "limit any devices $((i + 1))" ;;
	*) echo "pool p$i { $vf $vf $vf $vf $vf $vf $vf $vf $vf $vf $vf $vf $vf $vf $vf $vf }" ;;
	esac
done >"$policy_d/many.conf"
wc -l <"$policy_conf" >"$dir/before"
loads "ten thousand lines"
vb $ADMIN policy show >"$dir/shown"
check_equal $((many + $(<"$dir/before"))) "$(wc -l <"$dir/shown")" "are shown, every one"
sed -n "s/ # .*many.conf:[0-9]*$//p" "$dir/shown" >"$dir/many"
check "and to the letter" cmp "$policy_d/many.conf" "$dir/many"
check_equal yes "$(may $USER1)" "explain answers"
vb $USER3 explain --device $vf >"$out"
check_says "^rule +$policy_d/many.conf:9998: allow uid $USER3 use $vf managed memlock" "the best of many lines"
check_equal 3 "$(grep -Ec "^ +and [0-9]+ more$" "$out")" "and says how many there are more of each kind"
check_most 150 "$(wc -l <"$dir/explained")" "in a bearable length"
rm "$policy_d/many.conf"

# Reloads that overtake each other: the last state of the files counts.
hold open $USER1 hello
for i in {1..30}; do
	echo "allow uid 6200$((i % 10)) use $vf managed" >"$policy_d/now.conf"
	kill -HUP "$broker_pid"
done
allowed_now() {
	[ "$(may 62000)" = yes ] && [ "$(may 62009)" = no ]
}
wait_for "after thirty reloads at once the last one counts" allowed_now
check "a connection has seen it all" release open

# A claim line acts on a reload, and not on what the host needs.
echo "claim $vf" >"$policy_d/claim.conf"
reload
kernel_binds $vf vfio-pci
wait_for "a claim line takes the device to vfio-pci" is_state $vf ready
check_equal true "$(vb 0 show $vf --json | "$bin/pick" claimed)" "and it is shown as claimed"
rm "$policy_d/claim.conf"
reload
kernel_binds $vf igbvf home
wait_for "and without the line it goes home" is_state $vf host

# A directory that is not there, and one that is no directory.
rm -r "$policy_d"
loads "without policy.d"
: >"$policy_d"
reload
log_news >"$out"
check_says "$policy_d: Not a directory" "a file in its place is an error"
rm "$policy_d"
rm "$policy_conf"
loads "without any file"
check_equal no "$(may 62000)" "nobody gets a device any more"

# A broker that starts with a bad policy serves, and gives nothing.
broker_stop
policy <<-END
	allow uid $USER1 use $vf managed
	frob
END
broker_start --sysroot "$fake"
log_news >"$out"
check_says "$policy_conf:2:1: " "started with a bad policy it says so"
check_equal no "$(may $USER1)" "and gives out nothing"
sed -i '$d' "$policy_conf"
reload
check_equal yes "$(may $USER1)" "until it is mended"

# A file name need not be ASCII.
broker_stop
policy <<-END
	admin uid $ADMIN
END
echo "allow uid $USER2 use $vf managed" >"$policy_d/gerät.conf"
broker_start --sysroot "$fake"
check_exit 77 "an explanation with a strange file name in it" vb $USER1 explain --device $vf
check_says 'may not have' "is given"
check "and the policy shown" vb $ADMIN policy show
broker_stop

# ---- a loader that is not what it should be

# fake_loader: standard input becomes a program that the broker takes for it.
fake_loader() {
	cat >"$dir/loader"
	chmod 755 "$dir/loader"
}

policy <<-END
	admin uid $ADMIN
	allow uid $USER1 use $vf managed
END
fake_loader <<-END
	#!/bin/sh
	exec $bin/vfiobroker-policy "\$@"
END
# A broker that is in groups, and has an environment.
broker_under=(env LD_LIBRARY_PATH=/nonexistent setpriv "--groups=62001,62002")
broker_start --sysroot "$fake" --policy-program "$dir/loader" --policy-timeout 2
broker_under=()
check_equal yes "$(may $USER1)" "with another loader the policy is loaded"

# Where the files are root's alone it can read them, but has nothing left of that
# when it looks into them.
fake_loader <<-END
	#!/bin/sh
	LD_PRELOAD=$bin/names exec $bin/vfiobroker-policy "\$@"
END
printf 'admin uid %s\nallow user whoever use %s managed\n' $ADMIN $vf >"$policy_conf"
chmod 600 "$policy_conf"
chmod 700 "${policy_conf%/*}"
loads_by_names() {
	reload
	log_news >"$out"
	check_says '^vfiobrokerd: policy loaded$' "files for nobody but root"
	check_says '^names: /etc/shadow is closed$' "no other file can be read where names are looked up"
	check_says '^names: memory 1073741824 1073741824$' "there is not much memory"
	check_says '^names: seconds 60 60$' "nor time"
	check_says '^names: descriptors 256 256$' "nor many descriptors"
	check_says '^names: core 0 0$' "nothing of it is dumped"
	check_says '^names: dumpable 0, ends by 9$' "nobody of its user looks in, and it ends with the monitor"
	check_equal 4 "$(grep -cE '^names: Cap(Inh|Prm|Eff|Amb):\s0+$' "$out")" "no capability is left there"
}
loads_by_names
chmod 755 "${policy_conf%/*}"
check_equal yes "$(may $USER1)" "they are the policy"
policy <<-END
	admin uid $ADMIN
	allow uid $USER1 use $vf managed
END

# What it is when it is executed.
fake_loader <<-END
	#!/bin/sh
	# Builtins only: a process more would be seen as well.
	while read -r line; do echo "\$line" >&2; done </proc/\$\$/status
	read -r environ </proc/\$\$/environ
	echo "environment: '\$environ'" >&2
	for fd in 0 1 2 3 4 5 6 7 8 9; do
		[ ! -e /proc/\$\$/fd/\$fd ] || echo "fd \$fd" >&2
	done
	exec cat
END
reload
log_news >"$out"
nobody=$(id -u nobody) nogroup=$(id -g nobody)
check_says "^Uid:\s$nobody\s$nobody\s$nobody\s$nobody$" "it is not root"
check_says "^Gid:\s$nogroup\s$nogroup\s$nogroup\s$nogroup$" "nor in root's group"
check_says '^Groups:\s*$' "nor in any other"
check_says "^environment: ''$" "its environment is empty"
check_says '^NoNewPrivs:\s1$' "and gains nothing by executing"
# CAP_DAC_READ_SEARCH, for files that are root's alone.
for set in Inh Prm Eff Amb; do
	check_says "^Cap$set:\s0+4$" "it can read what others can not, and no more ($set)"
done
# The shell has its script open as 10 or above.
check_equal "fd 0 fd 1 fd 2" "$(grep -E '^fd .$' "$out" | paste -sd' ')" "and three descriptors"
check_equal 1 "$(log_news | grep -c 'policy not loaded: .*nonsense; the running one stays$')" "nothing is no answer"

fake_loader <<-END
	#!/bin/sh
	exec sleep 1000
END
rejects "a loader that hangs" 'policy not loaded: .*took too long and was killed.*NSS'
wait_for "and is gone" quiet 0
fake_loader <<-END
	#!/bin/sh
	kill -SEGV \$\$
END
rejects "a loader that crashes" 'policy not loaded: .*not answered'
fake_loader <<-END
	#!/bin/sh
	exec head -c 100000 /dev/urandom
END
rejects "a loader that writes garbage" 'policy not loaded: .*nonsense'
fake_loader <<-END
	#!/bin/sh
	exec head -c 1000000000 /dev/zero
END
rejects "a loader that does not stop" 'policy not loaded: File too large'
rm "$dir/loader"
rejects "a loader that is not there" "cannot execute $dir/loader: No such file"
broker_stop

fake_loader <<-END
	#!/bin/sh
	exec sleep 1000
END
broker_start --sysroot "$fake" --policy-program "$dir/loader" --policy-timeout 2
log_news >"$out"
check_says 'until it is mended nothing is allowed$' "a loader that hangs at the start does not stop it"
check_equal no "$(may $USER1)" "and nothing is given out"
fake_loader <<-END
	#!/bin/sh
	exec $bin/vfiobroker-policy "\$@"
END
reload
check_equal yes "$(may $USER1)" "until it is mended"
broker_stop
