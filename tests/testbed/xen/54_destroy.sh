# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
# Domains destroyed while they make requests as fast as they can: another domain on the same I/O core
# does not notice, and Xen can let all of their memory go.
# limit: 240 s
. "$HERE/lib.sh"

busy="mode=lat nic=pci n=100000000"
check "three busy domains and one that answers" start_testbed "$({
    probe_vm busy1 11 "$busy kinds=inb_reg" "model: rtl8029, slot: 1"
    probe_vm busy2 12 "$busy kinds=insw_1500" "model: rtl8029, slot: 1"
    probe_vm busy3 13 "$busy kinds=outsw_1500" "model: rtl8029, slot: 1"
    probe_vm good 02 "nic=pci ip=10.77.0.2" "model: rtl8029, slot: 1"
} | config end)"
check "it answers" wait_for 30 answers 10.77.0.2
daemon=$(daemon_pid)

for victim in busy1 busy2 busy3; do
    check "$victim is destroyed" timeout 30 xl destroy "end.$victim"
    check "no zombie of it is left" wait_for 20 is_gone_whole "end.$victim"
    check "the other answers all of 20 pings" no_loss 10.77.0.2 20
done
check "the testbed says who destroyed it" logged "destroyed by somebody else"
check "the I/O-core process is the same" same_daemon "$daemon"
