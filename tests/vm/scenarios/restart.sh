#!/bin/bash
# restart: the broker may die, be stopped or be replaced under running leases. They
# go on, are found again, and end as ever.
# shellcheck source-path=SCRIPTDIR source=../scenario.sh
. "$(dirname "${BASH_SOURCE[0]}")/../scenario.sh"

V2=0000:01:10.2
V3=0000:01:10.4
chmod 755 "$scenario_tmp" /run/lab
lines() {
	cat <<-END
		allow user alice use vf-of $PF managed memlock 1G count 7
		allow user mallory use $V3 managed memlock 1G
		admin user bob
	END
}
lines | policy
# reload: and wait until it has been read.
reload() {
	local before
	before=$(grep -c 'policy loaded' "$broker_log")
	kill -HUP "$broker_pid"
	poll 10 more_loads "$before" || fail "the policy is reloaded"
}
more_loads() {
	[ "$(grep -c 'policy loaded' "$broker_log")" -gt "$1" ]
}
leased() {
	grep -qs '^step leased' "/run/vfiobroker/devices/$1"
}
home() {
	[ "$(driver_of "$1")" = igbvf ] && ! [ -e "/run/vfiobroker/devices/$1" ] &&
		[ "$(sed 's/^(null)$//' "$sys/$1/driver_override")" = "" ]
}
hold() {
	spawn alice "$scenario_tmp/holder$1.log" vfiobroker exec --device "$1" -- sleep 1000
	holder=$spawned
	poll 20 leased "$1" || fail "alice holds $1"
}
lease_id() {
	as alice vfiobroker status --json | jq -r '.leases[0].id // .leases[0].lease'
}

broker_start || exit
hold "$VF"
id=$(lease_id)
broker_kill
check "the holder lives without a broker" kill -0 "$holder"
check "and has its device" test "$(driver_of "$VF")" = vfio-pci
broker_start
check_match "$VF" "after kill -9 the lease is there" as alice vfiobroker status
check_match "^$id$" "under its number" lease_id
check_exit 75 "and the device is not given twice" \
	as alice vfiobroker exec --device "$VF" --no-wait -- true
kill -9 "$holder"
wait_for 20 "and comes home when its holder ends" home "$VF"

# The holder ends while there is no broker.
hold "$VF"
hold "$V2"
broker_kill
kill -9 "$holder"
broker_start
wait_for 20 "what ended meanwhile is brought home" home "$V2"
check "what lives is kept" leased "$VF"

# A polite stop is no different.
broker_stop
check "leases outlive a stop" test "$(driver_of "$VF")" = vfio-pci
broker_start
check "and are there again" leased "$VF"

# A new number is never an old one.
id=$(lease_id)
hold "$V2"
check_match '^2$' "two leases now" sh -c \
	"runuser -u alice -- vfiobroker status --json | jq '.leases | length'"
check_not "with different numbers" sh -c \
	"runuser -u alice -- vfiobroker status --json | jq -e '[.leases[].id] | unique | length == 1'"

# Another user knows the number. To him it is none: he hears what a number that never
# was gets, though he may have what he asks for in a lease of his own.
steal() {
	as mallory /lab/build/tests/lab_steal "$1" "$V3" "$(group_of "$VF")" \
		>"$scenario_tmp/said.$1"
	grep -E -e "$2" "$scenario_tmp/said.$1" || { cat "$scenario_tmp/said.$1"; return 1; }
}
cp "/run/vfiobroker/leases/$id" "$scenario_tmp/lease"
for word in memlock add group release; do
	check "mallory, with alice's number: $word" \
		steal "$id" "^$word: 66: you have no lease $id "
done
check "nothing is gained" steal "$id" '^gained: $'
check "the same is said of no lease" steal 424242 '^add: 66: you have no lease 424242 '
check "word for word" diff <(sed "s/$id/424242/" "$scenario_tmp/said.$id") \
	"$scenario_tmp/said.424242"
check "the lease is as it was" diff "$scenario_tmp/lease" "/run/vfiobroker/leases/$id"
check "his device has not been moved" home "$V3"
check "which he may have" as mallory vfiobroker exec --device "$V3" --memlock 64M -- true
wait_for 20 "it goes home" home "$V3"

# A policy that allows nothing any more: what is lent is lent.
policy </dev/null
reload
check "a holder outlives a reload" kill -0 "$holder"
check "with its lease" leased "$V2"
check_match "$V2" "which is listed" as alice vfiobroker status
check_exit 77 "but nothing new is given" \
	as alice vfiobroker exec --device "$V3" --no-wait -- true
kill -9 "$holder"
wait_for 20 "and what comes back goes home" home "$V2"
lines | policy
reload
hold "$V2"

# Released by number: the lease is over, the holder is asked to believe it.
check "a lease is released by number" as alice vfiobroker release "$id"
check_exit 66 "but only once" as alice vfiobroker release "$id"
check_exit 66 "and not by another" as mallory vfiobroker release "$(lease_id)"
pkill -9 -u alice sleep
wait_for 20 "all is home" home "$VF"
wait_for 20 "all of it" home "$V2"

# Files that a broker can not believe.
broker_stop
printf 'garbage' >"/run/vfiobroker/devices/$VF"
printf 'vfiobroker-device 1\nbdf %s\n' "$V2" >"/run/vfiobroker/devices/$V2"
echo junk >/run/vfiobroker/devices/README
echo junk >/run/vfiobroker/leases/77
broker_start
check_match 'quarantined' "an unreadable record means quarantine" vfiobroker show "$VF"
check_match 'quarantined' "a truncated one too" vfiobroker show "$V2"
check_exit 75 "nobody gets such a device" \
	as alice vfiobroker exec --device "$VF" --no-wait -- true
check_exit 77 "alice may not clear it" as alice vfiobroker recover "$VF"
check "an administrator may" as bob vfiobroker recover "$VF"
check "and the other" as bob vfiobroker recover "$V2"
wait_for 20 "home and usable" home "$VF"
wait_for 20 "both" home "$V2"
check "the device is given again" as alice vfiobroker exec --device "$VF" -- true
wait_for 20 "and home" home "$VF"
check_not "the junk lease is gone" test -e /run/vfiobroker/leases/77

check_exit 73 "a second broker is refused" /usr/sbin/vfiobrokerd --socket /run/lab/second.sock
broker_stop
rm -rf /run/vfiobroker
