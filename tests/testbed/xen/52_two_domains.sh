# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
# Two domains share an I/O core; one that ends does not disturb the other.
# limit: 180 s
. "$HERE/lib.sh"

check "two PVH domains on one I/O core" start_testbed "$({
    probe_vm one 02 "nic=pci ip=10.77.0.2" "model: rtl8029, slot: 1"
    probe_vm two 03 "nic=pci ip=10.77.0.3" "model: rtl8029, slot: 1"
} | config both)"
check "the first answers" wait_for 30 answers 10.77.0.2
check "the second answers" wait_for 30 answers 10.77.0.3
no_loss 10.77.0.3 100 >"$tmp/second" &
second=$!
check "the first answers all of 100 pings" no_loss 10.77.0.2 100
check "and meanwhile the second does" wait $second
check "one is stopped" timeout 60 "$COOPVMM" stop both one
check "its domain is gone" wait_for 20 is_gone both.one
check "the other answers all of 50 pings" no_loss 10.77.0.3 50
