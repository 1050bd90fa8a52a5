#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# dom0's process 1 after the switch to the host's root filesystem: Xen's daemons, then what the
# orders say.
. /run/testbed/orders
. "$HERE/../up.sh"

xen_daemons() {
    local bin=/usr/lib/xen-$SERIES/bin m
    for m in xen-evtchn xen-gntdev xen-gntalloc xen-privcmd xenfs tun; do
        modprobe $m || fail "cannot load $m"
    done
    mount -t xenfs xenfs /proc/xen
    # before xenconsoled, which keeps the guests' consoles there
    mkdir -p /var/log/xen/console /var/lib/xen /run/xen /run/xenstored
    $bin/xenstored --pid-file /run/xen/xenstored.pid || fail "xenstored does not start"
    timeout 30 $bin/xen-init-dom0 || fail "xen-init-dom0"
    $bin/xenconsoled --log=guest --log-dir=/var/log/xen/console --pid-file=/run/xen/xenconsoled.pid ||
        fail "xenconsoled does not start"
    timeout 30 xl info >/run/testbed/xl-info || fail "xl info"
}

come_up dom0 xen_daemons
carry_out /dev/hvc0
