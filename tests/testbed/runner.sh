#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Inside the machine: runs the ordered scenarios one after the other, or one script. Progress goes to the
# share, a line an event: "begin NAME", "ok NAME SECONDS", "FAILED NAME SECONDS WHY".
. /run/testbed/orders
export HERE ROOT BUILD GUESTS KERNEL
share=/run/testbed
mkdir -p $share/logs

# What the testbed's scenarios may leave behind: guests that are no processes (other_guests lists,
# end_other_guests ends them), and processes (PROCESSES, for pgrep).
. "$HERE/leftovers.sh"

say() {
    echo "$*" >>$share/progress
}

# A sign of life, another one each time.
(while cut -d' ' -f1 /proc/uptime >$share/alive; do sleep 5; done) &

# What a scenario left behind, if anything.
leftovers() {
    local guests processes
    guests=$(other_guests)
    processes=$(pgrep -l "$PROCESSES" | tr '\n' ' ')
    echo $guests $processes
}

# Ends it, so that the next one starts from nothing.
clean_up() {
    pkill -TERM coopvmm
    end_other_guests
    sleep 1
    pkill -KILL "$PROCESSES"
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
