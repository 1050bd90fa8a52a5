# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
# `coopvmm bench xen`: what an access costs a PVH guest, polled, slept for and answered by Xen alone.
# The figures are shown, not judged; the document goes to the host.
# limit: 240 s
. "$HERE/lib.sh"

bench() {
    timeout -k 5 200 "$COOPVMM" bench xen --quick --json >"$tmp/xen.json" && cp "$tmp/xen.json" "$SHARE/bench-xen.json"
}
# figures KEY...: each has what is asked of it
figures() {
    local key
    for key in "$@"; do
        jq -e ".${key} | .p50 > 0 and .p99 >= .p50 and .count > 0" "$tmp/xen.json" || return 1
    done
}

check "accesses are measured" bench
check "every figure is there" figures polled_cycles sleeping_cycles xen_only_cycles notify_cycles
note "$(jq -r '"one inb, cycles: polled \(.polled_cycles.p50), sleeping \(.sleeping_cycles.p50), Xen alone \(.xen_only_cycles.p50)"' "$tmp/xen.json")"
