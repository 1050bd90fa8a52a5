# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
# From the start of the VMM to a stock guest's init, no NIC: coopvmm beside QEMU's microvm, by turns, on
# the same CPU.
#   make testbed-kvm SCENARIOS=bench_boot
# limit: 400 s
. "$HERE/lib.sh"

ROUNDS=3
CMDLINE="console=ttyS0 quiet panic=-1 do=off"

now() {
    date +%s.%N
}

# until_ready LOG COMMAND...: seconds until the guest's init says ready; ends it
until_ready() {
    local log=$1 begin
    shift
    begin=$(now)
    "$@" </dev/null >"$log" 2>&1 &
    wait_for 90 grep -q 'guest: ready' "$log" || return
    echo "$(now) $begin" | awk '{ printf "%.2f\n", $1 - $2 }'
    wait_for 30 sh -c "! kill -0 $! 2>/dev/null" || kill $!
    wait $! 2>/dev/null
}

ours() {
    until_ready "$tmp/ours.log" "$COOPVMM" run "$tmp/boot.yaml"
}

qemu() {
    until_ready "$tmp/qemu.log" taskset -c 1 qemu-system-x86_64 -M microvm,rtc=on -accel kvm -cpu host -m 256 \
        -kernel "$GUESTS/linux.vmlinuz" -initrd "$GUESTS/linux.initrd" -append "$CMDLINE" \
        -nodefaults -no-user-config -nographic -serial stdio
}

median() {
    sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'
}

{
    echo "name: boot"
    echo "vms:"
    linux_vm linux "do=off quiet"
} >"$tmp/boot.yaml"
for ((i = 0; i < ROUNDS; i++)); do
    ours >>"$tmp/ours"
    qemu >>"$tmp/qemu"
    note "round $i: coopvmm $(tail -n 1 "$tmp/ours") s, QEMU microvm $(tail -n 1 "$tmp/qemu") s"
done
note "median: coopvmm $(median <"$tmp/ours") s, QEMU microvm $(median <"$tmp/qemu") s"
check "coopvmm is no slower" awk -v a="$(median <"$tmp/ours")" -v b="$(median <"$tmp/qemu")" \
    'BEGIN { exit !(a > 0 && b > 0 && a <= b) }'
