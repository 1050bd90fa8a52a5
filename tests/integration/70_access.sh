#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Every kind of access an instruction can make, by a guest that knows what must come back; and
# several vCPUs at one card.
. "$(dirname "$0")/lib.sh"
suite access

# both NE2000s: kinds that need a window in memory use the ISA one's, those of PCI the RTL8029
both() { # both "guest options" PLACEMENT ["lines of the VM"]
    vm probe 10.77.0.2 02 user ne2000 "$1 mmio=0x7e000000" "        mmio_base: 0x7e000000
        placement: $2
      - model: rtl8029
        mac: 52:54:00:77:00:03
        placement: $2
${3:-}"
}
runs() { # runs FILE: to a good end
    timeout -k 5 120 "$COOPVMM" run "$1" 2>&1 | tee "$log"
    return "${PIPESTATUS[0]}"
}
ended() { # ended: with checks, without errors, and all but Xen's own kinds were run
    grep -q 'access end .* checks=[1-9][0-9]* errors=0 ' "$log" &&
        ! grep 'access name=[^x].* skipped' "$log"
}

for place in iocore inline blocking; do
    file=$(both "mode=access rounds=2" $place | config access)
    check "$place: the guest found every access right" runs "$file"
    check "$place: no kind was left out" ended
done

file=$(both "mode=smp cpus=2 n=200" iocore | sed 's/^    cores: .*/    vcpus: 2/' | config access)
check "IPIs between two vCPUs, and both at one card" runs "$file"
check "the card's answers came to who asked" grep -q 'smp nic vcpus=2 rounds=200 errors=0' "$log"
finish
