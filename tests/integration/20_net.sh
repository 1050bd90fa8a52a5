#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Packets between the host's own network stack and guests: models, placements, engines, guest to
# guest through the switch, rates.
. "$(dirname "$0")/lib.sh"
suite net

file=$({
    vm a 10.77.0.2 02 user ne2000 "mode=echo"
    vm b 10.77.0.3 03 user rtl8029 "mode=echo nic=pci"
} | config net)
check "two guests start" start_testbed "$file"
check "NE2000 answers" wait_for 5 answers 10.77.0.2
check "RTL8029 answers" wait_for 5 answers 10.77.0.3
for size in 0 1 18 56 999 1472; do
    check "NE2000: 50 pings of $size bytes, none lost" no_loss 10.77.0.2 50 -i 0.01 -s $size
    check "RTL8029: 50 pings of $size bytes, none lost" no_loss 10.77.0.3 50 -i 0.01 -s $size
done
check "UDP echo at 1000 frames a second, none lost" \
    "$COOPVMM" bench echo --to 10.77.0.2 --rate 1000 --seconds 5
check "UDP echo of full frames" \
    "$COOPVMM" bench echo --to 10.77.0.2 --rate 500 --seconds 2 --size 1472
check "the switch learned the host's MAC" sh -c \
    "'$COOPVMM' stat --json --testbed net | python3 -m json.tool >/dev/null"
stop_testbed

# the placements that are baselines have a tap of their own and need no I/O core
local_vm() { # local_vm NAME IP MAC PLACEMENT TAP HOST-ADDRESS
    vm "$1" "$2" "$3" user ne2000 "mode=echo" "        placement: $4
        tap: $5
        tap_address: $6"
}
file=$({
    local_vm in 10.78.1.2 12 inline tap-inl 10.78.1.1/24
    local_vm bl 10.78.2.2 13 blocking tap-blk 10.78.2.1/24
} | sed '1i name: base\nvms:' >"$tmp/base.yaml" && echo "$tmp/base.yaml")
check "inline and blocking start without an I/O core" start_testbed "$file"
check "inline answers" wait_for 5 answers 10.78.1.2
check "blocking answers" wait_for 5 answers 10.78.2.2
check "inline: 50 pings, none lost" no_loss 10.78.1.2 50 -i 0.01 -s 56
check "blocking: 50 pings, none lost" no_loss 10.78.2.2 50 -i 0.01 -s 56
stop_testbed

# a sleeping I/O core is woken by requests and frames
file=$({ vm probe 10.77.0.2 02 user ne2000 "mode=echo"; } | config sleepy sleep)
check "an I/O core that may sleep" start_testbed "$file"
check "wakes for pings" wait_for 5 answers 10.77.0.2
check "50 pings, none lost" no_loss 10.77.0.2 50 -i 0.01 -s 56
stop_testbed

kvm=$("$COOPVMM" check --json | python3 "$ROOT/tests/integration/ask.py" kvm)
if [ "$kvm" = works ]; then
    file=$({ vm probe 10.77.0.2 02 kvm ne2000 "mode=echo"; } | config kvmnet)
    check "the kvm engine starts the same guest" start_testbed "$file"
    check "it answers" wait_for 10 answers 10.77.0.2
    check "50 pings, none lost" no_loss 10.77.0.2 50 -i 0.01 -s 56
    stop_testbed
else
    skip "kvm engine" "$kvm"
fi
finish
