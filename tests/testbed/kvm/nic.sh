# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash disable=SC2154 # the orders' names
# What each NIC model is put through with Linux's own driver for it. Sourced by the scenarios 30 to 39.

# drive_nic MODEL DRIVER KILOBYTES: the guest loads DRIVER (several: with commas; the last is the NIC's)
# and moves files of that size
drive_nic() {
    local model=$1 driver=$2 kilobytes=$3
    check "it runs" start_testbed "$(
        { linux_vm linux "quiet net=$driver addr=10.77.0.2/24" && nic 02 "model: $model"; } | config nic
    )"
    check "its init runs" wait_for 150 logged "guest: ready"
    check "${driver##*,} drives it" guest_says 10.77.0.2 \
        'basename $(readlink /sys/class/net/eth0/device/driver)' "^${driver##*,}$"
    check "the link is up" guest_says 10.77.0.2 'cat /sys/class/net/eth0/carrier' 1
    check "it answers pings of all sizes up to the MTU" pings_of 10.77.0.2 0 1 17 46 64 500 1000 1472
    random_file "$tmp/file" "$kilobytes"
    check "a file gets there whole" send_file 10.77.0.2 "$tmp/file"
    check "a file comes back whole" fetch_file 10.77.0.2 "$kilobytes"
    check "interrupts arrive" guest_says 10.77.0.2 \
        'grep -E "eth0|virtio.-input" /proc/interrupts' ': *[1-9]'
    check "nothing was dropped or damaged" guest_says 10.77.0.2 \
        'cat /sys/class/net/eth0/statistics/*errors | sort -u' '^0$'
    later "ip link set eth0 down; sleep 1; ip link set eth0 up"
    check "the interface goes down and up" wait_for 20 answers 10.77.0.2
    later "rmmod ${driver##*,}; sleep 1; insmod /modules/${driver##*,}.ko; sleep 1
        ip addr add 10.77.0.2/24 dev eth0; ip link set eth0 up"
    check "its driver is unloaded and loaded" wait_for 20 answers 10.77.0.2
    check "a file gets there whole then" send_file 10.77.0.2 "$tmp/file"
    check "the I/O-core process is killed while a file comes in" kill_under_transfer "$kilobytes"
    check "a successor is there" wait_for 60 successor
    check "the file comes in whole" wait "$transfer"
}

# later "shell command line": in the guest, a second after the answer; returns when it began
later() {
    order 10.77.0.2 "(sleep 1; $1) >/dev/null 2>&1 &" </dev/null
    sleep 3
}

# kill_under_transfer KILOBYTES: of a file of eight times that
kill_under_transfer() {
    export ORDER_TIMEOUT=150
    fetch_file 10.77.0.2 $(($1 * 8)) &
    transfer=$!
    kill_in_mid_transfer $(($1 * 8))
}
