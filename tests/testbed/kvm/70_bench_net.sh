# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
# `coopvmm bench net`: a guest on QEMU's NIC and on ours, once through everything. Figures are shown, not judged.
# limit: 240 s
. "$HERE/lib.sh"

bench() {
    timeout -k 5 220 "$COOPVMM" bench net --part guests --quick --models virtio-net --json \
        --kernel "$GUESTS/linux.vmlinuz" --initrd "$GUESTS/linux.initrd" >"$tmp/net.json"
}

# figures SYSTEM...: each has what is asked of it
figures() {
    local system
    for system; do
        jq -e ".guests.models[\"virtio-net\"].$system | [.ping_p50_us, .ping_p99_us, .rr_per_s, .to_guest_mib_s,
            .from_guest_mib_s, .tx_frames_per_s, .tx_exits_per_1000] | all(.median >= 0)" "$tmp/net.json" || return 1
    done
}

mount -t debugfs debugfs /sys/kernel/debug
modprobe vhost_net
check "guests are measured" bench
check "every figure is there" figures qemu qemu_vhost iocore
check "and the goals" jq -e '.goals | length > 0' "$tmp/net.json"
note "$(jq -c '.guests.models["virtio-net"] | map_values(.ping_p50_us.median)' "$tmp/net.json")"
