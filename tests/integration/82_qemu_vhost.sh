#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Stock Linux guests in QEMU on ports of type vhost-user, with their in-tree virtio_net: one with split rings and
# two queue pairs, one with a packed ring. Pings, files each way, interface down and up, driver unload and
# reload; a live migration to another QEMU, which logs the pages that an I/O core writes; I/O cores that are
# killed, to which QEMU connects again.
. "$(dirname "$0")/lib.sh"
suite qemu
. "$ROOT/tests/integration/qemu.sh"
. "$ROOT/tests/testbed/mid_transfer.sh"

command -v qemu-system-x86_64 >/dev/null || {
    skip "QEMU as front end" "there is no qemu-system-x86_64"
    finish
}

cat >"$tmp/qemu.yaml" <<END
name: qemu
iocores:
  - {name: io0, core: $io_cpu, idle: sleep, idle_us: 1000}
ports:
  - {name: uplink, type: tap, iface: tap-qemu, address: 10.78.0.1/24}
  - {name: a, type: vhost-user, socket: $tmp/a.sock, queues: 2}
  - {name: b, type: vhost-user, socket: $tmp/b.sock}
  - {name: c, type: vhost-user, socket: $tmp/c.sock}
END
a=10.78.0.2 b=10.78.0.3
kilobytes=20000

daemon_pid() {
    pid_of qemu iocored
}
serves() { # it can be asked
    order "$1" true </dev/null
}
# later ADDRESS "shell command line": the guest carries it out when nobody is connected any more
later() {
    order "$1" "(sleep 1; $2) </dev/null >/dev/null 2>&1 &" </dev/null
}
vhosts_are_well() {
    local port kind
    for port in 0 1 2; do
        for kind in malformed refused failed broken; do
            vhost_says $port $kind 0 || return
        done
    done
}
silent() {
    ! answers "$1"
}
front_end_is() { # front_end_is NAME: of the process on port a
    vhost_says 0 pid '[1-9][0-9]*' && grep -x "$1" "/proc/$(python3 "$ROOT/tests/integration/ask.py" get vhosts 0 pid <"$tmp/stat.json")/comm"
}
pings_host() { # a process of the guest's own: how often it was answered until now
    order "$1" 'grep -c time= /tmp/pings' </dev/null
}
pings_on() { # pings_on ADDRESS BEFORE
    [ "$(pings_host "$1")" -gt "$2" ]
}

check "kernel and initramfs are there (make $GUEST.vmlinuz)" test -s "$GUEST.vmlinuz" -a -s "$GUEST.initrd"
check "run starts the testbed" start_testbed "$tmp/qemu.yaml"
iocored=$(daemon_pid)
netdev=,queues=2 start_qemu a "$tmp/a.sock" $a/24 0a ,mq=on
start_qemu b "$tmp/b.sock" $b/24 0b ,packed=on
check "a guest with split rings comes up" wait_for 100 serves $a
check "its NIC's driver is virtio_net" guest_says $a 'readlink /sys/class/net/eth0/device/driver' virtio_net
check "it has two queue pairs" guest_says $a 'ls /sys/class/net/eth0/queues' tx-1
check "pings of all sizes up to the MTU" pings_of $a 0 1 17 46 64 500 1000 1472
check "50 pings, none lost" no_loss $a 50 -i 0.02
random_file "$tmp/file" $kilobytes
check "20 MB to the guest, by checksum" send_file $a "$tmp/file"
check "20 MB from the guest, by checksum" fetch_file $a $kilobytes

check "a guest with a packed ring comes up" wait_for 100 serves $b
check "pings of all sizes up to the MTU" pings_of $b 0 1 17 46 64 500 1000 1472
check "20 MB to the guest, by checksum" send_file $b "$tmp/file"
check "20 MB from the guest, by checksum" fetch_file $b $kilobytes
check "coopvmm stat knows its ring" vhost_says 1 packed 1
check "... the other's queues" vhost_says 0 queues 4
check "... and who it is" front_end_is qemu-system-x86
check "the guests ping one another" guest_says $a "ping -c 20 -i 0.05 $b" ' 0% packet loss'

