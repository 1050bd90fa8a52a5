# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
# From the start of the VMM to a stock guest's init, no NIC and so no I/O core: coopvmm beside QEMU's
# microvm, by turns, on the same CPU; exits and faults that each boot took. Figures, no verdict:
#   make testbed-kvm SCENARIOS=bench_boot
# limit: 400 s
. "$HERE/lib.sh"

ROUNDS=3
CMDLINE="console=ttyS0 quiet panic=-1"

now() {
    date +%s.%N
}

# until_ready WHO COMMAND...: a line of figures, "SECONDS EXITS PORT-EXITS FAULTS", to $tmp/WHO; ends it
until_ready() {
    local log=$tmp/$1.log figures=$tmp/$1 begin vmm
    shift
    begin=$(now)
    "$@" </dev/null >"$log" 2>&1 &
    vmm=$!
    wait_for 90 grep -q 'guest: ready' "$log" || return
    echo "$(now) $begin $(counted exits) $(counted io_exits) $(counted pf_taken)" |
        awk '{ printf "%.2f %d %d %d\n", $1 - $2, $3, $4, $5 }' >>"$figures"
    kill $vmm
    wait $vmm 2>/dev/null
    true
}

# counted NAME: what the kernel counts for the only VM there is that runs
counted() {
    cat /sys/kernel/debug/kvm/[0-9]*/"$1" | awk '{ n += $1 } END { print n }'
}

coopvmm() {
    until_ready coopvmm "$COOPVMM" run "$tmp/boot.yaml"
}

microvm() {
    until_ready microvm taskset -c 1 qemu-system-x86_64 -M microvm,rtc=on -accel kvm -cpu host -m 256 \
        -kernel "$GUESTS/linux.vmlinuz" -initrd "$GUESTS/linux.initrd" -append "$CMDLINE" \
        -nodefaults -no-user-config -nographic -serial stdio
}

# median WHO COLUMN
median() {
    awk -v c="$2" '{ print $c }' "$tmp/$1" | sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'
}

show() {
    note "$1: $(median "$1" 1) s, $(median "$1" 2) exits, $(median "$1" 3) of them for ports," \
        "$(median "$1" 4) page faults (medians)"
}

mountpoint -q /sys/kernel/debug || mount -t debugfs debugfs /sys/kernel/debug
{ echo "name: boot" && echo "vms:" && linux_vm linux "quiet"; } >"$tmp/boot.yaml"
for ((i = 0; i < ROUNDS; i++)); do
    check "coopvmm boots it" coopvmm
    check "QEMU boots it" microvm
    note "round $i: coopvmm $(tail -n 1 "$tmp/coopvmm"), QEMU microvm $(tail -n 1 "$tmp/microvm")"
done
show coopvmm
show microvm
note "goal, no slower than QEMU's microvm: $(awk -v a="$(median coopvmm 1)" -v b="$(median microvm 1)" \
    'BEGIN { print a <= b ? "met" : "not met" }')"
