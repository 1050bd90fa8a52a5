# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
# An ISA NE2000 in an HVM guest, and Linux's own driver for it. Only 32-bit kernels have that.
# limit: 240 s
. "$HERE/lib.sh"

check "the testbed runs" start_testbed "$(
    stock_vm stock i386 02 "net=ne opts=io=0x300,irq=5 addr=10.77.0.2/24" \
        "model: ne2000, io_base: 0x300, irq: 5" | config isa
)"
check "its init runs" wait_for 120 logged "guest: ready"
check "ne drives the card" logged "eth0 is 52:54:00:77:00:02, ne, 10.77.0.2/24"
check "it answers pings" wait_for 20 answers 10.77.0.2
random_file "$tmp/file" 256
check "a file gets there whole" send_file 10.77.0.2 "$tmp/file"
check "a file comes back whole" fetch_file 10.77.0.2 256
check "interrupts arrive on line 5" guest_says 10.77.0.2 'cat /proc/interrupts' '^ *5: *[1-9]'