later $a 'ip link set eth0 down; sleep 2; ip link set eth0 up'
check "its interface goes down" wait_for 20 silent $a
check "... and comes up again" wait_for 30 answers $a
later $a "rmmod virtio_net; sleep 2; insmod /modules/virtio_net.ko; ip addr add $a/24 dev eth0; ip link set eth0 up"
check "its driver is unloaded" wait_for 20 silent $a
check "... and loaded again" wait_for 30 answers $a
check "20 MB to it, by checksum" send_file $a "$tmp/file"

# The guest b moves to another QEMU, on another port, while it receives a file and pings the host.
migrated() {
    qmp b query-migrate | tee /dev/stderr | grep -q '"status": "completed"'
}
send_until_moved() { # the last of these files begins before the guest has moved and ends behind
    while ! [ -e "$tmp/moved" ]; do
        send_file $b "$tmp/file" || return
    done
}
start_qemu c "$tmp/c.sock" $b/24 0b ,packed=on -incoming unix:"$tmp/migration"
check "another QEMU waits for the guest" wait_for 30 test -S "$tmp/migration"
order $b 'ping -i 0.2 10.78.0.1 >/tmp/pings 2>&1 </dev/null &' </dev/null
check "the guest pings the host" wait_for 10 pings_on $b 2
check "migration may pause it for two seconds" qmp b migrate-set-parameters '{"downtime-limit": 2000, "max-bandwidth": 1000000000}'
send_until_moved &
transfer=$!
check "the migration begins" qmp b migrate "{\"uri\": \"unix:$tmp/migration\"}"
check "the migration is over" wait_for 90 migrated
touch "$tmp/moved"
check "what was on its way meanwhile arrived, by checksum" wait $transfer
answered=$(pings_host $b)
check "its pings go on" wait_for 20 pings_on $b $((answered + 5))
check "the QEMU it left ends" qmp b quit
check "50 pings of it, none lost" no_loss $b 50 -i 0.02
check "20 MB from it, by checksum" fetch_file $b $kilobytes
check "the I/O core is the same one" test "$(daemon_pid)" = "$iocored"

fetch_file $a $((3 * kilobytes)) &
transfer=$!
check "the I/O core is killed in mid-transfer" kill_in_mid_transfer $((3 * kilobytes))
check "... and has a successor" wait_for 30 successor
check "the file arrives whole, by checksum" wait $transfer
check "50 pings, none lost" no_loss $a 50 -i 0.02
check "nothing was refused or broken" vhosts_are_well
check "the guest with the packed ring is there, too" wait_for 30 answers $b
check "20 MB to it, by checksum" send_file $b "$tmp/file"
stop_testbed
jobs -p | xargs kill -KILL 2>/dev/null # guests whose ports are gone

# The example, and the command in its comments for machines without KVM.
example=$ROOT/config/examples/vhost-user-qemu.yaml
here() { # as it would be typed in the checkout's folder, but with nothing outside of the suite's own
    sed "s|/run/coopvmm-|$tmp/|; s|build/testbed/qemu|$GUEST|g" "$example"
}
here >"$tmp/vhost.yaml"
here | sed -n '/^#   qemu.*accel=tcg/,/^#$/s/^#//p' >"$tmp/command"
check "the example runs" start_testbed "$tmp/vhost.yaml"
setpriv --pdeathsig KILL sh -c "exec $(cat "$tmp/command")" </dev/null >"$tmp/example.console" 2>&1 &
check "its guest comes up" wait_for 60 serves 10.77.0.2
check "it pings the host" guest_says 10.77.0.2 'ping -c 20 -i 0.05 10.77.0.1' ' 0% packet loss'
finish
