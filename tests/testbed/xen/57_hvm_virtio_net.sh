# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
# A stock Linux HVM guest drives our virtio-net with its own virtio_net, by MSI-X.
# limit: 300 s
. "$HERE/lib.sh"

check "the testbed runs" start_testbed "$(
    stock_vm stock amd64 02 "net=virtio_pci,virtio_net addr=10.77.0.2/24" \
        "model: virtio-net, slot: 6" | config hvm
)"
check "its init runs" wait_for 120 logged "guest: ready"
check "it answers pings" wait_for 20 answers 10.77.0.2
check "it answers all of 100 pings" no_loss 10.77.0.2 100
check "the interface is virtio's" guest_says 10.77.0.2 'readlink /sys/class/net/eth0/device/driver' virtio_net
check "interrupts are messages" guest_says 10.77.0.2 'grep virtio0-input /proc/interrupts' 'msi'
check "1.x was agreed on, and mergeable buffers" guest_says 10.77.0.2 \
    'cut -c 16,33 /sys/class/net/eth0/device/features' 11
random_file "$tmp/file" 2048
check "a file gets there whole" send_file 10.77.0.2 "$tmp/file"
check "a file comes back whole" fetch_file 10.77.0.2 2048
check "its driver goes and comes again" guest_says 10.77.0.2 \
    'ip link set eth0 down; ip link set eth0 up; sleep 1; cat /sys/class/net/eth0/operstate' up
check "and it answers" wait_for 20 answers 10.77.0.2
pid=$(daemon_pid)
kill -KILL "$pid"
check "with the I/O cores killed, it answers again" wait_for 30 answers 10.77.0.2
check "a file gets there whole, after that" send_file 10.77.0.2 "$tmp/file"
check "stop ends the domain" timeout 60 "$COOPVMM" stop hvm
check "and nothing is left" wait_for 20 no_domains
