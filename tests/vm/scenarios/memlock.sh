#!/bin/bash
# memlock: the limit of locked memory of a lease is raised later, for the manager and
# for a process of its own, upward only, within the policy, and for nobody else.
# shellcheck source-path=SCRIPTDIR source=../scenario.sh
. "$(dirname "${BASH_SOURCE[0]}")/../scenario.sh"

chmod 755 "$scenario_tmp" /run/lab
policy <<-END
	allow user alice use $VF managed memlock 1G
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
	[ "$(driver_of "$VF")" = igbvf ] && ! [ -e "/run/vfiobroker/devices/$VF" ]
}
wait_for 20 "home" home
broker_stop
rm -rf /run/vfiobroker
