# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
# Testbeds of coopvmm inside dom0. Sourced by lib.sh.

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
