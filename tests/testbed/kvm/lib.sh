# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash disable=SC2154 # the orders' names
# What the scenarios of this testbed share. A scenario is a script that sources this on the KVM host and
# calls check "what" COMMAND... for each thing to be seen; the first that fails ends it. What it started
# is ended when it exits.

export BUSYBOX=$GUESTS/busybox-amd64
. "$HERE/../check.sh"
. "$HERE/../ask.sh"
. "$HERE/guests.sh"
tmp=$(mktemp -d /run/scenario.XXXXXX)
trap 'cleanup' EXIT
trap 'exit 1' INT TERM

cleanup() {
    local status=$? job
    [ $status = 0 ] || keep_logs
    stop_testbed
    for job in $(jobs -p); do
        kill "$job" 2>/dev/null
    done
    rm -rf "$tmp"
}

# What explains a failure goes to the scenario's log; whole files go to the machine outside.
keep_logs() {
    local file
    for file in "$tmp"/*.log; do
        [ -s "$file" ] || continue
        echo "--- the end of ${file##*/}:"
        tail -n 60 "$file"
        cp "$file" "$SHARE/logs/$SCENARIO.${file##*/}"
    done
}
