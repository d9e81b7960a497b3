#!/bin/bash
# memlock: the limit of locked memory of a lease is raised later, for the manager and
# for a process of its own, upward only, within the policy, and for nobody else.
# shellcheck source-path=SCRIPTDIR source=../scenario.sh
. "$(dirname "${BASH_SOURCE[0]}")/../scenario.sh"

chmod 755 "$scenario_tmp" /run/lab
V2=0000:01:10.2
policy <<-END
	allow user alice use vf-of $PF managed memlock 1G
END
broker_start || exit
as alice /lab/build/tests/lab_memlock "$VF" >"$scenario_tmp/said" 2>&1
said() {
	grep -E -e "$1" "$scenario_tmp/said" || { cat "$scenario_tmp/said"; return 1; }
}
check "with the lease" said '^acquire: 0, 64 MiB$'
check "more, later" said '^more: 0, 128 MiB$'
check "never less" said '^less: 0, 128 MiB$'
check "for a process of one's own" said '^child: 0, 256 MiB$'
check "not over the policy's ceiling" said '^too much: 77, 128 MiB: .*'
check "which is named" said '1G'
check "not for a stranger's process" said '^stranger: 77, 128 MiB: .*'
check "not without a lease" said '^no lease: 66, '
home() {
	[ "$(driver_of "$1")" = igbvf ] && ! [ -e "/run/vfiobroker/devices/$1" ]
}
wait_for 20 "home" home "$VF"

# What all leases of a user may lock together.
policy <<-END
	allow user alice use vf-of $PF managed memlock 1G
	limit user alice memlock 300M
END
kill -HUP "$broker_pid"
twice() {
	[ "$(grep -c 'policy loaded' "$broker_log")" = 2 ]
}
wait_for 10 "a limit is loaded" twice
as alice /lab/build/tests/lab_memlock "$VF" >"$scenario_tmp/said" 2>&1
check "within it a lease is raised" said '^child: 0, 256 MiB$'
check "over it, not" said '^too much: 7[57], 128 MiB: .*'
wait_for 20 "home" home "$VF"
spawn alice "$scenario_tmp/holder.log" vfiobroker exec --device "$VF" --memlock 200M -- sleep 1000
holder=$spawned
wait_for 20 "200 MiB are in use" grep -qs '^step leased' "/run/vfiobroker/devices/$VF"
second() {
	as alice vfiobroker exec --device "$V2" --memlock "$1" -- sh -c 'ulimit -l'
}
check_exit 75 "a second lease over the sum is refused" second 200M
check_match 'limit user alice memlock 300M' "by the line that is named" second 200M
check_match '^102400$' "one within the sum is given" second 100M
wait_for 20 "home" home "$V2"
as alice /lab/build/tests/lab_memlock "$V2" >"$scenario_tmp/said" 2>&1
check "beside the first the second begins" said '^acquire: 0, 64 MiB$'
check "but is not raised over the sum" said '^more: 75, 64 MiB: .*memlock 300M'
kill -9 "$holder"
wait_for 20 "all is home" home "$VF"
wait_for 20 "all of it" home "$V2"
broker_stop
rm -rf /run/vfiobroker
