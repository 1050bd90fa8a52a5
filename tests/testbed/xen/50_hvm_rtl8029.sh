# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
# A stock Linux HVM guest drives our RTL8029 with its own ne2k-pci; QEMU has no part in it.
# limit: 240 s
. "$HERE/lib.sh"

check "the testbed runs" start_testbed "$(
    stock_vm stock amd64 02 "net=ne2k-pci addr=10.77.0.2/24" "model: rtl8029, slot: 6" | config hvm
)"
check "its init runs" wait_for 120 logged "guest: ready"
check "ne2k-pci drives the NIC at 00:06.0" says hvm.stock "ne2k-pci 0000:00:06.0 eth0"
check "it answers pings" wait_for 20 answers 10.77.0.2
random_file "$tmp/file" 512
check "a file gets there whole" send_file 10.77.0.2 "$tmp/file"
check "a file comes back whole" fetch_file 10.77.0.2 512
check "interrupts arrive" guest_says 10.77.0.2 'grep eth0 /proc/interrupts' ': *[1-9]'
check "stop ends the domain" timeout 60 "$COOPVMM" stop hvm
check "and nothing is left" wait_for 20 no_domains
