# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash disable=SC2154 # the orders' names
# Testbeds on the KVM host: one I/O core on CPU 0, vCPUs on CPU 1. Sourced by lib.sh.

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

# probe_vm ADDRESS LAST-MAC-BYTE: the freestanding guest, on an NE2000
probe_vm() {
    cat <<END
  - name: probe
    engine: kvm
    memory: 64
    cores: [1]
    kernel: $BUILD/guest/probe.elf
    cmdline: "ip=$1"
END
    nic "$2" "model: ne2000"
}

# on_two_cpus: the VM that comes on standard input with two vCPUs, which take turns on CPU 1
on_two_cpus() {
    sed 's/^    cores: .*/    vcpus: 2\n    cores: [1, 1]/'
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
