# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
# Guests that write nonsense to every register; another domain on the same I/O core does not notice.
# limit: 240 s
. "$HERE/lib.sh"

check "two domains that abuse their NICs and one that answers" start_testbed "$({
    probe_vm pci 11 "mode=abuse nic=pci seed=$RANDOM rounds=300" "model: rtl8029, slot: 1"
    probe_vm isa 12 "mode=abuse mmio=0xf1000000 seed=$RANDOM rounds=300" \
        "model: ne2000, mmio_base: 0xf1000000"
    probe_vm good 02 "nic=pci ip=10.77.0.2" "model: rtl8029, slot: 1"
} | config abuse)"
check "it answers" wait_for 30 answers 10.77.0.2
daemon=$(daemon_pid)
both_done() {
    [ "$(grep -c 'abuse rounds=.* done' "$tmp/run.log")" = 2 ]
}
check "it answers all of 50 pings meanwhile" no_loss 10.77.0.2 50
check "the abusers are served to the end" wait_for 90 both_done
check "the I/O-core process is the same" same_daemon "$daemon"
check "the other domain answers all of 20 pings" no_loss 10.77.0.2 20
