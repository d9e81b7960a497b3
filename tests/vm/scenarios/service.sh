#!/bin/bash
# service: the units as they are installed. The socket starts the broker, a restart
# changes nothing for who holds a lease, and the hardening leaves it able to work.
# shellcheck source-path=SCRIPTDIR source=../scenario.sh
. "$(dirname "${BASH_SOURCE[0]}")/../scenario.sh"

policy <<-END
	allow user alice use $VF managed memlock 1G
	allow user alice use $NVME managed
END
home() {
	[ "$(driver_of "$VF")" = igbvf ] && ! [ -e "/run/vfiobroker/devices/$VF" ]
}
leased() {
	grep -qs '^step leased' "/run/vfiobroker/devices/$VF"
}

check "the socket unit starts" systemctl start vfiobrokerd.socket
check_not "the broker is not running yet" systemctl -q is-active vfiobrokerd.service
check_match "$VF" "the first client starts it" as alice vfiobroker list
check_match '^backends +group$' "with the backend that this kernel has" as alice vfiobroker status
check "as JSON too" sh -c \
	"runuser -u alice -- vfiobroker status --json | jq -e '.vfio and .backends.group'"
check "now it is" systemctl -q is-active vfiobrokerd.service
check_match '^524288$' "it can do all it has to" \
	as alice vfiobroker exec --device "$VF" --memlock 512M -- sh -c 'ulimit -l'
wait_for 20 "the device goes home" home
check_match "the host needs $NVME: MOUNTED: .* on /srv" "its guard sees the host's mounts" \
	as alice vfiobroker exec --device "$NVME" -- true

spawn alice "$scenario_tmp/holder.log" vfiobroker exec --device "$VF" -- sleep 1000
holder=$spawned
wait_for 15 "alice holds it" leased
check "the service is restarted" systemctl restart vfiobrokerd.service
check "the holder lives" kill -0 "$holder"
check_match "$VF" "and has its lease" as alice vfiobroker status
systemctl kill -s KILL vfiobrokerd.service
check_match "$VF" "after kill -9 the next client finds it too" sh -c \
	"for i in \$(seq 100); do runuser -u alice -- vfiobroker status && exit; sleep 0.1; done"
check "reload works" systemctl reload vfiobrokerd.service
kill -9 "$holder"
wait_for 20 "home at the end" home
session_of() {
	pgrep -u vfiobroker -f vfiobroker-session | head -1
}
check_match '^Seccomp:\s+2$' "sessions have a filter" sh -c "cat /proc/$(session_of)/status"
check_match '^CapEff:\s+0+$' "and no capability" sh -c "cat /proc/$(session_of)/status"
check_match '^0$' "and nothing to see" sh -c "ls -A /proc/$(session_of)/root/ | wc -l"
systemctl stop vfiobrokerd.service vfiobrokerd.socket
check_exit 69 "stopped, clients are told" as alice vfiobroker list
rm -rf /run/vfiobroker
