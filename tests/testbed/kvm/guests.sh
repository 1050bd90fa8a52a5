# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash disable=SC2154 # the orders' names
# Testbeds on the KVM host: one I/O core on CPU 0, vCPUs on CPU 1. Sourced by lib.sh.

# config NAME [IDLE] <<VMS: writes $tmp/NAME.yaml, with one I/O core, a tap NAME with 10.77.0.1 and the
# VMs that come on standard input, and prints the file's name. The I/O core sleeps after a millisecond
# without work, unless IDLE says otherwise: all else that runs on its CPU would get half of it.
config() {
    cat >"$tmp/$1.yaml" <<END
name: $1
iocores:
  - {name: io0, core: 0, idle: ${2:-sleep, idle_us: 1000}}
ports:
  - {name: uplink, type: tap, iface: $1, address: 10.77.0.1/24}
vms:
END
    cat >>"$tmp/$1.yaml"
    echo "$tmp/$1.yaml"
}

# linux_vm NAME "kernel command line" [KEY: VALUE...]: the stock Linux guest, for config; more keys of
# the VM a line each. Devices follow it on standard output by whoever adds them (nic).
linux_vm() {
    local name=$1 cmdline=$2
    shift 2
    cat <<END
  - name: $name
    engine: kvm
    platform: pc
    memory: 256
    cores: [1]
    kernel: $GUESTS/linux.vmlinuz
    initrd: $GUESTS/linux.initrd
    cmdline: "console=ttyS0 panic=-1 $cmdline"
END
    [ $# = 0 ] || printf '    %s\n' "$@"
}

# nic LAST-MAC-BYTE "model: MODEL": a device of the VM before
nic() {
    cat <<END
    devices:
      - {mac: "52:54:00:77:00:$1", $2}
END
}

# typed "shell command line" PATTERN: what the VM linux prints then on its serial console matches
typed() {
    { echo "$1" && sleep 2; } | timeout 3 "$COOPVMM" console linux | tr -d '\r' >"$tmp/console.log"
    grep -q "$2" "$tmp/console.log"
}
