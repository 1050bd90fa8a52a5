# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
# limit: 420 s
# Completions without a wake-up (xen/patches). On a stock hypervisor: it refuses, and cleanly.
. "$HERE/lib.sh"
programs=$BUILD/xen

# create NAME: a guest that does what its device model says, paused
create() {
    cat >"$tmp/guest.cfg" <<X
name = "spin"
type = "pvh"
kernel = "$programs/guest.elf"
memory = 32
vcpus = 1
cpus = "1"
tsc_mode = "native"
on_crash = "preserve"
X
    xl create -q -p "$tmp/guest.cfg" && domid=$(xl domid spin)
}

start_test() { # ARGS...: spin_test in the background, its guest on the way
    create || return 1
    timeout -k 5 200 "$programs/spin_test" "$domid" "$@" >"$tmp/test.log" 2>&1 &
    test_pid=$!
    wait_for 20 grep -q '^ready' "$tmp/test.log" && xl unpause "$domid"
}

gone() {
    ! xl domid spin >/dev/null 2>&1
}

end_test() {
    wait "$test_pid"
    local status=$?
    cat "$tmp/test.log"
    gone || xl list spin | awk 'END { print $5 }' >"$tmp/state"
    gone || xl destroy spin
    wait_for 20 gone && return "$status"
}

run() { # ARGS...: spin_test's own checks are the scenario's
    start_test "$@" && end_test && return
    echo "not ok - spin_test $*"
    exit 1
}

# Takes requests, never answers: the vCPU is polling, or blocked after that.
mute() {
    start_test mute && sleep 1
}

pause_often() {
    local i
    for ((i = 0; i < 100; i++)); do
        timeout 10 xl pause "$domid" && timeout 10 xl unpause "$domid" || return 1
    done
}

destroy_now() {
    timeout 20 xl destroy "$domid"
    wait_for 20 gone
}

kill_test() {
    kill -KILL "$(pgrep -P "$test_pid" spin_test)"
    wait "$test_pid"
    return 0
}

on_stock() {
    create && "$programs/spin_test" "$domid" stock
}

case $(xl info | sed -n 's/^xen_extra *: //p') in
*+coopvmm*) ;;
*)
    on_stock
    exit
    ;;
esac

bound=$(xl info | sed -n 's/.*ioreq_spin_us=\([0-9]*\).*/\1/p')
run measure
run verify "${bound:-20}"
check "the bound is set to what hypercalls take here" xl set-parameters ioreq_spin_us=1000
run meanwhile 1000
check "... and back" xl set-parameters "ioreq_spin_us=${bound:-20}"

check "a device model that does not answer" mute
check "... the domain is paused and unpaused meanwhile" pause_often
check "... and destroyed" destroy_now
wait "$test_pid"
check "a device model that does not answer, once more" mute
check "... it is killed" kill_test
check "... then the domain is destroyed" destroy_now

check "an absurd bound is taken" xl set-parameters ioreq_spin_us=4000000000
run late 2500
check "spinning is switched off" xl set-parameters ioreq_spin_us=0
run late 1
check "the bound is set back" xl set-parameters "ioreq_spin_us=${bound:-20}"

run crash
check "a state that no device model may write crashes the domain: $(cat "$tmp/state")" \
    grep -q c "$tmp/state"
