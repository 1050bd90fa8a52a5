# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
# A stock kernel from power-on to power-off: shell, serial console, clock, ACPI.
# limit: 180 s
. "$HERE/lib.sh"

check "it runs" start_testbed "$(linux_vm linux "quiet" | config linux)"
check "its init runs" wait_for 60 logged "guest: ready"
note "$(grep -m 1 -o 'guest: ready.*' "$tmp/run.log")"
check "a shell answers on the console" wait_for 30 typed 'echo $((6 * 7))' '^42'
check "the clock is the host's" typed "date -u +%Y" "$(date -u +%Y)"
check "ACPI found its tables" typed 'dmesg | grep -c "ACPI.*Error"' '^0'
check "the PCI root has its enhanced configuration space" typed 'dmesg | grep MMCONFIG' 'MMCONFIG.*0xe0000000'
check "powered off by ACPI, it ends" sh -c "echo 'poweroff -f' | timeout 10 '$COOPVMM' console linux"
check "and has not failed" wait_for 30 sh -c "'$COOPVMM' ps --json | jq -e '.. | .state? | select(. == \"ended\")'"
