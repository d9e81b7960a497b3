#!/bin/bash
. "$(dirname "${BASH_SOURCE[0]}")/../scenario.sh"
check "fails" ls /nonexistent
check_not "cnf is no failure" nosuchcommand
check_exit 2 "two" sh -c 'exit 2'
check_exit 2 "three" sh -c 'exit 3'
check_match foo "foo" echo bar
echo hello beside
modprobe vfio-pci
echo vfio-pci >"$sys/$VF/driver_override"; echo "$VF" >"$sys/$VF/driver/unbind"; echo "$VF" >/sys/bus/pci/drivers_probe
mount /dev/nvme0n1 /mnt
policy <<P
# new
P
broker_start
wait_for 1 "never" false
