#!/bin/bash
# faults: the broker is killed with SIGKILL at every record write and every step of a
# worker, at the lease's file and at the grant, in every kind of cycle, with nobody
# left who holds anything. Each time it is started again and each device must come
# home: its driver, no override, no record, no lease. See ../tools/faults.sh.
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
all_deaths

broker_start || exit
check "a normal cycle after all that" as alice vfiobroker exec --device "$VF" -- true
wait_for 20 "home" all_home
broker_stop
rm -rf /run/vfiobroker
