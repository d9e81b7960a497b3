#!/bin/bash
# explain: what it says is what acquire does. Random policies, each asked about by
# explain and then for real, must give the same exit status, also where the host is in
# the way; and the language's words that need a machine: expect, slot, class, group-of,
# count, limit. SEED=N has other policies.
# shellcheck source-path=SCRIPTDIR source=../scenario.sh
. "$(dirname "${BASH_SOURCE[0]}")/../scenario.sh"

V2=0000:01:10.2
V3=0000:01:10.4
A=${SHARED[0]}
chmod 755 "$scenario_tmp" /run/lab
loads=0
# use: standard input becomes the running policy.
use() {
	policy
	kill -HUP "$broker_pid"
	loads=$((loads + 1))
	poll 30 loaded || fail "the policy is loaded"
}
loaded() {
	[ "$(grep -c 'policy loaded' "$broker_log")" -gt "$loads" ]
}
take() {
	local user=$1
	shift
	as "$user" vfiobroker exec --no-wait "$@" -- true
}
home() {
	! compgen -G '/run/vfiobroker/devices/*' >/dev/null
}
# Those without a reset of their own end in quarantine, some time after their lease.
home_or_recovered() {
	home && return
	vfiobroker list --json | jq -r '.devices[] | select(.state == "quarantined") | .bdf' |
		xargs -r -n1 vfiobroker recover
	return 1
}
settle() {
	poll 30 home_or_recovered || fail "all devices come home"
}

policy </dev/null
broker_start || exit

# ---- the words that need a machine
use <<-END
	allow user alice use $VF managed expect 8086:10ca
	allow user bob use $VF managed expect 10de:2684
	pool vfs { vf-of $PF expect 8086:10ca }
	allow group vms use slot 0000:01:11 managed
	allow user mallory use pool vfs managed count 1
	allow user mallory use class 0108 managed
	deny user mallory use $V3
	limit user alice leases 1
	admin user bob
END
check "expect holds" take alice --device "$VF"
settle
check_exit 77 "expect fails: another card sits there" take bob --device "$VF"
check_match '10de:2684|8086:10ca' "and both are named" take bob --device "$VF"
check "a group's slot" take bob --device 0000:01:11.0
settle
check "a pool of VFs" take mallory --device "$V2"
settle
check_exit 77 "two of them are more than count 1" take mallory --device "$V2" --device "$VF"
check_exit 77 "deny beats the pool" take mallory --device "$V3"
mkfifo -m 666 "$scenario_tmp/hold"
spawn alice "$scenario_tmp/holder.log" vfiobroker exec --device "$VF" -- \
	sh -c "read x <$scenario_tmp/hold"
poll 20 grep -qs '^step leased' "/run/vfiobroker/devices/$VF"
check_exit 75 "a limit of one lease" take alice --device "$VF"
check_match 'limit user alice leases 1' "is named with its line" take alice --device "$VF"
echo >"$scenario_tmp/hold"
settle

# ---- explain itself
check_match "$VF" "explain names the device" as alice vfiobroker explain --device "$VF"
check_match 'policy.conf:1: allow user alice' "and the deciding line" \
	as alice vfiobroker explain --device "$VF"
check_match 'driver_override' "and the steps" as alice vfiobroker explain --device "$VF"
check_match 'limit user alice leases 1: in force' "and the limits" as alice vfiobroker explain --device "$VF"
check_match "use $V2" "or the line to add" as alice vfiobroker explain --device "$V2"
check_exit 77 "its status is the refusal's" as alice vfiobroker explain --device "$V2"
check_exit 77 "not about others" as alice vfiobroker explain --device "$VF" --user mallory
check_exit 0 "but an administrator may" as bob vfiobroker explain --device "$V2" --user mallory
check_match '"steps": ?\[' "as JSON" as alice vfiobroker explain --device "$VF" --json
check_match 'allow user alice' "policy show prints what runs" as bob vfiobroker policy show
check_exit 77 "to administrators" as alice vfiobroker policy show
check_match "$A" "siblings are named" as bob vfiobroker explain --device "${SHARED[1]}" --user alice

# ---- the same answer as the real thing
cat >"$scenario_tmp/lines.py" <<'END'
import random, sys
r = random.Random(int(sys.argv[1]))
users = ["user alice", "user bob", "group vms", "any", "uid 1002"]
things = ["0000:01:10.0", "0000:01:10.2", "vf-of 0000:01:00.0", "class 0200",
          "id 8086:10ca", "slot 0000:01:10", "0000:00:06.0", "pool some",
          "group-of 0000:03:01.0", "all"]
print("pool some { 0000:01:10.0 0000:02:00.0 }")
for _ in range(r.randint(1, 4)):
    line = "allow %s use %s" % (r.choice(users), r.choice(things))
    for option in (" managed", " managed", " memlock 64M", " siblings take",
                   " count 1", " expect 8086:10ca", " reset none"):
        if r.random() < 0.35 and option not in line:
            line += option
    print(line)
if r.random() < 0.4:
    print("deny %s use %s" % (r.choice(users), r.choice(things[:-1])))
if r.random() < 0.3:
    print("limit %s devices %d" % (r.choice(users), r.randint(0, 2)))
if r.random() < 0.5:
    print("allow any use %s managed reset none" % r.choice(["0000:02:00.0", "0000:01:00.0"]))
if r.random() < 0.4:
    print("tolerate net-address on 0000:02:00.0")
END
# The NIC has an address, the PF has VFs, and only the first may be tolerated.
nic_up() {
	local net
	net=$(net_of "$NIC")
	ip link set "$net" up && ip addr replace 192.0.2.1/24 dev "$net"
}
seed=${SEED:-1}
asked=0 granted=0 differ=0 in_use=0
nic_up
for i in $(seq 12); do
	python3 "$scenario_tmp/lines.py" "$((seed + i))" | use
	for user in alice bob mallory; do
		for device in "$VF" "$A" "$NIC" "$PF"; do
			as "$user" vfiobroker explain --device "$device" >"$scenario_tmp/said" 2>&1
			said=$?
			take "$user" --device "$device" >"$scenario_tmp/did" 2>&1 </dev/null
			did=$?
			asked=$((asked + 1))
			[ "$did" != 0 ] || granted=$((granted + 1))
			! grep -q 'the host needs' "$scenario_tmp/did" || in_use=$((in_use + 1))
			if [ "$said" != "$did" ]; then
				differ=$((differ + 1))
				cat /etc/vfiobroker/policy.conf "$scenario_tmp"/{said,did} >"$scenario_out"
				fail "explain and acquire agree" "seed $seed, $user, $device: $said, $did"
			fi
			[ "$did" != 0 ] || settle
			[ "$did $device" != "0 $NIC" ] || poll 10 nic_up || fail "the NIC is up again"
		done
	done
done
echo "seed $seed: $asked questions, $granted granted, $in_use refused for the host," \
	"$differ answered differently"
check "explain equals acquire on random policies" test "$differ" = 0
check "and both ways were asked" test "$granted" -gt 0 -a "$granted" -lt "$asked"
check "the host's reasons too" test "$in_use" -gt 0
ip addr flush dev "$(net_of "$NIC")"
ip link set "$(net_of "$NIC")" down
use </dev/null
settle
broker_stop
rm -rf /run/vfiobroker
