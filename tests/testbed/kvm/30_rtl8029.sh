# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
# Linux's ne2k-pci drives our RTL8029 on an I/O core.
# limit: 240 s
. "$HERE/lib.sh"

check "it runs" start_testbed "$(
    { linux_vm linux "quiet net=ne2k-pci addr=10.77.0.2/24" && nic 02 "model: rtl8029"; } | config nic
)"
check "its init runs" wait_for 60 logged "guest: ready"
check "it answers pings" wait_for 20 answers 10.77.0.2
check "of all sizes up to the MTU" sh -c 'for size in 0 1 17 46 64 500 1000 1472; do
    ping -q -c 1 -W 5 -s $size 10.77.0.2 || exit; done'
random_file "$tmp/file" 1024
check "a file gets there whole" send_file 10.77.0.2 "$tmp/file"
check "a file comes back whole" fetch_file 10.77.0.2 1024
check "interrupts arrive, level-triggered" guest_says 10.77.0.2 'grep eth0 /proc/interrupts' '[1-9].*fasteoi'
check "the interface goes down and up" guest_says 10.77.0.2 \
    '(sleep 1; ip link set eth0 down; sleep 1; ip link set eth0 up) >/dev/null 2>&1 & echo begun' begun
sleep 3
check "and answers again" wait_for 20 answers 10.77.0.2
