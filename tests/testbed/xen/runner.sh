#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Inside dom0: runs the ordered scenarios one after the other, or one script. Progress goes to the
# share, a line an event: "begin NAME", "ok NAME SECONDS", "FAILED NAME SECONDS WHY".
. /run/testbed/orders
export HERE ROOT BUILD GUESTS KERNEL
share=/run/testbed
mkdir -p $share/logs

say() {
    echo "$*" >>$share/progress
}

# What a scenario left behind, if anything.
leftovers() {
    local domains processes
    domains=$(timeout 20 xl list 2>&1 | awk 'NR > 1 && $1 != "Domain-0" { print $1 }')
    processes=$(pgrep -l 'coopvmm|qemu-system|xen-qemu' | tr '\n' ' ')
    echo $domains $processes
}

# Ends it, so that the next one starts from nothing.
clean_up() {
    local id
    pkill -TERM coopvmm
    for id in $(timeout 20 xl list 2>/dev/null | awk 'NR > 1 && $2 != 0 { print $2 }'); do
        timeout 20 xl destroy "$id"
    done
    sleep 1
    pkill -KILL 'coopvmm|qemu-system|xen-qemu'
}

limit_of() {
    local own
    own=$(sed -n 's/^# limit: \([0-9]*\) s.*/\1/p' "$1")
    echo "${own:-120}"
}

scenario() {
    local file=$1 name begin=$SECONDS limit status why='' left
    name=$(basename "$file" .sh)
    limit=$(limit_of "$file")
    local log=$share/logs/$name.log
    say "begin $name"
    SCENARIO=$name timeout -k 10 "$limit" bash "$file" </dev/null >"$log" 2>&1
    status=$?
    case $status in
    0) grep -q '^ok - ' "$log" || why="it checked nothing" ;;
    124 | 137) why="not done after $limit s" ;;
    *) why=$(grep '^not ok - ' "$log" | tail -n 1) why=${why:-exit status $status} ;;
    esac
    left=$(leftovers)
    if [ -n "$left" ]; then
        why="${why:+$why; }it left behind: $left"
        clean_up >>"$log" 2>&1
    fi
    if [ -z "$why" ]; then
        say "ok $name $((SECONDS - begin))"
    else
        say "FAILED $name $((SECONDS - begin)) $why"
    fi
}

if [ "$ORDER" = script ]; then
    SCENARIO=script bash "$SCRIPT" </dev/null >$share/logs/script.log 2>&1
    status=$?
    clean_up >/dev/null 2>&1
    exit $status
fi
for file in $SCENARIOS; do
    scenario "$file"
done
say "end"
