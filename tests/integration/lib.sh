# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
# What the integration suites share. A suite is a script that sources this, calls suite NAME, then
# check "what" COMMAND... for each case, and ends with finish. Real processes, real taps, real pings,
# in a network namespace of the suite's own.

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
BUILD=$(cd "$ROOT" && cd "${BUILD:-build}" && pwd)
COOPVMM=$BUILD/coopvmm
PROBE=$BUILD/guest/probe.elf
. "$ROOT/tests/no_loss.sh"
. "$ROOT/tests/wait.sh"
passed=0 failed=0 skipped=0

# Runs the suite in a network namespace of its own, where nothing else of the machine is.
if [ -z "${COOPVMM_TEST_NS:-}" ]; then
    if [ "$(id -u)" = 0 ]; then
        COOPVMM_TEST_NS=1 exec unshare --net --kill-child bash "$0" "$@"
    else
        COOPVMM_TEST_NS=1 exec unshare --user --map-root-user --net --kill-child bash "$0" "$@"
    fi
fi

suite() {
    suite=$1
    tmp=$(mktemp -d "${TMPDIR:-/tmp}/coopvmm-$suite.XXXXXX")
    log=$tmp/run.log
    trap cleanup EXIT
    trap 'exit 1' INT TERM
    ip link set lo up
    echo "== $suite"
}

cleanup() {
    local job
    for job in $(jobs -p); do
        [ "$job" = "${testbed_pid:-}" ] || kill -KILL "$job" 2>/dev/null
    done
    stop_testbed
    rm -rf "$tmp"
}

# check "what" COMMAND...: one case; its output is shown if it fails.
check() {
    local what=$1
    shift
    if "$@" >"$tmp/out" 2>&1; then
        echo "ok - $what"
        passed=$((passed + 1))
    else
        echo "not ok - $what: $* (exit $?)"
        sed 's/^/    /' "$tmp/out" | tail -n 40
        failed=$((failed + 1))
    fi
}

# skip "what" "why": said, counted, and refused by CI unless it expects it.
skip() {
    echo "skip - $1: $2"
    skipped=$((skipped + 1))
}

finish() {
    if [ "$failed" != 0 ] && [ -s "$log" ]; then
        echo "--- the testbed's log:"
        tail -n 60 "$log"
    fi
    echo "$suite: $passed passed, $failed failed, $skipped skipped"
    [ "$failed" = 0 ]
    exit
}

# --- the testbed under test ---

testbed_pid=

# start_testbed FILE [options]: in the background; returns once every VM is up.
start_testbed() {
    local file=$1 _
    shift
    "$COOPVMM" run "$@" "$file" >"$log" 2>&1 &
    testbed_pid=$!
    for _ in $(seq 300); do
        all_running "$file" && return 0
        kill -0 "$testbed_pid" 2>/dev/null || break
        sleep 0.1
    done
    cat "$log"
    return 1
}

testbed_name() {
    sed -n 's/^name: *//p' "$1"
}

all_running() {
    "$COOPVMM" ps --json 2>/dev/null | python3 "$ROOT/tests/integration/ask.py" running "$(testbed_name "$1")"
}

stop_testbed() {
    local _
    [ -n "$testbed_pid" ] || return 0
    kill -TERM "$testbed_pid" 2>/dev/null
    for _ in $(seq 100); do
        kill -0 "$testbed_pid" 2>/dev/null || break
        sleep 0.1
    done
    kill -KILL "$testbed_pid" 2>/dev/null
    wait "$testbed_pid" 2>/dev/null
    testbed_pid=
}

# pid_of TESTBED iocored|VM
pid_of() {
    "$COOPVMM" ps --json | python3 "$ROOT/tests/integration/ask.py" pid "$1" "$2"
}

# vhost_says PORT KEY VALUE: `coopvmm stat` tells so of the vhost-user port of that number
vhost_says() {
    "$COOPVMM" stat --json --testbed "$suite" | tee "$tmp/stat.json" |
        python3 "$ROOT/tests/integration/ask.py" get vhosts "$1" "$2" | tee /dev/stderr | grep -qx "$3"
}

cpus() {
    nproc
}

# CPUs for vCPU and I/O core: different ones if the machine has two
vcpu_cpu=0
io_cpu=$(($(nproc) > 1 ? 1 : 0))

# config NAME IDLE <<VMS: writes $tmp/NAME.yaml with one I/O core, a tap of that name and the VMs
# that come on standard input
config() {
    cat >"$tmp/$1.yaml" <<END
name: $1
iocores:
  - name: io0
    core: $io_cpu
    idle: ${2:-pause}
ports:
  - name: uplink
    type: tap
    iface: tap-$1
    address: 10.77.0.1/24
vms:
END
    cat >>"$tmp/$1.yaml"
    echo "$tmp/$1.yaml"
}

# vm NAME IP LAST-MAC-BYTE ENGINE MODEL "guest options" ["device lines"]: one VM for config
vm() {
    cat <<END
  - name: $1
    engine: $4
    memory: 32
    cores: [$vcpu_cpu]
    kernel: $PROBE
    cmdline: "ip=$2 $6"
    devices:
      - model: $5
        mac: 52:54:00:77:00:$3
${7:-}
END
}
