#!/bin/bash
. "$(dirname "${BASH_SOURCE[0]}")/../scenario.sh"
exit 3
