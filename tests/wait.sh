# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
# Waiting for what comes about by itself. Sourced by the suites and the testbeds.

# wait_for SECONDS COMMAND...: until it succeeds
wait_for() {
    local end=$((SECONDS + $1))
    shift
    until "$@" >/dev/null 2>&1; do
        [ $SECONDS -lt $end ] || return 1
        sleep 0.1
    done
}

# answers ADDRESS: it replies to a ping
answers() {
    ping -q -c 1 -W 1 "$1"
}
