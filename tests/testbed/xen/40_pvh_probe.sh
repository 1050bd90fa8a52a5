# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
# The probe guest as a PVH domain: every kind of access, and what each costs; its NIC answers pings.
# limit: 420 s
. "$HERE/lib.sh"

check "a PVH domain with an RTL8029 runs" start_testbed "$(
    probe_vm access 02 "mode=access nic=pci" "model: rtl8029, slot: 1" | config access
)"
check "it makes every kind of access" wait_for 90 logged "access end"
grep -o 'access name=.*\|access end.*' "$tmp/run.log"
check "each answer was right" logged " errors=0 skipped="
check "its end ends the testbed, with success" wait_for 20 testbed_ended
check "and nothing is left" wait_for 10 no_domains

check "an NE2000 with a memory window" start_testbed "$(
    probe_vm isa 02 "mode=access mmio=0xe0000000" "model: ne2000, mmio_base: 0xe0000000" |
        config isa
)"
check "it makes every kind of access" wait_for 90 logged "access end"
grep -o 'access name=.*\|access end.*' "$tmp/run.log"
check "each answer was right" logged " errors=0 skipped="
stop_testbed

check "one that answers the network, on an I/O core that never sleeps" start_testbed "$(
    probe_vm echo 02 "mode=both nic=pci n=500 ip=10.77.0.2" "model: rtl8029, slot: 1" |
        config echo pause
)"
check "it measures accesses" wait_for 60 logged "lat end"
grep -o 'lat name=.*' "$tmp/run.log"
check "it answers pings" wait_for 20 answers 10.77.0.2
