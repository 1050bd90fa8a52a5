#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# A stock Linux guest on a port of type vhost-user, with its in-tree virtio_net: User-Mode Linux. Pings, files
# each way, a guest beside it; driver unload and reload, interface down and up; guests and I/O cores that are
# killed. A guest does not outlive the I/O core it was connected to: virtio_uml never connects again but takes
# the device away. So it is a new guest that finds the new I/O core.
. "$(dirname "$0")/lib.sh"
suite uml
. "$ROOT/tests/testbed/uml.sh"

cat >"$tmp/uml.yaml" <<END
name: uml
iocores:
  - {name: io0, core: $io_cpu, idle: sleep, idle_us: 1000}
ports:
  - {name: uplink, type: tap, iface: tap-uml, address: 10.77.0.1/24}
  - {name: a, type: vhost-user, socket: $tmp/a.sock}
  - {name: b, type: vhost-user, socket: $tmp/b.sock}
END
a=10.77.0.2 b=10.77.0.3

serves() { # it can be asked
    order "$1" true </dev/null
}
pings() { # pings ADDRESS OTHER: the guest at ADDRESS pings OTHER, none lost
    guest_says "$1" "ping -c 20 -i 0.05 $2" ' 0% packet loss'
}
# later "shell command line": the guest a carries it out when nobody is connected any more, for then its NIC goes
later() {
    order $a "(sleep 1; $1) </dev/null >/dev/null 2>&1 &" </dev/null
}
answers_anew() { # with another MAC than the host has in mind: virtio_net makes one up each time
    ip neigh flush dev tap-uml
    answers "$1"
}
serves_anew() {
    answers_anew "$1" && serves "$1"
}
silent() {
    ! answers "$1"
}
other_iocored() {
    local pid
    pid=$(pid_of uml iocored) && [ "$pid" != "$iocored" ]
}

check "the guests' initramfs is made" make_uml_initrd
check "run starts the testbed" start_testbed "$tmp/uml.yaml"
iocored=$(pid_of uml iocored)
start_uml a "$tmp/a.sock" $a/24
guest_a=$uml_pid
check "a Linux guest comes up" wait_for 60 serves $a
check "its NIC's driver is virtio_net" guest_says $a 'readlink /sys/class/net/eth0/device/driver' virtio_net
for size in 0 18 56 999 1472; do
    check "50 pings of $size bytes, none lost" no_loss $a 50 -i 0.02 -s $size
done
check "it pings the host" pings $a 10.77.0.1

random_file "$tmp/file" 20000
check "20 MB to the guest, by checksum" send_file $a "$tmp/file"
check "20 MB from the guest, by checksum" fetch_file $a 20000

start_uml b "$tmp/b.sock" $b/24
guest_b=$uml_pid
check "a second Linux guest comes up" wait_for 60 serves $b
check "the guests ping one another" pings $a $b
check "... the other way, too" pings $b $a

later 'ip link set eth0 down; sleep 2; ip link set eth0 up'
check "its interface goes down" wait_for 10 silent $a
check "... and comes up again" wait_for 20 answers $a
later "rmmod virtio_net; sleep 2; insmod /modules/virtio_net.ko; ip addr add $a/24 dev eth0; ip link set eth0 up"
check "its driver is unloaded" wait_for 10 silent $a
check "... and loaded again" wait_for 20 answers_anew $a
check "50 pings, none lost" no_loss $a 50 -i 0.02 -s 56

end_uml $guest_a
check "the other guest does not mind that one is killed" pings $b 10.77.0.1
start_uml a "$tmp/a.sock" $a/24
guest_a=$uml_pid
check "a new guest comes to the port of the killed one" wait_for 60 serves_anew $a
check "the I/O core is the same one" test "$(pid_of uml iocored)" = "$iocored"

kill -KILL "$iocored"
check "the I/O core that was killed has a successor" wait_for 30 other_iocored
check "the guest that was connected lives" kill -0 $guest_b
check "... without its NIC" silent $b
end_uml $guest_b
start_uml b "$tmp/b.sock" $b/24
check "a new guest finds the successor" wait_for 60 serves_anew $b
check "20 MB to it, by checksum" send_file $b "$tmp/file"
end_uml $guest_a $uml_pid
finish
