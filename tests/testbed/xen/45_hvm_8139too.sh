# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
# A stock Linux HVM guest drives our RTL8139C with its own 8139too; QEMU has no part in it.
# limit: 240 s
. "$HERE/lib.sh"

check "the testbed runs" start_testbed "$(
    stock_vm stock amd64 02 "net=8139too addr=10.77.0.2/24" "model: rtl8139, slot: 6" | config hvm
)"
check "its init runs" wait_for 120 logged "guest: ready"
check "8139too drives the NIC at 00:06.0" says hvm.stock "8139too 0000:00:06.0 eth0: RealTek RTL8139"
check "with the address from its EEPROM" says hvm.stock "guest: eth0 is 52:54:00:77:00:02"
check "it answers pings" wait_for 20 answers 10.77.0.2
check "of all sizes" pings_of 10.77.0.2 1 8 22 56 300 1000 1471 1472
check "the link is up" guest_says 10.77.0.2 'cat /sys/class/net/eth0/carrier' '^1'
random_file "$tmp/file" 512
check "a file gets there whole" send_file 10.77.0.2 "$tmp/file"
check "a file comes back whole" fetch_file 10.77.0.2 512
check "interrupts arrive" guest_says 10.77.0.2 'grep eth0 /proc/interrupts' ': *[1-9]'
check "no errors were seen" guest_says 10.77.0.2 \
    'cd /sys/class/net/eth0/statistics; cat rx_errors tx_errors | tr -d "\n"' '^00$'
check "stop ends the domain" timeout 60 "$COOPVMM" stop hvm
check "and nothing is left" wait_for 20 no_domains
