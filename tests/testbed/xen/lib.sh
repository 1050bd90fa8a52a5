# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
# What the scenarios of this testbed share. A scenario is a script that sources this inside dom0 and calls
# check "what" COMMAND... for each thing to be seen; the first that fails ends it. What it started is
# ended when it exits.

export BUSYBOX=$GUESTS/busybox-amd64
. "$HERE/../check.sh"
. "$HERE/../ask.sh"
. "$HERE/guests.sh"
. "$HERE/testbed.sh"
tmp=$(mktemp -d /run/scenario.XXXXXX)
trap 'cleanup' EXIT
trap 'exit 1' INT TERM

cleanup() {
    local status=$? id job
    [ $status = 0 ] || keep_logs
    stop_testbed
    for job in $(jobs -p); do
        kill "$job" 2>/dev/null
    done
    for id in $(domains); do
        timeout 20 xl destroy "$id" 2>/dev/null
    done
    rm -rf "$tmp" /var/log/xen/console/guest-*.log /var/log/xen/qemu-dm-*.log
}

# What explains a failure goes to the scenario's log; whole files go to the host.
keep_logs() {
    local file
    timeout 20 xl list
    for file in /var/log/xen/console/guest-*.log /var/log/xen/qemu-dm-*.log "$tmp"/*.log; do
        [ -s "$file" ] || continue
        echo "--- the end of ${file##*/}:"
        tail -n 40 "$file"
        cp "$file" "$SHARE/logs/$SCENARIO.${file##*/}"
    done
}
