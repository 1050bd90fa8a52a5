# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash disable=SC2154 # the orders' names
# What process 1 inside a testbed's machine does after the switch to the root filesystem, whatever the
# testbed: sourced by it; then come_up NAME [COMMAND...], and carry_out.
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
    echo "FAILED $(hostname): $*" | tee -a /run/testbed/progress
    off
}

filesystems() {
    mkdir -p /dev/pts /dev/shm /run/lock
    mount -t devpts devpts /dev/pts # without it `xl create` hangs, for one
    mount -t tmpfs tmpfs /dev/shm
    # Where the kernel's modules are looked for; the host has none.
    mkdir -p /lib/modules
    ln -sfn "$KERNEL/lib/modules/$(uname -r)" "/lib/modules/$(uname -r)"
}

# DPDK loads all drivers there are, which takes 10 s here: it gets to see those of use here.
dpdk_drivers() {
    local all driver
    for all in /usr/lib/*/dpdk/pmds-*; do
        mkdir -p "/run/dpdk-drivers/$all"
        for driver in bus_vdev bus_pci mempool_ring net_tap net_af_packet net_null net_ring net_pcap net_e1000; do
            cp -a "$all/librte_$driver".so* "/run/dpdk-drivers/$all/" || fail "no DPDK driver $driver"
        done
        mount --bind "/run/dpdk-drivers/$all" "$all"
    done
}

# come_up NAME [COMMAND...]: the machine as such, then what else there is to it
come_up() {
    echo 1 >/proc/sys/kernel/sysrq
    hostname "$1"
    shift
    ip link set lo up
    filesystems
    dpdk_drivers
    "$@"
    echo "up $(cut -d. -f1 /proc/uptime)" >>/run/testbed/progress
}

# carry_out TERMINAL: what the orders say (scenarios, a script, a shell), then off
carry_out() {
    case $ORDER in
    shell) setsid bash --rcfile "$HERE/../shell.rc" -i <"$1" >"$1" 2>&1 ;;
    *) "$HERE/../runner.sh" >/run/testbed/runner.log 2>&1 ;;
    esac
    echo "$?" >/run/testbed/status
    off
}
