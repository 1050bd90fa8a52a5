# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
# A stock Linux as HVM guest, its NE2000 emulated by QEMU: what ours is compared with must work here.
# limit: 180 s
. "$HERE/lib.sh"

check "it is created" start_hvm stock amd64 "net=ne2k-pci addr=10.77.0.2/24 xen_emul_unplug=never" \
    "$(qemu_nic tapq)"
check "the tap is up" sh -c 'ip addr add 10.77.0.1/24 dev tapq && ip link set tapq up'
check "its init runs" wait_for 90 says stock "guest: ready"
check "it answers pings" wait_for 10 answers 10.77.0.2
random_file "$tmp/file" 64
check "a file gets there whole" send_file 10.77.0.2 "$tmp/file"
check "a file comes back whole" fetch_file 10.77.0.2 64
