#!/bin/bash
# faults: the broker is killed with SIGKILL at every record write and every step of a
# worker, at the lease's file and at the grant, of a plain cycle: a device is claimed,
# leased, released and restored. It is started again each time, and each device must
# come home: its driver, no override, no record, no lease. What lies beside the plain
# cycle is in faults-more, the same with devices in use in faults-held.
# shellcheck source-path=SCRIPTDIR source=../tools/faults.sh
. "$(dirname "${BASH_SOURCE[0]}")/../tools/faults.sh"

[ -x "$faulty" ] || {
	fail "there is a broker with fault points" "make faults"
	exit
}
policy <<-END
	allow user alice use $VF managed
	allow user alice use $EDU managed
END
all_deaths plain
# This kernel has no cdevs: their rebind is for the scenario faults-cdev.
check "every point of the build is visited by some cycle, and none beside" \
	diff <(grep -v ':rebind-' "$scenario_tmp/points") "$scenario_tmp/visited"
check "there are at least 40" [ "$(wc -l <"$scenario_tmp/points")" -ge 40 ]

broker_start || exit
check "a normal cycle after all that" as alice vfiobroker exec --device "$VF" -- true
wait_for 20 "home" all_home
broker_stop
rm -rf /run/vfiobroker
