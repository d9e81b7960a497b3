#!/bin/bash
# faults-more: as the scenario faults, for what lies beside the plain cycle: the broker
# dies once more while it reconciles what it found, while a device goes to quarantine
# or is asked back, and while a client keeps its group.
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
all_deaths start quarantine ask holders

broker_start || exit
check "a normal cycle after all that" as alice vfiobroker exec --device "$VF" -- true
wait_for 20 "home" all_home
broker_stop
rm -rf /run/vfiobroker
