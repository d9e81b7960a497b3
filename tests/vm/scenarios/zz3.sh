#!/bin/bash
. "$(dirname "${BASH_SOURCE[0]}")/../scenario.sh"
check "home" [ "$(driver_of $VF)" = igbvf ]
check_match "# orig" "policy restored" cat /etc/vfiobroker/policy.conf
check "user" id vfiobroker
check "unit" systemctl cat vfiobrokerd
check "unmounted" sh -c '! grep -q /mnt /proc/mounts'
broker_start; check "starts" broker_listens
check "log" broker_log_match '^listening'
broker_kill; check_not "killed" kill -0 "$broker_pid"
broker_start; check "starts again" broker_listens
broker_stop; check_not "stopped" broker_listens
spawn alice /run/lab/x sleep 100; check_match '^sleep' "pid is the command's" cat /proc/$spawned/comm
check_match 1000 "as alice" stat -c %u /proc/$spawned
kill $spawned
systemctl start vfiobrokerd; wait_for 10 listens broker_listens; systemctl stop vfiobrokerd
