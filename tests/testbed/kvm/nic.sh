# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash disable=SC2154 # the orders' names
# What each NIC model is put through with Linux's own driver for it, in one boot of a guest with two vCPUs.
# Sourced by the scenarios 30 to 39.

GUEST=10.77.0.2
: "${MTU:=1500}" # of VLANs

# drive_nic MODEL DRIVER KILOBYTES: the guest loads DRIVER (several: with commas; the last is the NIC's)
# and moves files of that size. With LARGE_SENDS set, the NIC is one that segments.
drive_nic() {
    local driver=${2##*,} kilobytes=$3 file
    file=$({ linux_vm linux "net=8021q,$2 addr=$GUEST/24" && nic 02 "model: $1"; } | on_two_cpus | config nic)
    check "it runs" start_testbed "$file"
    wait_for 75 logged "guest: ready" || start_anew "$file"
    check "its init runs" wait_for 75 logged "guest: ready"
    check "with two CPUs" logged "2 CPU"
    check "$driver drives it" guest_says $GUEST 'basename $(readlink /sys/class/net/eth0/device/driver)' "^$driver$"
    check "the link is up" guest_says $GUEST 'cat /sys/class/net/eth0/carrier' 1
    check "it answers pings of all sizes up to the MTU" pings_of $GUEST 0 1 17 46 64 500 1000 1472
    random_file "$tmp/file" "$kilobytes"
    interrupts_to 0
    check "a file gets there whole" send_file $GUEST "$tmp/file"
    interrupts_to 1
    if [ -n "${LARGE_SENDS:-}" ]; then
        send_large "$kilobytes"
    else
        check "a file comes back whole" fetch_file $GUEST "$kilobytes"
    fi
    check "either CPU has had its interrupts" guest_says $GUEST "$INTERRUPTS" '^[1-9].* [1-9]'
    use_vlan $((kilobytes / 4))
    listen_to_others
    check "nothing was dropped or damaged" guest_says $GUEST \
        'cat /sys/class/net/eth0/statistics/*errors | sort -u' '^0$'
    go_down_and_up "$kilobytes"
    reload "$driver"
    check "a file gets there whole then" send_file $GUEST "$tmp/file"
    check "the I/O-core process is killed while a file comes in" kill_under_transfer "$kilobytes"
    check "a successor is there" wait_for 60 successor
    check "the file comes in whole" wait "$transfer"
    check "no segment of TCP was damaged on its way" test "$(damaged_segments)" = 0
}

# start_anew FILE: a guest whose two vCPUs take turns on one CPU was seen to stop in its kernel's start, once in
# thirty times, and why is not known yet. What it looks like then is shown; once it may be started again.
start_anew() {
    local task
    note "the guest's kernel does not come to its init:"
    tail -n 15 "$tmp/run.log"
    for task in /proc/"$(pgrep -o coopvmm-vm)"/task/*; do
        note "$(cat "$task/comm"): $(cut -d' ' -f3,14,15 "$task/stat") $(cat "$task/wchan")"
    done
    stop_testbed
    check "it runs, started anew" start_testbed "$1"
}

# interrupts_to CPU: the NIC's interrupts, a line's or all messages, are that CPU's from now on
interrupts_to() {
    order $GUEST "for d in /proc/irq/*/eth0 /proc/irq/*/virtio*put.0; do
        [ ! -d \$d ] || echo $((1 << $1)) >\${d%/*}/smp_affinity; done" </dev/null
}

# "COUNT COUNT": how many the two CPUs have had; of virtio's only the received ones: while an I/O core polls
# there are hardly others
# shellcheck disable=SC2016
INTERRUPTS='awk "/eth0|virtio.-input/ { a += \$2; b += \$3 } END { print a, b }" /proc/interrupts'

# --- large sends: the stack gives the NIC more than fits a frame, the NIC segments it ---

send_large() {
    local frames large
    check "the guest's NIC is told to segment" guest_says $GUEST 'tso eth0 on' '^tso on'
    order $GUEST 'mount -t tracefs tracefs /sys/kernel/tracing;
        cd /sys/kernel/tracing/events/net/net_dev_xmit; echo "len > 1514" >filter; echo 1 >enable' </dev/null
    frames=$(device_counter tx_frames) large=$(device_counter tx_large)
    check "a file comes back whole in large sends" fetch_file $GUEST "$1"
    order $GUEST 'cat /sys/kernel/tracing/trace' </dev/null >"$tmp/trace.log"
    frames=$(($(device_counter tx_frames) - frames)) large=$(($(device_counter tx_large) - large))
    note "$(large_sends | awk '{ print $1, "large sends,", $2, "bytes" }'); $frames frames left the device, $large large ones"
    check "most of it was given to the NIC in large sends" sends_were_large "$1"
    check "and left it in frames of the MTU, or large to who takes them so" \
        test $((large > 0 || frames >= $1 * 1024 / 1460)) = 1
}

# large_sends: "COUNT BYTES" of what was above the MTU, as the guest's net_dev_xmit events tell
large_sends() {
    awk '/net_dev_xmit: dev=eth0/ { sub(/.* len=/, ""); n++; sum += $1 } END { print n + 0, sum + 0 }' "$tmp/trace.log"
}

sends_were_large() {
    # shellcheck disable=SC2046 # two words
    set -- $(large_sends) $(($1 * 1024 / 2))
    [ "$1" -gt 0 ] && [ "$2" -ge "$3" ]
}

# device_counter NAME: of the VM's NIC, as the I/O core counts
device_counter() {
    "$COOPVMM" stat --json | jq ".vms[0].devices[0].$1"
}

# damaged_segments: of TCP, that this host saw
damaged_segments() {
    awk '/^Tcp: [0-9]/ { print $NF }' /proc/net/snmp
}

# --- VLAN 5 on top of it ---

use_vlan() {
    local payload=$((MTU - 28))
    modprobe 8021q
    ip link add link nic name nic.5 type vlan id 5
    ip link set nic.5 mtu $MTU up
    ip addr add 10.78.0.1/24 dev nic.5
    order $GUEST "ip link add link eth0 name eth0.5 type vlan id 5; ip link set eth0.5 mtu $MTU;
        ip addr add 10.78.0.2/24 dev eth0.5; ip link set eth0.5 up" </dev/null
    check "it answers pings of all sizes in a VLAN" pings_of 10.78.0.2 0 1 17 46 64 500 1000 $payload
    random_file "$tmp/vlan" "$1"
    check "a file gets there whole in it" send_file 10.78.0.2 "$tmp/vlan"
    check "a file comes back whole in it" fetch_file 10.78.0.2 "$1"
}

# --- promiscuous: frames for somebody else ---

listen_to_others() {
    # a neighbour nobody is: the switch, which has not learnt where that is, asks everybody
    ip neigh replace 10.77.0.9 lladdr 52:54:00:77:00:99 dev nic
    check "frames for another NIC do not reach it" test "$(overheard)" -lt 50
    order $GUEST 'ip link set eth0 promisc on' </dev/null
    check "unless it is promiscuous" test "$(overheard)" -ge 100
    order $GUEST 'ip link set eth0 promisc off' </dev/null
    check "and no more when it is not" test "$(overheard)" -lt 50
}

# overheard: frames the guest receives while a hundred are sent to another
overheard() {
    local before
    before=$(received)
    ping -q -c 100 -i 0.003 -W 1 10.77.0.9 >/dev/null
    echo $(($(received) - before))
}

received() {
    order $GUEST 'cat /sys/class/net/eth0/statistics/rx_packets' </dev/null
}

# --- down and up, unloaded and loaded, killed ---

# go_down_and_up KILOBYTES: for half a second, in the middle of a file of four times that
go_down_and_up() {
    check "a file comes in whole while the interface goes down and up" fetch_file $GUEST $(($1 * 4)) \
        "(for i in \$(seq 50); do pidof cat && break; sleep 0.05; done; ip link set eth0 down;
            pidof cat >/tmp/busy; sleep 0.5; ip link set eth0 up) >/dev/null 2>&1 &"
    check "it did in mid-transfer" guest_says $GUEST 'cat /tmp/busy' '[1-9]'
}

reload() {
    later "rmmod $1; insmod /modules/$1.ko; sleep 0.5; ip addr add $GUEST/24 dev eth0; ip link set eth0 up"
    check "its driver is unloaded and loaded" wait_for 30 guest_says $GUEST 'cat /tmp/later' '^done'
}

# later "shell command line": in the guest, a moment after the answer; "done" is in /tmp/later then
later() {
    order $GUEST "rm -f /tmp/later; (sleep 0.3; $1; echo done >/tmp/later) >/dev/null 2>&1 &" </dev/null
}

# start_fetch KILOBYTES: in the background; sets transfer
start_fetch() {
    rm -f "$tmp/fetched"
    ORDER_TIMEOUT=150 fetch_file $GUEST "$1" &
    transfer=$!
}

# kill_under_transfer KILOBYTES: of a file of four times that; of a larger one if it was all here before the kill
kill_under_transfer() {
    local kilobytes
    for kilobytes in $(($1 * 4)) $(($1 * 8)) $(($1 * 16)); do
        start_fetch $kilobytes
        ! kill_in_mid_transfer $kilobytes || return 0
        wait "$transfer"
        wait_for 60 successor || return
    done
    return 1
}
