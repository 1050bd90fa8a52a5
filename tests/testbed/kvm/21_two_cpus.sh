# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
# Two vCPUs, and the three ways a PC is reset.
# limit: 240 s
. "$HERE/lib.sh"

# ready TIMES: its init has run so often
ready() {
    [ "$(grep -c 'guest: ready' "$tmp/run.log")" = "$1" ]
}

check "it runs" start_testbed "$(linux_vm linux "quiet" | on_two_cpus | config linux)"
check "its init runs" wait_for 90 ready 1
check "with two CPUs" logged "2 CPU"
check "both take interrupts" typed 'grep -E "^ *(RES|CAL|LOC)" /proc/interrupts' 'LOC: *[1-9][0-9]* *[1-9]'
for how in acpi kbd pci; do
    check "it is told to reset by $how" typed "echo $how >/sys/kernel/reboot/type; echo done" "^done"
    before=$(grep -c 'guest: ready' "$tmp/run.log")
    echo 'reboot -f' | timeout 10 "$COOPVMM" console linux >/dev/null
    check "and comes up again" wait_for 90 ready $((before + 1))
done
check "it was reset three times" sh -c "[ \$(grep -c 'reset by the guest' '$tmp/run.log') = 3 ]"
