# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
# What scenarios of all testbeds share: what they say, waiting, a coopvmm testbed that runs. Sourced by
# a testbed's lib.sh, which sets tmp.
. "$(dirname "${BASH_SOURCE[0]}")/../wait.sh"

export SHARE=/run/testbed # the machine outside keeps what is written here
COOPVMM=$BUILD/coopvmm
testbed_pid=

# --- what a scenario says ---

# check "what" COMMAND...; says how long it took when that is seconds
check() {
    local what=$1 start=$SECONDS took
    shift
    if "$@" >"$tmp/out" 2>&1; then
        took=$((SECONDS - start))
        [ $took -lt 2 ] && echo "ok - $what" || echo "ok - $what ($took s)"
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

# --- a coopvmm testbed ---

# config NAME [IDLE [PORT...]] <<VMS: writes $tmp/NAME.yaml, with one I/O core on CPU 0, a tap NAME with
# 10.77.0.1 (or the ports that are named, "{name: ...}" each) and the VMs that come on standard input, and
# prints the file's name. The I/O core sleeps after a millisecond without work, unless IDLE says
# otherwise: all else that the machine does runs on its CPU, too, and would get half of it.
config() {
    local name=$1 idle=${2:-sleep, idle_us: 1000}
    shift $(($# < 2 ? 1 : 2))
    [ $# != 0 ] || set -- "{name: uplink, type: tap, iface: $name, address: 10.77.0.1/24}"
    {
        printf '%s\n' "name: $name" "iocores:" "  - {name: io0, core: 0, idle: $idle}" "ports:"
        printf '  - %s\n' "$@"
        echo "vms:"
        cat
    } >"$tmp/$name.yaml"
    echo "$tmp/$name.yaml"
}

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
