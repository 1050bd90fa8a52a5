# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
# Where a guest's memory is, and what it is made of.
# limit: 240 s
. "$HERE/lib.sh"

free_pages() {
    awk '/^HugePages_Free/ { print $2 }' /proc/meminfo
}

vm() { # vm MIB [KEY: VALUE...]
    local mib=$1
    shift
    linux_vm linux "quiet" "$@" | sed "s/memory: .*/memory: $mib/" | config memory
}

check "4 GiB are more than lie below the hole" start_testbed "$(vm 4096)"
check "its init runs" wait_for 90 logged "guest: ready"
check "1 GiB is above 4 GiB" typed 'cat /proc/iomem' '100000000-13fffffff : System RAM'
check "and nothing from 3 GiB on" typed 'cat /proc/iomem' '00100000-bfffffff : System RAM'
check "all of it is there" typed "awk '/MemTotal/ { print \"total\", int(\$2 / 100000) }' /proc/meminfo" '^total \(39\|40\|41\)'
check "it ends" stop_testbed

echo 90 >/proc/sys/vm/nr_hugepages
check "90 huge pages are reserved" test "$(free_pages)" = 90
check "a VM of 80 of them runs" start_testbed "$(vm 160 "hugepages: true")"
check "its init runs" wait_for 90 logged "guest: ready"
check "its memory is made of them" test "$(free_pages)" -lt 80
check "it ends" stop_testbed
check "and gives them back" wait_for 10 sh -c "grep -q 'HugePages_Free: *90' /proc/meminfo"
"$COOPVMM" run "$(vm 256 "hugepages: true")" >"$tmp/refused.log" 2>&1
check "a VM of more than there are is refused, and told what to do" \
    grep -q 'huge pages; reserve more: sysctl vm.nr_hugepages' "$tmp/refused.log"
echo 0 >/proc/sys/vm/nr_hugepages
