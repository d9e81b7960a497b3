#!/bin/bash
# group: the IOMMU group is given out whole or not at all. Two NICs share one with
# their bridge.
# shellcheck source-path=SCRIPTDIR source=../scenario.sh
. "$(dirname "${BASH_SOURCE[0]}")/../scenario.sh"

A=${SHARED[0]} B=${SHARED[1]}
on() {
	[ "$(driver_of "$A")" = "$1" ] && [ "$(driver_of "$B")" = "${2-$1}" ]
}
settled() {
	on e1000 && ! compgen -G "/run/vfiobroker/devices/*" >/dev/null
}

lines() {
	cat <<-END
		allow user alice use $A managed reset none
		allow user bob use $A managed reset none siblings take
		allow user bob use $B managed reset none
		allow user mallory use $BRIDGE managed
		allow user mallory use $B managed reset none siblings take
	END
}
loads=0
# reload: the lines and standard input become the running policy.
reload() {
	{ lines; cat; } | policy
	loads=$((loads + 1))
	kill -HUP "$broker_pid"
	poll 10 loaded || fail "the policy is reloaded"
}
loaded() {
	[ "$(grep -c 'policy loaded' "$broker_log")" -gt "$loads" ]
}
take() {
	as "$1" vfiobroker exec --device "$2" --no-wait -- true
}

lines | policy
broker_start || exit
group=$(group_of "$A")

check_exit 77 "half a group is refused" as alice vfiobroker exec --device "$A" -- true
check_match "group \($group\) with $B, which the host uses by e1000" \
	"the sibling and its driver are named" as alice vfiobroker exec --device "$A" -- true
check_match "siblings take" "and what would mend it" \
	as alice vfiobroker exec --device "$A" -- true
check "nothing was moved" on e1000

check_match "^vfio-pci vfio-pci$" "with siblings take the sibling is bound too" \
	as bob vfiobroker exec --device "$A" -- \
	sh -c "echo \$(basename \$(readlink $sys/$A/driver)) \$(basename \$(readlink $sys/$B/driver))"
wait_for 20 "both go home" settled

# shellcheck disable=SC2016 # the inner shell's
check_match "group-$group$|group-$group:|group-$group " "both by name: one group fd" \
	as bob vfiobroker exec --device "$A" --device "$B" -- sh -c 'echo "$LISTEN_FDNAMES"'
wait_for 20 "both go home again" settled

mkfifo -m 666 "$scenario_tmp/hold"
chmod 755 "$scenario_tmp" /run/lab
spawn bob "$scenario_tmp/holder.log" vfiobroker exec --device "$A" -- \
	sh -c "read x <$scenario_tmp/hold"
holder=$spawned
wait_for 15 "bob holds one" grep -q '^step leased' "/run/vfiobroker/devices/$A"
check_exit 75 "nobody else gets the other: two leases never share a group" take mallory "$B"
check_match "$B is held by .*bob.*pid $holder" "and hears who has it" take mallory "$B"
check "the sibling is in the lease" grep -q '^step leased' "/run/vfiobroker/devices/$B"
check_match "$B" "and status says so" as bob vfiobroker status
echo >"$scenario_tmp/hold"
wait_for 20 "home" settled

# What is against the sibling is against the request.
explained() {
	as bob vfiobroker explain --device "$A"
}
check_match "unbind $B from e1000" "explain has the sibling's steps" explained
check_match "put back for $B: driver e1000" "all of them" explained
net=$(net_of "$B")
# QEMU's router would make it the IPv6 default route some time later.
echo 0 >"/proc/sys/net/ipv6/conf/$net/accept_ra"
ip link set "$net" up
ip addr add 192.0.2.7/24 dev "$net"
check_exit 77 "a sibling whose address the host uses is not taken along" take bob "$A"
check_match "the host needs $B: NET_ADDRESS" "it is named" take bob "$A"
check_match "tolerate net-address on $B" "and the line that lifts it" take bob "$A"
check_exit 77 "explain says so too" explained
check "nothing was moved" on e1000
reload <<-END
	tolerate net-address on $B
END
check "with that line it is" take bob "$A"
wait_for 20 "and both come home" settled
reload <<-END
	deny user bob use $B
END
check_exit 77 "a sibling that a line denies is not taken along" take bob "$A"
check_match "$B would come along in IOMMU group $group" "which is said" take bob "$A"
check "nothing was moved" on e1000
reload </dev/null

check_exit 77 "a bridge is never given" as mallory vfiobroker exec --device "$BRIDGE" -- true
check_match 'NOT_ENDPOINT' "and why" as mallory vfiobroker exec --device "$BRIDGE" -- true

# A driverless sibling stands in nobody's way.
echo "$B" >"$sys/$B/driver/unbind"
check "a sibling without driver is no obstacle" as alice vfiobroker exec --device "$A" -- true
wait_for 20 "home, the sibling as it was" on e1000 none
spawn alice "$scenario_tmp/holder.log" vfiobroker exec --device "$A" -- \
	sh -c "read x <$scenario_tmp/hold"
holder=$spawned
wait_for 15 "alice holds one alone" grep -q '^step leased' "/run/vfiobroker/devices/$A"
check_exit 75 "the other is not given for it" take mallory "$B"
check_match "$A is leased\$" "and that is said" take mallory "$B"
check_not "but not by whom: she may not use it" sh -c \
	"setpriv --reuid=mallory --regid=mallory --init-groups vfiobroker exec --device $B \
	--no-wait -- true 2>&1 | grep -E 'alice|pid $holder'"
check_match "$A is held by .*alice.*pid $holder" "to bob, who may, it is" take bob "$B"
echo >"$scenario_tmp/hold"
wait_for 20 "home again" on e1000 none
echo "$B" >/sys/bus/pci/drivers_probe
wait_for 20 "all as before" settled
broker_stop
rm -rf /run/vfiobroker
