# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
# What scenarios of all testbeds share: what they say, waiting, a coopvmm testbed that runs. Sourced by
# a testbed's lib.sh, which sets tmp.

export SHARE=/run/testbed # the machine outside keeps what is written here
COOPVMM=$BUILD/coopvmm
testbed_pid=

# --- what a scenario says ---

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

# note "what": a figure, or what is being waited for
note() {
    echo "# $*"
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

# --- a coopvmm testbed ---

# start_testbed FILE: in the background; returns once it runs
start_testbed() {
    timeout -k 10 800 "$COOPVMM" run "$1" >"$tmp/run.log" 2>&1 &
    testbed_pid=$!
    wait_for 90 testbed_runs_or_ended && kill -0 $testbed_pid && return
    cat "$tmp/run.log"
    return 1
}

testbed_runs_or_ended() {
    ! kill -0 $testbed_pid 2>/dev/null || grep -q 'testbed .* runs (' "$tmp/run.log"
}

stop_testbed() {
    [ -n "$testbed_pid" ] || return 0
    kill -TERM $testbed_pid 2>/dev/null
    wait_for 30 testbed_ended || pkill -KILL -P $testbed_pid
    wait $testbed_pid 2>/dev/null
    testbed_pid=
}

testbed_ended() {
    ! kill -0 $testbed_pid
}

# logged TEXT: did the testbed say so? Its guests' consoles are in there, too.
logged() {
    grep -qF -- "$1" "$tmp/run.log"
}

# daemon_pid: of the I/O-core process
daemon_pid() {
    pgrep -x coopvmm-iocored
}

# same_daemon PID
same_daemon() {
    [ "$(daemon_pid)" = "$1" ]
}

. "$(dirname "${BASH_SOURCE[0]}")/mid_transfer.sh"
