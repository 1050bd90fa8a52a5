# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
# What the scenarios share. A scenario is a script that sources this inside dom0 and calls
# check "what" COMMAND... for each thing to be seen; the first that fails ends it. What it started is
# ended when it exits.

share=/run/testbed
tmp=$(mktemp -d /run/scenario.XXXXXX)
trap 'cleanup' EXIT
trap 'exit 1' INT TERM

# check "what" COMMAND...
check() {
    local what=$1
    shift
    if "$@" >"$tmp/out" 2>&1; then
        echo "ok - $what"
    else
        echo "not ok - $what: $* (exit $?)"
        tail -n 40 "$tmp/out" | sed 's/^/    /'
        exit 1
    fi
}

# wait_for SECONDS COMMAND...: until it succeeds
wait_for() {
    local end=$((SECONDS + $1))
    shift
    until "$@" >/dev/null 2>&1; do
        [ $SECONDS -lt $end ] || return 1
        sleep 0.2
    done
}

cleanup() {
    local status=$? id job
    for job in $(jobs -p); do
        kill "$job" 2>/dev/null
    done
    for id in $(domains); do
        timeout 20 xl destroy "$id" 2>/dev/null
    done
    [ $status = 0 ] || keep_logs
    rm -rf "$tmp"
}

# What explains a failure goes to the scenario's log.
keep_logs() {
    local file
    for file in /var/log/xen/console/*.log /var/log/xen/qemu-dm-*.log; do
        [ -s "$file" ] || continue
        echo "--- $file:"
        tail -n 30 "$file"
    done
}

# ids of all guests' domains
domains() {
    timeout 20 xl list | awk 'NR > 1 && $2 != 0 { print $2 }'
}
