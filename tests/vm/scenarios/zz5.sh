#!/bin/bash
. "$(dirname "${BASH_SOURCE[0]}")/../scenario.sh"
broker_start --die
