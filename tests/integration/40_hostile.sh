#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Guests and VMMs that misbehave, beside a VM that must not notice.
. "$(dirname "$0")/lib.sh"
suite hostile

file=$({
    vm good 10.77.0.2 02 user ne2000 "mode=echo"
    vm abuser 10.77.0.3 03 user ne2000 "mode=abuse seed=1 n=50000 exit=1"
    vm abuser2 10.77.0.4 04 user rtl8029 "mode=abuse nic=pci seed=2 n=50000 exit=1"
} | config hostile)
check "a good VM and two that abuse their NICs" start_testbed "$file"
check "the good VM answers" wait_for 5 answers 10.77.0.2

iocored=$(pid_of hostile iocored)
same_daemon() { [ "$(pid_of hostile iocored)" = "$iocored" ]; }
undisturbed() { # a second of pings, none lost
    no_loss 10.77.0.2 100 -i 0.01
}
rundir=$("$COOPVMM" ps --json | python3 "$ROOT/tests/integration/ask.py" rundir hostile)

check "undisturbed by guests that write nonsense to every register" undisturbed
check "the abusers were answered to the end" wait_for 90 sh -c \
    "[ \$(grep -c 'abuse rounds=.* done' '$log') -ge 2 ]"
check "the I/O-core process is the same" same_daemon

"$BUILD/tests/hostile_vmm" "$rundir/iotp.sock" io0 "$RANDOM" >"$tmp/vmm" 2>&1 &
vmm=$!
n=0
while kill -0 $vmm 2>/dev/null && [ $n -lt 60 ]; do
    undisturbed >"$tmp/out" 2>&1 || { echo "not ok - undisturbed by a hostile VMM"; cat "$tmp/out"; failed=$((failed + 1)); break; }
    n=$((n + 1))
done
wait $vmm
grep -E '^(ok|not ok|#)' "$tmp/vmm"
passed=$((passed + $(grep -c '^ok' "$tmp/vmm")))
failed=$((failed + $(grep -c '^not ok' "$tmp/vmm")))
check "the hostile VMM ran to its end" grep -q '^# [0-9]* passed' "$tmp/vmm"
check "the I/O-core process is still the same" same_daemon
check "the good VM answers" undisturbed
finish
