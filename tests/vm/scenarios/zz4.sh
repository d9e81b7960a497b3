#!/bin/bash
# lab: alone
. "$(dirname "${BASH_SOURCE[0]}")/../scenario.sh"
check "ok" true
echo c > /proc/sysrq-trigger
