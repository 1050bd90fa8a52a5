# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
# A stock Linux HVM guest drives our e1000 with its own driver: link, transfers, down and up, reload.
# limit: 300 s
. "$HERE/lib.sh"

check "the testbed runs" start_testbed "$(
    stock_vm stock amd64 02 "net=e1000 addr=10.77.0.2/24" "model: e1000, slot: 6" | config e1000
)"
check "its init runs" wait_for 120 logged "guest: ready"
check "e1000 drives the NIC at 00:06.0" says e1000.stock "e1000 0000:00:06.0 eth0: (PCI:33MHz:32-bit) 52:54:00:77:00:02"
check "the link is up" says e1000.stock "NIC Link is Up 1000 Mbps Full Duplex"
check "it answers pings" wait_for 20 answers 10.77.0.2
for size in 1 64 600 1472; do
    check "pings of $size bytes" ping -q -c 5 -i 0.2 -W 2 -s "$size" 10.77.0.2
done
random_file "$tmp/file" 4096
check "a file gets there whole" send_file 10.77.0.2 "$tmp/file"
check "a file comes back whole, segmented by the NIC" fetch_file 10.77.0.2 4096
check "interrupts arrive" guest_says 10.77.0.2 'grep eth0 /proc/interrupts' ': *[1-9]'
check "nothing was dropped or damaged" guest_says 10.77.0.2 \
    'cat /sys/class/net/eth0/statistics/*errors | sort -u' '^0$'
order 10.77.0.2 '(sleep 1; ip link set eth0 down; sleep 1; ip link set eth0 up) >/dev/null 2>&1 &' \
    </dev/null
sleep 4
check "down and up again" wait_for 20 answers 10.77.0.2
order 10.77.0.2 '(sleep 1; rmmod e1000; sleep 1; insmod /modules/e1000.ko; sleep 1
    ip addr add 10.77.0.2/24 dev eth0; ip link set eth0 up) >/dev/null 2>&1 &' </dev/null
sleep 5
check "its driver unloaded and loaded again" wait_for 20 answers 10.77.0.2
check "a file gets there whole then" send_file 10.77.0.2 "$tmp/file"
check "stop ends the domain" timeout 60 "$COOPVMM" stop e1000
check "and nothing is left" wait_for 20 no_domains
