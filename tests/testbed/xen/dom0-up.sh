#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# dom0's process 1 after the switch to the host's root filesystem: Xen's daemons, then what the
# orders say (scenarios, a script, a shell), then off.
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export HOME=/root LANG=C.UTF-8 TERM=${TERM:-vt100}
cd / || exit 1
. /run/testbed/orders

off() {
    sync
    echo o >/proc/sysrq-trigger
    sleep 60
}

fail() {
    echo "FAILED dom0: $*" | tee -a /run/testbed/progress
    off
}

filesystems() {
    mkdir -p /dev/pts /dev/shm /run/lock
    mount -t devpts devpts /dev/pts # without it `xl create` hangs
    mount -t tmpfs tmpfs /dev/shm
    # Where the kernel's modules are looked for; the host has none.
    mkdir -p /lib/modules
    ln -sfn "$KERNEL/lib/modules/$(uname -r)" "/lib/modules/$(uname -r)"
}

# DPDK loads all drivers there are, which takes 10 s here: it gets to see those of use in dom0.
dpdk_drivers() {
    local all driver
    for all in /usr/lib/*/dpdk/pmds-*; do
        mkdir -p "/run/dpdk-drivers/$all"
        for driver in bus_vdev bus_pci mempool_ring net_tap net_af_packet net_null net_ring net_pcap; do
            cp -a "$all/librte_$driver".so* "/run/dpdk-drivers/$all/" || fail "no DPDK driver $driver"
        done
        mount --bind "/run/dpdk-drivers/$all" "$all"
    done
}

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

echo 1 >/proc/sys/kernel/sysrq
hostname dom0
ip link set lo up
filesystems
dpdk_drivers
xen_daemons
echo "up $(cut -d. -f1 /proc/uptime)" >>/run/testbed/progress

case $ORDER in
shell) setsid bash --rcfile "$HERE/dom0-shell.rc" -i </dev/hvc0 >/dev/hvc0 2>&1 ;;
*) "$HERE/runner.sh" >/run/testbed/runner.log 2>&1 ;;
esac
echo "$?" >/run/testbed/status
off
