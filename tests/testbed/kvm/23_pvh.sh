# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
# The same kernel as an ELF file, entered as PVH guests are.
# limit: 120 s
. "$HERE/lib.sh"

check "it runs" start_testbed "$(linux_vm linux "quiet" | sed 's/vmlinuz$/elf/' | config pvh)"
check "its init runs" wait_for 60 logged "guest: ready"
check "it came in by the PVH entry" typed 'dmesg | grep -i "hypervisor detected\|RSDP"' 'RSDP 0x00000000000E0000'
check "a shell answers on the console" typed 'echo $((6 * 7))' '^42'
