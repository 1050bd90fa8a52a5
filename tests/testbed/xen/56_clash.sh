# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
# What QEMU has already is refused before the guest runs, and both sides are named.
# limit: 240 s
. "$HERE/lib.sh"

# refuses DEVICE: the testbed ends by itself, with a failure
refuses() {
    stock_vm stock amd64 02 "do=off" "$1" | config clash >/dev/null
    ! timeout -k 5 90 "$COOPVMM" run "$tmp/clash.yaml" >"$tmp/run.log" 2>&1
}
check "a PCI slot of QEMU's is refused" refuses "model: rtl8029, slot: 2"
check "both sides are named" grep 'PCI slot 2 of .* is QEMU.s already' "$tmp/run.log"
check "nothing is left" wait_for 20 no_domains
check "ports of QEMU's are refused" refuses "model: ne2000, io_base: 0x1e0"
check "both sides are named" grep 'ports 0x1e0 to 0x1ff of .* meet 0x1f0 to .* of QEMU.s' "$tmp/run.log"
check "nothing is left" wait_for 20 no_domains
