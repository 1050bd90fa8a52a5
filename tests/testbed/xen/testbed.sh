# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
# Testbeds of coopvmm inside dom0. Sourced by lib.sh.

# config NAME [IDLE] <<VMS: writes $tmp/NAME.yaml, with one I/O core on dom0's CPU, a tap NAME with
# 10.77.0.1 and the VMs that come on standard input, and prints the file's name. The I/O core sleeps
# after a millisecond without work, unless IDLE says otherwise: dom0 has this CPU only, and all else
# that runs there (xl, QEMU while a guest boots) would get half of it.
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

# probe_vm NAME LAST-MAC-BYTE "cmdline" [DEVICE]: the probe guest as a PVH domain, for config
probe_vm() {
    cat <<END
  - name: $1
    engine: xen
    memory: 64
    cores: [1]
    kernel: $BUILD/guest/probe.elf
    cmdline: "$3"
    devices:
      - {mac: "52:54:00:77:00:$2", ${4:-model: rtl8029}}
END
}

# stock_vm NAME ARCHITECTURE LAST-MAC-BYTE "cmdline" DEVICE: the stock Linux guest beside QEMU, for config
stock_vm() {
    hvm_disk "$tmp/$1.disk" "$2" "$4"
    cat <<END
  - name: $1
    engine: xen
    memory: 192
    cores: [1]
    xen:
      type: hvm
      disk: ["$(xl_disk "$tmp/$1.disk")"]
      options: ['hdtype="ahci"', 'usb=0']
    devices:
      - {mac: "52:54:00:77:00:$3", $5}
END
}
