# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
# The I/O-core process is killed in the middle of a transfer; its successor goes on, and the stock
# guest's file arrives whole.
# limit: 300 s
. "$HERE/lib.sh"
kilobytes=1024

check "the testbed runs" start_testbed "$(
    stock_vm stock amd64 02 "net=ne2k-pci addr=10.77.0.2/24" "model: rtl8029, slot: 6" | config kill
)"
check "its init runs" wait_for 120 logged "guest: ready"
check "it answers pings" wait_for 20 answers 10.77.0.2
random_file "$tmp/file" $kilobytes

export ORDER_TIMEOUT=150
fetch_file 10.77.0.2 $kilobytes &
transfer=$!
check "it is killed while a file comes in" kill_in_mid_transfer $kilobytes
check "a successor is there" wait_for 60 successor
check "the file comes in whole" wait $transfer
check "the VM took the successor for its own" logged "attached to the new I/O-core process"
check "a file gets there whole" send_file 10.77.0.2 "$tmp/file"
