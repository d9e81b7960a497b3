#!/bin/bash
# faults-cdev: as the scenario faults, for a device that is lent as a cdev, where the
# proof that nobody has it is a rebind. It needs the lab's own kernel.
# lab: alone --kernel iommufd
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
kinds=(cdev cdevholders)
all_deaths cdev cdevholders
check "every point of the rebind is visited" \
	diff <(grep ':rebind-' "$scenario_tmp/points") <(grep ':rebind-' "$scenario_tmp/visited")

broker_start || exit
check "a normal cycle after all that" \
	as alice vfiobroker exec --iommufd --device "$VF" -- true
wait_for 20 "home" all_home
broker_stop
rm -rf /run/vfiobroker
