# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
# A stock Linux HVM guest drives our RTL8029 with its own ne2k-pci; QEMU has no part in it.
# limit: 240 s
. "$HERE/lib.sh"

check "the testbed runs" start_testbed "$(
    stock_vm stock amd64 02 "net=ne2k-pci addr=10.77.0.2/24" "model: rtl8029, slot: 6" | config hvm
)"
check "its init runs" wait_for 90 logged "guest: ready"
check "ne2k-pci drives the NIC at 00:06.0" grep 'ne2k-pci 0000:00:06.0 eth0' "$tmp/run.log"
check "it answers pings" wait_for 10 answers 10.77.0.2
random_file "$tmp/file" 1024
check "a file gets there whole" send_file 10.77.0.2 "$tmp/file"
check "a file comes back whole" fetch_file 10.77.0.2 1024
check "its interrupts are counted by the guest" sh -c \
    ". $HERE/guests.sh; order 10.77.0.2 'cat /proc/interrupts' </dev/null | grep 'IO-APIC.*eth0\|xen-pirq.*eth0'"
check "stop ends the domain" timeout 30 "$COOPVMM" stop hvm
check "and nothing is left" wait_for 10 no_domains
