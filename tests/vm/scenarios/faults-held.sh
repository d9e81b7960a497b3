#!/bin/bash
# faults-held: the deaths of faults and faults-more, while another device is in use all
# the time by a holder that opened it as a VMM does, and with clients that hold what
# they were granted. After each death the holders still have their leases and their
# devices; these come home when the holders end, and not before.
# shellcheck source-path=SCRIPTDIR source=../tools/faults.sh
. "$(dirname "${BASH_SOURCE[0]}")/../tools/faults.sh"

V2=0000:01:10.2
[ -x "$faulty" ] || {
	fail "there is a broker with fault points" "make faults"
	exit
}
policy <<-END
	allow user alice use $VF managed
	allow user alice use $EDU managed
	allow user bob use $V2 managed
END
kinds=(plain quarantine ask holders) # not start: nobody is in it who could hold
mkfifo "$scenario_tmp/ask"
answers() {
	[ "$(grep -c '^[a-z]* 8086:10ca$' "$scenario_tmp/keeper.log")" = "$1" ]
}

disarm
start
exec {ask}<>"$scenario_tmp/ask"
setpriv --reuid=bob --regid=bob --init-groups vfiobroker exec --device "$V2" -- \
	"$(dirname "${BASH_SOURCE[0]}")/../tools/vfio-hold" "$V2" <&"$ask" >"$scenario_tmp/keeper.log" 2>&1 &
keeper=$!
wait_for 30 "a holder uses a device" answers 1
keeper_id=$(lease_of "$V2")
stop

all_deaths plain quarantine ask holders
check "clients kept their leases too ($kept)" [ "$kept" -gt 0 ]
echo >&"$ask"
wait_for 10 "the holder still uses its device" answers 2

broker_start || exit
check_match '"leased"' "after all that it is leased" vfiobroker show "$V2" --json
kill -KILL "$keeper"
wait "$keeper" 2>/dev/null
keeper=
wait_for 20 "it comes home when its holder ends" home "$V2" igbvf
wait_for 20 "and all is home" all_home
broker_stop
rm -rf /run/vfiobroker
